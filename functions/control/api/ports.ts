/** The admin API's ports: what it needs of control, and its problem responses. */
import type { RolloutPosition } from "../model/approval.ts";
import type { ReleaseFacts } from "../model/plan.ts";
import type { LiveSplit } from "../model/platform.ts";
import type { ReleaseConfig } from "../model/release-config.ts";
import type { Rollout, Subject } from "../model/rollout.ts";
import type { ChannelTest, noticeDispatcher } from "../notifications/dispatcher.ts";
import type { Feed } from "../overlay/feed-client.ts";
import type { TrafficEstimate } from "../planning/traffic.ts";
import type { RolloutCommand } from "../rollout/commands.ts";
import type { RouteCost } from "../telemetry/cost.ts";
import type { Measurement } from "../verdict/measurement.ts";
import type { WaveCommandPorts } from "../wave/commands.ts";
import type { AuthenticatedOperator } from "./operators.ts";
import { problemTitles } from "./schemas.ts";

export interface ControlPorts extends WaveCommandPorts {
  readonly status: (tier: string) => Promise<Rollout | null>;
  readonly measure: (rollout: Rollout) => Promise<Measurement>;
  /** What the platform runs of each of the tier's Workers. */
  readonly live: (tier: string, facts: ReleaseFacts) => Promise<readonly LiveSplit[]>;
  readonly history: (tier: string) => Promise<readonly Rollout[]>;
  /** Null if too little was counted. */
  readonly traffic: (tier: string) => Promise<TrafficEstimate | null>;
  /** The release with its steps, if they are chosen by the traffic. */
  readonly planned: (tier: string, release: ReleaseConfig) => Promise<ReleaseConfig>;
  /** @throws ConflictError */
  readonly start: (tier: string, facts: ReleaseFacts, request: StartRequest) => Promise<Rollout>;
  /** @throws ConflictError */
  readonly command: (
    tier: string,
    command: RolloutCommand,
    by: string,
    reason: string,
    position?: RolloutPosition,
  ) => Promise<Rollout>;
  readonly label: (rollout: Rollout) => Promise<string>;
  readonly cost: (tier: string) => Promise<readonly RouteCost[]>;
  /** @param tier restricts the metrics to one tier */
  readonly metrics: (tier?: string) => Promise<string>;
  /** Calls all that control depends on. */
  readonly check: () => Promise<readonly CheckResult[]>;
  readonly overlay: Feed;
  readonly notices: {
    readonly status: () => Promise<ReturnType<ReturnType<typeof noticeDispatcher>["status"]>>;
    readonly test: (actor: string) => Promise<readonly ChannelTest[]>;
    readonly retry: () => Promise<number>;
  };
  readonly log: (line: object) => void;
}

export interface CheckResult {
  /** `feed`, `actuator`, or an object of control. */
  readonly part: string;
  readonly ok: boolean;
  /** Why it failed; null if it did not. */
  readonly why: string | null;
}

export interface StartRequest {
  readonly release: ReleaseConfig;
  readonly by: string;
  readonly reason: string;
  readonly commit: string | null;
  /** Also starts a version that came back from the last rollout. */
  readonly retry: boolean;
  /** The versions that a second person approved. */
  readonly approved?: readonly Subject[] | undefined;
}

/** The request conflicts with the current state; answered with 409. */
export class ConflictError extends Error {
  override readonly name = "ConflictError";
}

export const problem = (status: keyof typeof problemTitles, detail: string): Response => {
  const [code, title] = problemTitles[status];
  return Response.json(
    { type: `urn:postern:problem:${code}`, title, status, code, detail },
    { status, headers: { "content-type": "application/problem+json" } },
  );
};

export interface ApiTypes {
  readonly Variables: { person: AuthenticatedOperator };
}
