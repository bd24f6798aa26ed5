/** What the admin API asks of control, and how it answers. */
import type { RolloutPosition } from "../model/approval.ts";
import type { TierFacts } from "../model/plan.ts";
import type { Rollout, Subject } from "../model/rollout.ts";
import type { WrittenRelease } from "../model/written-release.ts";
import type { notices, Tested } from "../notifications/dispatcher.ts";
import type { Feed } from "../overlay/feed-client.ts";
import type { Measured } from "../rollout/measurement.ts";
import type { Command } from "../rollout/reducer.ts";
import type { Cost } from "../telemetry/cost.ts";
import type { WaveDesk } from "../wave/commands.ts";
import type { Person } from "./operators.ts";
import { titles } from "./schemas.ts";

export interface Desk extends WaveDesk {
  readonly status: (tier: string) => Promise<Rollout | null>;
  readonly measured: (rollout: Rollout) => Promise<Measured>;
  readonly history: (tier: string) => Promise<readonly Rollout[]>;
  /** @throws Declined */
  readonly start: (tier: string, facts: TierFacts, asked: StartAsked) => Promise<Rollout>;
  /** @throws Declined */
  readonly ask: (
    tier: string,
    command: Command,
    by: string,
    reason: string,
    approved?: RolloutPosition,
  ) => Promise<Rollout>;
  readonly label: (rollout: Rollout) => Promise<string>;
  readonly cost: (tier: string) => Promise<readonly Cost[]>;
  /** @param tier only this one's */
  readonly metrics: (tier?: string) => Promise<string>;
  readonly overlay: Feed;
  readonly notices: {
    readonly status: () => Promise<ReturnType<ReturnType<typeof notices>["status"]>>;
    readonly test: (actor: string) => Promise<readonly Tested[]>;
    readonly retry: () => Promise<number>;
  };
  readonly log: (line: object) => void;
}

export interface StartAsked {
  readonly release: WrittenRelease;
  readonly by: string;
  readonly reason: string;
  readonly commit: string | null;
  /** Versions that a second person approved. */
  readonly approved?: readonly Subject[] | undefined;
}

/** What was asked for does not fit how things stand. */
export class Declined extends Error {
  override readonly name = "Declined";
}

export const problem = (status: keyof typeof titles, detail: string): Response => {
  const [code, title] = titles[status];
  return Response.json(
    { type: `urn:postern:problem:${code}`, title, status, code, detail },
    { status, headers: { "content-type": "application/problem+json" } },
  );
};

export interface Types {
  readonly Variables: { person: Person };
}
