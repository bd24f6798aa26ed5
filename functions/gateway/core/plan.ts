/** The plan: the compiled manifest of one environment. Plain JSON with every default filled in and no secrets. */

import type { RouteTables } from "../routing/finder.ts";
import type { Matcher } from "../routing/matchers.ts";
import type { RouteTable } from "../routing/route-table.ts";

export type TierLevel = "core" | "standard" | "best-effort";
export type FilterMode = "enforce" | "shadow" | "off";

/** A filter. Linked once for all routes that use it, so that they share its caches. */
export interface FilterPlan {
  readonly use: string;
  readonly kind: "guard" | "layer";
  readonly mode: FilterMode;
  /** The filter is shadowed, and an overlay may enforce it. */
  readonly enforceable?: true;
  /** Share of users, by consumer, else by address: `100%`. */
  readonly percent: string;
  /** The filter runs only for requests that match. */
  readonly when?: readonly Matcher[];
  /** Rates that an overlay adds while the gate runs; a compiled plan has none. */
  readonly limits?: readonly string[];
  readonly with: unknown;
}

export interface UpstreamPlan {
  readonly use: string;
  /** Until the response headers. */
  readonly timeout: string;
  readonly with: unknown;
}

/** The destination of a route: one upstream, several by weight, a fixed response or a redirect. */
export type Destination =
  | { readonly to: string | readonly WeightedUpstream[] }
  | { readonly respond: RespondPlan }
  | { readonly redirect: RedirectPlan };

export type WeightedUpstream = readonly [upstream: string, weight: number];

export interface RespondPlan {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface RedirectPlan {
  /** May hold references. Without it, the request's own URL with the changes below. */
  readonly to?: string | undefined;
  readonly scheme?: "http" | "https" | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** May hold references. */
  readonly path?: string | undefined;
  readonly "strip-prefix"?: string | undefined;
  readonly "put-prefix"?: string | undefined;
  readonly status: number;
  readonly query: "keep" | "drop";
}

export interface RoutePlan {
  /** Ids of filters, in execution order. */
  readonly filters: readonly string[];
  readonly goes: Destination;
  /** Path of the upstream request, with references; by default the request's own path. */
  readonly target?: string;
  /** Answers 503 before any filter runs. */
  readonly closed?: RouteClosure;
  readonly cutover?: Cutover;
  readonly upgrade?: "websocket";
  readonly deprecated?: Deprecation;
}

export interface RouteClosure {
  /** A duration. */
  readonly "retry-after"?: string;
  readonly detail?: string;
  /**
   * When the overlay opens the route again, in milliseconds since the epoch. Never in a compiled plan; undefined when
   * the manifest closes the route as well.
   */
  readonly until?: number;
}

/** Sends part of the users to the previous gateway. */
export interface Cutover {
  /** The upstream of the previous gateway. */
  readonly legacy: string;
  /** Share of users that this gate serves: `10%`. */
  readonly percent: string;
}

export interface Deprecation {
  /** Days: `2027-06-30`. */
  readonly since?: string;
  readonly sunset?: string;
  readonly link?: string;
}

export interface Plan {
  readonly api: "postern/v1";
  readonly tier: string;
  readonly environment: string;
  readonly level: TierLevel;
  /** Names, or wildcards such as `*.acme.example`. */
  readonly hosts: readonly string[];
  /** Spoofable headers that are forwarded from clients to services. Absent when the tier accepts none. */
  readonly accepts?: readonly string[];
  /** The base, where services receive paths without it. */
  readonly strip?: string;
  readonly limits: {
    readonly body: string;
    /** Concurrent requests, per isolate. */
    readonly concurrency: number;
    /** Set when requests count from the end of their body. */
    readonly "concurrency-from"?: "body";
    /** Share of `concurrency` for one client: `25%`. */
    readonly "client-share": string;
    readonly "body-idle": string;
    /** The longest duration of a response of unknown length; unlimited by default. */
    readonly "stream-age"?: string;
    /** The longest pause of a service within the body of its response; unlimited by default. */
    readonly "response-idle"?: string;
    /** The longest duration of a WebSocket, and what one direction of it may carry; unlimited by default. */
    readonly "websocket-age"?: string;
    readonly "websocket-bytes"?: string;
  };
  /** Share of requests with an access log line. Failures are always logged. */
  readonly log: { readonly sample: string };
  readonly filters: Readonly<Record<string, FilterPlan>>;
  readonly upstreams: Readonly<Record<string, UpstreamPlan>>;
  readonly routes: Readonly<Record<string, RoutePlan>>;
  /** The route table. */
  readonly table: RouteTable;
  /** The route table for paths with an encoded slash. */
  readonly slashes?: RouteTable;
}

/** The front's plan: which gate serves a host and path. */
export interface FrontPlan {
  readonly grayKey: { readonly header?: string; readonly cookie: string };
  /** Set when the client's request id is kept. */
  readonly requestId?: { readonly accept: true };
  /** The Worker of each binding to a gate. Set when a control plane is configured. */
  readonly workers?: Readonly<Record<string, string>>;
  readonly tiers: readonly {
    readonly tier: string;
    /** The name of the front's service binding to the gate. */
    readonly binding: string;
    readonly hosts: readonly string[];
    /** `/wallet/v1`, or `/` for the whole host. */
    readonly base: string;
    /** Routes that have their own gate, with the binding of each, and the route tables of the tier. */
    readonly lifted?: RouteTables & { readonly bindings: Readonly<Record<string, string>> };
    /** Spoofable headers that the tier accepts from clients. Absent when it accepts none. */
    readonly accepts?: readonly string[];
    /** Set when a route keeps encoded slashes. Other tiers refuse such paths. */
    readonly encodedSlashes?: "keep";
  }[];
}
