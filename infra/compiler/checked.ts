/** What the checker makes of a manifest: every default filled in, every part's configuration parsed, places kept. */
import type { Test } from "../../functions/gateway/conditions.ts";
import type { Frame, Route } from "../../functions/gateway/config.ts";
import type { Environment } from "../../functions/gateway/environment.ts";
import type { Segment } from "../../functions/gateway/match.ts";
import type { AboutFilter, AboutUpstream } from "../../functions/gateway/part.ts";
import type { Mode } from "../../functions/gateway/plan.ts";
import type { OperationPlan } from "../openapi/checks.ts";
import type { Note, Schema } from "../openapi/schemas.ts";
import type { Registry } from "../registry.ts";
import type { Documents } from "./documents.ts";
import type { Path } from "./locate.ts";
import type { Source } from "./read.ts";
import type { SchemaFiles } from "./schema-files.ts";

export interface Named<T> {
  readonly name: string;
  readonly file: string;
  readonly value: T;
}

export interface CheckedFilter {
  /** `jwt`, or `transfer/body-limit` where a route adds it. */
  readonly id: string;
  readonly use: string;
  readonly about: AboutFilter;
  readonly mode: Mode;
  readonly percent: string;
  readonly when: readonly Test[];
  readonly config: unknown;
  /** The file in which it stands: a manifest, or a preset. */
  readonly source: Source;
  /** Of its entry in the list. */
  readonly entry: Path;
  /** Of its configuration. */
  readonly at: Path;
}

/** A list of filters, as far as it holds. */
export interface CheckedFilters {
  readonly filters: readonly CheckedFilter[];
  /** False where one of them is broken, and the others are all there is. */
  readonly whole: boolean;
}

export interface CheckedPreset {
  readonly name: string;
  readonly source: Source;
  readonly filters: CheckedFilters;
}

export interface CheckedUpstream {
  readonly use: string;
  readonly about: AboutUpstream;
  readonly timeout: string;
  readonly config: unknown;
}

export interface CheckedRoute {
  readonly name: string;
  readonly methods: readonly string[];
  /** With the tier's base. */
  readonly path: string;
  readonly segments: readonly Segment[];
  readonly when: readonly Test[];
  /** All that run, in order: the preset's and the tier's but those dropped, then its own. */
  readonly chain: readonly CheckedFilter[];
  /** False where one of its filters is broken, and the chain shows only the others. */
  readonly whole: boolean;
  readonly settings: Route;
}

export interface CheckedTier {
  readonly source: Source;
  readonly manifest: Frame;
  readonly preset: CheckedPreset | undefined;
  /** What every route inherits, in order: the preset's filters but those that the tier drops, then the tier's own. */
  readonly shared: CheckedFilters;
  /** Those that hold, by name. */
  readonly upstreams: Readonly<Record<string, CheckedUpstream>>;
  /** Names of all upstreams, also of those that are broken. */
  readonly upstreamNames: readonly string[];
  /** Those that hold. */
  readonly routes: readonly CheckedRoute[];
  /** False where a route is broken, and `routes` shows only the others. */
  readonly whole: boolean;
  /** Of filters that check requests by a document, by id. */
  readonly validations: ReadonlyMap<string, Validation>;
}

export interface Validation {
  /** Of all that is checked. */
  readonly digest: string;
  /** By route and method. */
  readonly plans: Readonly<Record<string, Readonly<Record<string, OperationPlan>>>>;
  /** Schemas that the plans' references name. */
  readonly definitions: Readonly<Record<string, Schema>>;
  /** What is not checked. */
  readonly notes: readonly Note[];
}

/** What a manifest stands among. */
export interface Surroundings {
  readonly registry: Registry;
  readonly environment: Named<Environment>;
  /** Those that hold, by name; undefined for one that is broken, which has its own problems. */
  readonly presets: ReadonlyMap<string, CheckedPreset | undefined>;
  /** OpenAPI documents of `routes/openapi`; without it, what goes by them is not looked at. */
  readonly documents?: Documents;
  /** JSON Schemas of `routes/schemas`; likewise. */
  readonly schemas?: SchemaFiles;
}
