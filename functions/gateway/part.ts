/** A part: a filter or an upstream. One file with two named exports, `spec` for the tools and `make` for the gate. */
import type { input, output, ZodType } from "zod";
import type { StoreLimiter } from "./core/ports/limits.ts";
import type { Validators } from "./core/ports/validators.ts";
import type { Codes } from "./core/problems.ts";
import type { Deps, FilterInstance, Guard, Handler, Layer } from "./core/types.ts";
import type { AuditRule } from "./hooks/audit.ts";
import type { Credentials, Present, Requirements } from "./hooks/credentials.ts";
import type { CodeExamples } from "./hooks/examples.ts";
import type { Scales } from "./hooks/scales.ts";
import type { FilterSecurity, UpstreamSecurity } from "./hooks/security.ts";
import type { Tighten } from "./hooks/tighten.ts";
import type { TrafficShift } from "./overlay/overlay.ts";
import type { CutoverHandler } from "./service/cutover.ts";
import type { StreamAge } from "./streaming/max-age.ts";
import type { WatchBodies } from "./streaming/watched-body.ts";
import type { WebSocketAge } from "./streaming/websocket-age.ts";

/** Where a filter belongs in a chain. Only the checker uses it; the gate runs filters in the written order. */
export type Phase = "admission" | "identity" | "access" | "limits" | "traffic" | "content";

/** A platform resource that a part needs. The compiler adds it to the gate's wrangler configuration. */
export type Binding =
  | { readonly kind: "kv"; readonly binding: string; readonly namespace: string }
  | { readonly kind: "service"; readonly binding: string; readonly service: string }
  /** Counters and nonces: the tier's objects in the state Worker. */
  | { readonly kind: "state" }
  /** The location's cache, and the gate's secret that authenticates its entries. */
  | { readonly kind: "cache" };

/** Optional members of `Parts`, which are linked only if a part needs them. */
export type Library = "limiter";

interface PartSpec<S extends ZodType> {
  readonly schema: S;
  /** An example configuration: type-checked, run by the law suite, printed in the docs. */
  readonly example: input<S>;
  /** The key of a bare value: with `short: "max"`, `body-limit: 16KiB` is `body-limit: { max: 16KiB }`. */
  readonly short?: keyof input<S> & string;
  /** Codes of the problems that the part can answer with. */
  readonly codes: Codes;
  /**
   * The keys that cause a code. `explain` names the line of the first one that is written, else the line of the part.
   */
  readonly keysOfCode?: Readonly<Record<string, readonly (keyof input<S> & string)[]>>;
  /** Codes that cannot occur with a configuration, besides those whose keys are all unset. */
  readonly impossibleCodes?: (config: output<S>) => readonly string[];
  /** Platform resources that the compiler binds. */
  readonly bindings?: (config: output<S>) => readonly Binding[];
  /** Names of the secrets that the part reads. */
  readonly secrets?: (config: output<S>) => readonly string[];
  /** The most connections open at once; by default none for a filter and one for an upstream. */
  readonly connections?: (config: output<S>) => number;
  /** Libraries that a gate links only for parts that use them. */
  readonly links?: (config: output<S>) => readonly Library[];
  /** An example of a request for each of its codes. A test requires all. */
  readonly examples?: CodeExamples;
  /** Audit rules that check its configuration alone. */
  readonly audit?: readonly AuditRule<output<S>>[];
  /** How `diff` grades a change of each key. */
  readonly scales?: Scales<output<S>>;
}

/**
 * Checks of requests: operations of an OpenAPI document, or JSON Schemas by part of the request, each a file or
 * inline.
 */
export type RequestChecks =
  | { readonly openapi: string; readonly operation?: string | undefined }
  | { readonly openapi?: undefined; readonly parts: Readonly<Record<string, unknown>> };

/** A text with references, and its path in the configuration. */
export interface ReferenceText {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

// biome-ignore lint/suspicious/noExplicitAny: the registry's variance, see below
export interface FilterSpec<S extends ZodType = any> extends PartSpec<S> {
  readonly kind: "guard" | "layer";
  readonly phase: Phase;
  /**
   * Set for guards that only refuse requests and record facts: enforcing a shadowed one can only tighten, so an
   * overlay may do it. A guard that answers or edits requests grants something when it is enforced, which takes a
   * release.
   */
  readonly enforcing?: "tightens";
  /** Phases that must come later in the chain. */
  readonly precedes?: readonly Phase[];
  /** Sources of references that are available behind it: `consumer`, `claim`. */
  readonly provides?: readonly string[];
  /** Reads the request body, so a body limit is needed ahead. */
  readonly readsBody?: boolean;
  /** The checks that the compiler builds for it. Bodies are read only when the checks cover them. */
  readonly checks?: (config: output<S>) => RequestChecks;
  /** What callers need to know: the authentication, as an OpenAPI security scheme, and the limits. */
  readonly exposes?: (config: output<S>) => { readonly security?: object; readonly limits?: readonly object[] };
  /**
   * The share of requests that it copies to another service, such as `100%`. Test cases and `explain` refer to that
   * service by the filter's id.
   */
  readonly sendsCopies?: (config: output<S>) => string;
  /** Creates credentials for test personas and `postern sign`. For filters that identify callers. */
  readonly credentials?: Credentials<output<S>>;
  /** What it requires of the caller's token, whichever filter verifies the token. */
  readonly requires?: (config: output<S>) => Requirements;
  /** Builds an entry for a manifest's filters that removes request headers. Remedies show it, and `--fix` writes it. */
  readonly removes?: (headers: readonly string[]) => string;
  /** Issuers whose tokens it accepts. `postern revoke` accepts these. */
  readonly issuers?: (config: output<S>) => readonly string[];
  /** URLs of the services that it calls itself. `postern dev` waits for those of this machine. */
  readonly calls?: (config: output<S>) => readonly string[];
  /** Security facts about its configuration, for the audit's rules over routes. */
  readonly security?: (config: output<S>) => FilterSecurity;
  /** What an overlay may tighten while the gate runs. */
  readonly tighten?: Tighten<output<S>>;
  /** Limits the size of the request body. */
  readonly boundsBody?: boolean;
  /** Texts of the configuration that may hold references, such as `{consumer.id}`. */
  readonly references?: (config: output<S>) => readonly ReferenceText[];
  /** References that decisions depend on, without being inserted into a text. */
  readonly reads?: (config: output<S>) => readonly ReferenceText[];
}

// biome-ignore lint/suspicious/noExplicitAny: the registry's variance, see below
export interface UpstreamSpec<S extends ZodType = any> extends PartSpec<S> {
  readonly kind: "upstream";
  /** Security facts about its configuration, for the audit's rules and `diff`. */
  readonly security?: (config: output<S>) => UpstreamSecurity;
}

/** Type-checks the example against the schema. An identity function, so that bundlers see a pure thunk. */
export const defineFilter = <const S extends ZodType>(it: FilterSpec<S>): FilterSpec<S> => it;
export const defineUpstream = <const S extends ZodType>(it: UpstreamSpec<S>): UpstreamSpec<S> => it;

/** The configuration of a part's `make`: `Config<typeof spec>`. */
export type Config<T extends () => { readonly schema: ZodType }> = output<ReturnType<T>["schema"]>;

// The registry's variance: each `make` takes its own configuration type, which only its own schema produces.
// biome-ignore lint/suspicious/noExplicitAny: see above
type AnyConfig = any;
export type MakeFilter = (config: AnyConfig, deps: Deps, place: FilterInstance) => Guard | Layer;
export type MakeUpstream = (config: AnyConfig, deps: Deps) => Handler;

export interface FilterModule {
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly spec: () => FilterSpec<any>;
  readonly make: MakeFilter;
  /** Writes a credential into a request. Only tools import it. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly present?: Present<any>;
}
export interface UpstreamModule {
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly spec: () => UpstreamSpec<any>;
  readonly make: MakeUpstream;
}

/** The parts that a gate is linked with. Only the makers, so that no schema is bundled. */
export interface Parts {
  readonly filters: Readonly<Record<string, MakeFilter>>;
  readonly upstreams: Readonly<Record<string, MakeUpstream>>;
  /** Set when a route is in cutover. */
  readonly cutover?: CutoverHandler;
  /** By tier. Set when one of them validates requests. */
  readonly validators?: Readonly<Record<string, Validators>>;
  /** Set when an overlay can shift traffic. */
  readonly trafficShift?: TrafficShift;
  /** Set when the tier limits the age of streams. */
  readonly streamAge?: StreamAge;
  /** Set when the tier limits the age of WebSockets. */
  readonly webSocketAge?: WebSocketAge;
  /** Set when the tier limits pauses within responses, or a control plane measures them. */
  readonly watchBodies?: WatchBodies;
  /** Set when a limit is counted in a store. */
  readonly limiter?: StoreLimiter;
}
