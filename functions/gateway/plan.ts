/** The compiled manifest for one environment: plain JSON, every default filled in, no secret in it. */

export type Level = "core" | "standard" | "best-effort";
export type Mode = "enforce" | "shadow" | "off";

/** One filter, linked once for all the routes that name it, so that they share its caches. */
export interface FilterPlan {
  readonly use: string;
  readonly kind: "guard" | "layer";
  readonly mode: Mode;
  /** Of consumers, or of gray keys until a consumer is known: `100%`. */
  readonly percent: string;
  readonly with: unknown;
}

export interface UpstreamPlan {
  readonly use: string;
  /** Until the response's headers; a body may stream for as long as it likes. */
  readonly timeout: string;
  readonly with: unknown;
}

export interface RoutePlan {
  /** Upper case; `ANY` for every one. */
  readonly methods: readonly string[];
  /** Whole, the tier's base included: `/wallet/v1/accounts/{id}/balance`. */
  readonly path: string;
  /** Ids of filters, in the order in which they run. */
  readonly filters: readonly string[];
  readonly to: string;
  /** What the upstream is asked for, with references; the request's own path where there is none. */
  readonly target?: string;
  readonly upgrade?: "websocket";
}

export interface Plan {
  readonly api: "postern/v1";
  readonly tier: string;
  readonly environment: string;
  readonly level: Level;
  readonly hosts: readonly string[];
  readonly limits: { readonly body: string };
  /** The share of requests that get an access line; faults always do. */
  readonly log: { readonly sample: string };
  readonly filters: Readonly<Record<string, FilterPlan>>;
  readonly upstreams: Readonly<Record<string, UpstreamPlan>>;
  readonly routes: Readonly<Record<string, RoutePlan>>;
}

/** What the front knows: which gate serves a host and a path. */
export interface FrontPlan {
  readonly grayKey: { readonly header?: string; readonly cookie: string };
  readonly tiers: readonly {
    readonly tier: string;
    /** The name of the front's service binding to the gate. */
    readonly binding: string;
    readonly hosts: readonly string[];
    /** `/wallet/v1`, or `/` for a whole host. */
    readonly base: string;
  }[];
}
