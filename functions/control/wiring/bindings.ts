/** The bindings of control's Worker, and the runtime functions that tests replace. */
import type { Ledger } from "../audit/ledger.ts";
import type { noticeDispatcher } from "../notifications/dispatcher.ts";
import type { rolloutController } from "../rollout/controller.ts";
import type { rememberingPlatform } from "../rollout/live.ts";
import type { Namespace } from "../rpc/objects.ts";
import type { Refusing } from "../rpc/refusals.ts";
import type { waveController } from "../wave/controller.ts";
import type { TelemetryObject } from "./telemetry.ts";

export type Rollouts = ReturnType<typeof rolloutController> & Pick<ReturnType<typeof rememberingPlatform>, "live">;
export type Waves = ReturnType<typeof waveController>;
export type Notices = ReturnType<typeof noticeDispatcher>;

/** The RPC methods of each object. */
export type TelemetryCalls = Omit<TelemetryObject, "alarm">;
export type RolloutCalls = Pick<Rollouts, "status" | "history" | "live"> &
  Refusing<Pick<Rollouts, "candidates" | "start" | "ask">>;
export type WaveCalls = Pick<Waves, "status" | "history"> & Refusing<Pick<Waves, "check" | "start" | "ask">>;
export type NoticeCalls = Pick<Notices, "take" | "status" | "test" | "retry">;

export interface Bindings {
  readonly TELEMETRY: Namespace<TelemetryCalls>;
  readonly ROLLOUTS: Namespace<RolloutCalls>;
  readonly WAVES: Namespace<WaveCalls>;
  readonly LEDGER: Namespace<Ledger>;
  readonly NOTICES: Namespace<NoticeCalls>;
  readonly ACTUATOR: Fetcher;
  readonly FEED: Fetcher;
  /** Private key as JSON of a JWK; signs testers' labels. */
  readonly CONTROL_KEY: string;
  readonly ANALYTICS?: AnalyticsEngineDataset;
  /** Bearer token for the Prometheus server of queries. */
  readonly PROMETHEUS_TOKEN?: string;
  /** Headers for the collector. */
  readonly OTLP_HEADERS?: string;
  /** Secret that signs webhooks: `whsec_…`, or two of them. */
  readonly POSTERN_WEBHOOK_SECRET?: string;
  /** URL of a chat's incoming webhook. */
  readonly POSTERN_WEBHOOK_URL?: string;
  readonly GITHUB_TOKEN?: string;
}
