/** What a filter or an upstream is: one file with two named exports, `spec` for the tools and `make` for the gate. */
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

/** Where in a chain a filter belongs. The checker compares them; the gate runs what is written. */
export type Phase = "admission" | "identity" | "access" | "limits" | "traffic" | "content";

/** What a part needs of the platform: the compiler writes it into the gate's wrangler configuration. */
export type Binding =
  | { readonly kind: "kv"; readonly binding: string; readonly namespace: string }
  | { readonly kind: "service"; readonly binding: string; readonly service: string }
  /** Counts and nonces: the tier's objects in the state Worker. */
  | { readonly kind: "state" }
  /** Entries in the location's cache, and the secret of the gate that authenticates them. */
  | { readonly kind: "cache" };

/** What `Parts` holds beside the parts themselves, where one of them asks for it. */
export type Library = "limiter";

interface PartSpec<S extends ZodType> {
  readonly schema: S;
  /** Type-checked against the schema, run by the law suite, printed in the docs. */
  readonly example: input<S>;
  /** The key that a bare value stands for: with `short: "max"`, `body-limit: 16KiB` is `body-limit: { max: 16KiB }`. */
  readonly short?: keyof input<S> & string;
  /** The codes that it can refuse or fail with. */
  readonly codes: Codes;
  /** The keys that a code stands on, the first that is written: `explain` names its line, and else the line of the whole part. */
  readonly keysOfCode?: Readonly<Record<string, readonly (keyof input<S> & string)[]>>;
  /** Those of its codes that it never gives with this configuration, besides those that stand on nothing but keys without a value. */
  readonly impossibleCodes?: (config: output<S>) => readonly string[];
  /** What it needs of the platform, so that the compiler can bind it. */
  readonly bindings?: (config: output<S>) => readonly Binding[];
  /** Names of the secrets that it reads. */
  readonly secrets?: (config: output<S>) => readonly string[];
  /** How many connections it can hold open at once; by default a filter none and an upstream one. */
  readonly connections?: (config: output<S>) => number;
  /** Libraries that a gate links only for parts that use them. */
  readonly links?: (config: output<S>) => readonly Library[];
  /** How a request meets each of its codes; a test fails where one of its codes has none. */
  readonly examples?: CodeExamples;
  /** Rules of the audit that look at nothing but its configuration. */
  readonly audit?: readonly AuditRule<output<S>>[];
  /** How `diff` grades a change of each key; a change of any other is a difference, neither weaker nor stronger. */
  readonly scales?: Scales<output<S>>;
}

/** Operations of an OpenAPI document, or JSON Schemas of a request's parts, each a file or the schema itself. */
export type RequestChecks =
  | { readonly openapi: string; readonly operation?: string | undefined }
  | { readonly openapi?: undefined; readonly parts: Readonly<Record<string, unknown>> };

/** A text that holds references, and where it stands in the configuration. */
export interface ReferenceText {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

// biome-ignore lint/suspicious/noExplicitAny: the registry's variance, see below
export interface FilterSpec<S extends ZodType = any> extends PartSpec<S> {
  readonly kind: "guard" | "layer";
  readonly phase: Phase;
  /**
   * Of a guard that does nothing but refuse, and learn what refusals rest on: to enforce it where it was shadowed can only
   * tighten, so an overlay may. One that answers or edits requests grants something when it is enforced; a release does that.
   */
  readonly enforcing?: "tightens";
  /** Phases that it has to stand ahead of, where they are in the chain too. */
  readonly precedes?: readonly Phase[];
  /** Sources of references that are bound behind it: `consumer`, `claim`. */
  readonly provides?: readonly string[];
  /** Reads the request's body, so that something ahead has to bound its size. */
  readonly readsBody?: boolean;
  /** What it checks requests by; it reads bodies only where that says what they are. */
  readonly checks?: (config: output<S>) => RequestChecks;
  /** What callers have to know of it: how they say who they are, as an OpenAPI security scheme, and what they are limited to. */
  readonly exposes?: (config: output<S>) => { readonly security?: object; readonly limits?: readonly object[] };
  /**
   * The share of requests that it sends a copy of to a service of its own, such as `100%`. Test cases and explanations name
   * that service by the filter's id.
   */
  readonly sendsCopies?: (config: output<S>) => string;
  /** How test personas and `postern sign` come by what it reads: of a filter that identifies callers. */
  readonly credentials?: Credentials<output<S>>;
  /** What it requires of a token that another filter verifies, or that it verifies itself. */
  readonly requires?: (config: output<S>) => Requirements;
  /** The entry of a manifest's list by which it removes headers of the request: what remedies say, and `--fix` writes. */
  readonly removes?: (headers: readonly string[]) => string;
  /** Issuers whose tokens it accepts: those that `postern revoke` can name. */
  readonly issuers?: (config: output<S>) => readonly string[];
  /** What its configuration means for the audit's rules over routes. */
  readonly security?: (config: output<S>) => FilterSecurity;
  /** What an overlay may tighten while the gate runs. */
  readonly tighten?: Tighten<output<S>>;
  /** Bounds the size of the request's body. */
  readonly boundsBody?: boolean;
  /** Texts of the configuration that may hold references, such as `{consumer.id}`. */
  readonly references?: (config: output<S>) => readonly ReferenceText[];
  /** References that it decides by, and writes nowhere. */
  readonly reads?: (config: output<S>) => readonly ReferenceText[];
}

// biome-ignore lint/suspicious/noExplicitAny: the registry's variance, see below
export interface UpstreamSpec<S extends ZodType = any> extends PartSpec<S> {
  readonly kind: "upstream";
  /** What its configuration means for the audit's rules and for `diff`. */
  readonly security?: (config: output<S>) => UpstreamSecurity;
}

/** Ties the example to the schema. An identity function: bundlers see a pure thunk around it. */
export const defineFilter = <const S extends ZodType>(it: FilterSpec<S>): FilterSpec<S> => it;
export const defineUpstream = <const S extends ZodType>(it: UpstreamSpec<S>): UpstreamSpec<S> => it;

/** The configuration that a part's `make` is given: `Config<typeof spec>`. */
export type Config<T extends () => { readonly schema: ZodType }> = output<ReturnType<T>["schema"]>;

// The registry's variance: every `make` takes its own configuration, which only its own schema produces.
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

/** The parts that one gate is linked with: only the makers, so that no schema reaches its bundle. */
export interface Parts {
  readonly filters: Readonly<Record<string, MakeFilter>>;
  readonly upstreams: Readonly<Record<string, MakeUpstream>>;
  /** There where a route is cut over. */
  readonly cutover?: CutoverHandler;
  /** By tier; there where one of them validates requests. */
  readonly validators?: Readonly<Record<string, Validators>>;
  /** There where an overlay can move users. */
  readonly trafficShift?: TrafficShift;
  /** There where the tier bounds its streams. */
  readonly streamAge?: StreamAge;
  /** There where a limit is counted in a store. */
  readonly limiter?: StoreLimiter;
}
