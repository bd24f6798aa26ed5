/** The compiled manifest for one environment: plain JSON, every default filled in, no secret in it. */

import type { RouteTables } from "../routing/finder.ts";
import type { Matcher } from "../routing/matchers.ts";
import type { RouteTable } from "../routing/route-table.ts";

export type TierLevel = "core" | "standard" | "best-effort";
export type FilterMode = "enforce" | "shadow" | "off";

/** One filter, linked once for all the routes that name it, so that they share its caches. */
export interface FilterPlan {
  readonly use: string;
  readonly kind: "guard" | "layer";
  readonly mode: FilterMode;
  /** It is shadowed, and an overlay may enforce it. */
  readonly enforceable?: true;
  /** Of users: by consumer where one is known, else by address: `100%`. */
  readonly percent: string;
  /** Only requests that fulfil these meet it. */
  readonly when?: readonly Matcher[];
  /** Rates that an overlay adds while the gate runs; a compiled plan has none. */
  readonly limits?: readonly string[];
  readonly with: unknown;
}

export interface UpstreamPlan {
  readonly use: string;
  /** Until the response's headers. */
  readonly timeout: string;
  readonly with: unknown;
}

/** Where a route leads: to an upstream, to one of several by weight, or nowhere but back. */
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
  /** May hold references. Without it, to the request's own place with some of it changed. */
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
  /** Ids of filters, in the order in which they run. */
  readonly filters: readonly string[];
  readonly goes: Destination;
  /** What the upstream is asked for, with references; the request's own path where there is none. */
  readonly target?: string;
  /** Answers 503 before any filter has seen the request. */
  readonly closed?: RouteClosure;
  readonly cutover?: Cutover;
  readonly upgrade?: "websocket";
  readonly deprecated?: Deprecation;
}

export interface RouteClosure {
  /** A duration. */
  readonly "retry-after"?: string;
  readonly detail?: string;
}

/** Who is not served here yet, and by whom instead. */
export interface Cutover {
  /** The upstream that is the old gateway. */
  readonly legacy: string;
  /** Of users whom the gate serves itself: `10%`. */
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
  /** Spoofable headers that services are sent as clients wrote them; there where the tier accepts any. */
  readonly accepts?: readonly string[];
  readonly limits: {
    readonly body: string;
    /** Requests at once; per isolate. */
    readonly concurrency: number;
    /** There where requests count once their body is complete. */
    readonly "concurrency-from"?: "body";
    /** Of `concurrency`, for one client: `25%`. */
    readonly "client-share": string;
    readonly "body-idle": string;
    /** Of a response of unknown length; without it, as long as the platform lets it. */
    readonly "stream-age"?: string;
  };
  /** The share of requests that get an access line; faults always do. */
  readonly log: { readonly sample: string };
  readonly filters: Readonly<Record<string, FilterPlan>>;
  readonly upstreams: Readonly<Record<string, UpstreamPlan>>;
  readonly routes: Readonly<Record<string, RoutePlan>>;
  /** Which requests each route takes. */
  readonly table: RouteTable;
  /** Of the routes that keep encoded slashes, which alone are given paths that have one. */
  readonly slashes?: RouteTable;
}

/** What the front knows: which gate serves a host and a path. */
export interface FrontPlan {
  readonly grayKey: { readonly header?: string; readonly cookie: string };
  /** There where the client's own request id is kept. */
  readonly requestId?: { readonly accept: true };
  readonly tiers: readonly {
    readonly tier: string;
    /** The name of the front's service binding to the gate. */
    readonly binding: string;
    readonly hosts: readonly string[];
    /** `/wallet/v1`, or `/` for a whole host. */
    readonly base: string;
    /** Routes with gates of their own, by the names of their bindings; and the routes of the whole tier, to tell them apart. */
    readonly lifted?: RouteTables & { readonly bindings: Readonly<Record<string, string>> };
    /** Spoofable headers that the tier accepts from clients; there where it accepts any. */
    readonly accepts?: readonly string[];
    /** There where a route of the tier keeps encoded slashes; paths that have one are refused to all others. */
    readonly encodedSlashes?: "keep";
  }[];
}
