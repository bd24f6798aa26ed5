/** What control and its helpers are told when they are built: plain JSON, no secret in it. */
import type { Cutover, FilterMode, TierLevel, WeightedUpstream } from "../../gateway/core/plan.ts";
import type { CollectorPlan } from "../exporters/otlp/push.ts";
import type { PrometheusPlan } from "../telemetry/prometheus-query.ts";
import type { ReleaseConfig } from "./release-config.ts";

export type Role = "viewer" | "operator" | "admin";

/** Who may ask for something, and by which key they are known. */
export interface Operator {
  /** An Ed25519 public key, as a JWK has it (`x`). */
  readonly key: string;
  readonly role: Role;
}

/** What control knows of a tier: what an overlay can concern, and how it is released. */
export interface TierFacts {
  readonly level: TierLevel;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: string | null;
  readonly host: string;
  readonly base: string;
  /** Its gates, its own first. */
  readonly workers: readonly string[];
  /** Its own gate is that of other tiers as well. */
  readonly shared?: true;
  /** Of the tokens that its filters verify. */
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
        /** What it matches, without patterns: `/wallet/v1/accounts/{id}`. */
        readonly path: string;
        readonly weights?: readonly WeightedUpstream[];
        readonly closed?: true;
        readonly cutover?: Cutover;
      }
    >
  >;
  readonly limits: { readonly body: string; readonly concurrency: number };
  /** As the manifest says it, with its defaults. */
  readonly release: ReleaseConfig;
}

export interface ControlPlan {
  readonly environment: string;
  /** Of the admin API. */
  readonly host: string;
  readonly operators: Readonly<Record<string, Operator>>;
  /** How smoke tests reach the front; by default the tier's own host. */
  readonly front: string | null;
  /** Hears of what happens. */
  readonly webhook: string | null;
  /** `owner/repository`, whose deployments hear of rollouts, and where its REST API is. */
  readonly github: { readonly name: string; readonly api: string } | null;
  /** Where metrics go by OTLP over HTTP. */
  readonly otlp: CollectorPlan | null;
  /** Who is asked what releases query. */
  readonly prometheus: PrometheusPlan | null;
  /** Of what clients ask. */
  readonly scheme: string;
  readonly tiers: Readonly<Record<string, TierFacts>>;
}

export interface TailPlan {
  readonly environment: string;
  /** Where spans go by OTLP over HTTP. */
  readonly otlp: CollectorPlan | null;
  readonly scheme: string;
  /** Tiers of each gate. */
  readonly workers: Readonly<Record<string, readonly string[]>>;
  /** What each route matches, without patterns, by tier and route. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface ActuatorPlan {
  /** The platform's REST API. */
  readonly api: string;
  readonly account: string;
  /** The only Workers that it touches. */
  readonly workers: readonly string[];
}
