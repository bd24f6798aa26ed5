/** Plans of control, the tail and the actuator: plain JSON built into each Worker, without secrets. */
import type { Cutover, FilterMode, TierLevel, WeightedUpstream } from "../../gateway/core/plan.ts";
import type { CollectorPlan } from "../exporters/otlp/push.ts";
import type { PrometheusPlan } from "../telemetry/prometheus-query.ts";
import type { ReleaseConfig } from "./release-config.ts";

export type Role = "viewer" | "operator" | "admin";

/** An operator of the admin API. */
export interface Operator {
  /** Ed25519 public key: `x` of its JWK. */
  readonly key: string;
  readonly role: Role;
}

/** What is released: a tier's gates, a route's cutover, or the front. */
export interface ReleaseFacts {
  /** Of the front: the highest of its tiers. */
  readonly level: TierLevel;
  readonly host: string;
  readonly base: string;
  /** The tier's gates, its main gate first. */
  readonly workers: readonly string[];
  /** The main gate also serves other tiers. */
  readonly shared?: true;
  /** The manifest's `release` with defaults filled in. */
  readonly release: ReleaseConfig;
}

/** Facts about a tier: what an overlay can change, and how the tier is released. */
export interface TierFacts extends ReleaseFacts {
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: string | null;
  /** Issuers of the tokens that the tier's filters verify. */
  readonly issuers?: readonly string[];
  readonly filters: Readonly<
    Record<
      string,
      {
        readonly use: string;
        readonly mode: FilterMode;
        readonly enforceable?: true;
        readonly limit?: string | undefined;
      }
    >
  >;
  readonly routes: Readonly<
    Record<
      string,
      {
        readonly filters: readonly string[];
        /** The path template without patterns: `/wallet/v1/accounts/{id}`. */
        readonly path: string;
        readonly weights?: readonly WeightedUpstream[];
        readonly closed?: true;
        readonly cutover?: Cutover;
      }
    >
  >;
  readonly limits: { readonly body: string; readonly concurrency: number };
}

/** `standard` is signed (Standard Webhooks); the others are messages of a chat. */
export type WebhookFormat = "standard" | "slack" | "teams" | "google-chat";

export interface ControlPlan {
  readonly environment: string;
  /** Host of the admin API. */
  readonly host: string;
  readonly operators: Readonly<Record<string, Operator>>;
  /** URL at which smoke tests reach the front; default: the tier's host. */
  readonly front: string | null;
  /** The webhook that receives notices. Without a URL, the secret POSTERN_WEBHOOK_URL is it. */
  readonly webhook: { readonly url?: string; readonly format: WebhookFormat } | null;
  /** `owner/repository` whose GitHub deployments show rollouts, and the URL of the REST API. */
  readonly github: { readonly name: string; readonly api: string } | null;
  /** Collector for metrics, by OTLP over HTTP. */
  readonly otlp: CollectorPlan | null;
  /** Prometheus server that evaluates the queries of releases. */
  readonly prometheus: PrometheusPlan | null;
  /** URL scheme of client requests. */
  readonly scheme: string;
  readonly tiers: Readonly<Record<string, TierFacts>>;
  /** The release of the front. */
  readonly frontFacts: ReleaseFacts;
}

export interface TailPlan {
  readonly environment: string;
  /** Collector for spans, by OTLP over HTTP. */
  readonly otlp: CollectorPlan | null;
  readonly scheme: string;
  /** Tiers that each gate serves. */
  readonly workers: Readonly<Record<string, readonly string[]>>;
  /** The front's Worker. */
  readonly front: string;
  /** Path templates without patterns, by tier and route. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface ActuatorPlan {
  /** The platform's REST API. */
  readonly api: string;
  readonly account: string;
  /** The only Workers that the actuator may change. */
  readonly workers: readonly string[];
}
