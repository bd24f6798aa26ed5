/** What control is bound to. */
import type { Ledger } from "../audit/ledger.ts";
import type { notices } from "../notifications/dispatcher.ts";
import type { rollouts } from "../rollout/controller.ts";
import type { Namespace } from "../rpc/objects.ts";
import type { Store } from "../telemetry/store.ts";
import type { waves } from "../wave/controller.ts";

export type Rollouts = ReturnType<typeof rollouts>;
export type Waves = ReturnType<typeof waves>;
export type Notices = ReturnType<typeof notices>;

export interface Bindings {
  readonly TELEMETRY: Namespace<Store>;
  readonly ROLLOUTS: Namespace<Rollouts>;
  readonly WAVES: Namespace<Waves>;
  readonly LEDGER: Namespace<Ledger>;
  readonly NOTICES: Namespace<Notices>;
  readonly ACTUATOR: Fetcher;
  readonly FEED: Fetcher;
  /** JSON of a JWK: signs testers' labels. */
  readonly CONTROL_KEY: string;
  readonly ANALYTICS?: AnalyticsEngineDataset;
  /** Bearer token of the Prometheus that queries are asked of. */
  readonly PROMETHEUS_TOKEN?: string;
  /** Headers of the collector. */
  readonly OTLP_HEADERS?: string;
  /** What webhooks are signed with: `whsec_…`, or two of them. */
  readonly POSTERN_WEBHOOK_SECRET?: string;
  readonly GITHUB_TOKEN?: string;
}
