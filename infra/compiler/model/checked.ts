/** What the checker makes of a manifest: every default filled in, every part's configuration parsed, places kept. */

import type { FilterMode } from "../../../functions/gateway/core/plan.ts";
import type { FilterSpec, UpstreamSpec } from "../../../functions/gateway/part.ts";
import type { PathSegment } from "../../../functions/gateway/routing/match.ts";
import type { Matcher } from "../../../functions/gateway/routing/matchers.ts";
import type { Environment } from "../../../functions/manifest/environment.ts";
import type { Frame, Route } from "../../../functions/manifest/manifest.ts";
import type { Path } from "../../diagnostics/locate.ts";
import type { Source } from "../../diagnostics/source.ts";
import type { OperationPlan } from "../../openapi/checks.ts";
import type { Note, Schema } from "../../openapi/schemas.ts";
import type { Registry } from "../../project/registry.ts";
import type { DocumentLoader } from "../inputs/documents.ts";
import type { SchemaLoader } from "../inputs/schema-files.ts";
import type { BrokenPaths } from "./salvage.ts";

export interface NamedFile<T> {
  readonly name: string;
  readonly file: string;
  readonly value: T;
}

export interface CheckedFilter {
  /** `jwt`, or `transfer/body-limit` where a route adds it. */
  readonly id: string;
  readonly use: string;
  readonly spec: FilterSpec;
  readonly mode: FilterMode;
  readonly percent: string;
  readonly when: readonly Matcher[];
  /** As far as it holds. */
  readonly config: unknown;
  /** What of its entry is broken: there only while a broken manifest is checked. */
  readonly broken: BrokenFilterKeys;
  /** The file in which it stands: a manifest, or a preset. */
  readonly source: Source;
  /** Of its entry in the list. */
  readonly entry: Path;
  /** Of its configuration. */
  readonly at: Path;
}

export interface BrokenFilterKeys {
  /** Of the settings beside its kind. */
  readonly settings: BrokenPaths;
  /** Of its configuration. */
  readonly config: BrokenPaths;
}

/** A list of filters, as far as it holds. */
export interface CheckedFilters {
  readonly filters: readonly CheckedFilter[];
  /** How many entries are of no known kind, so that nobody knows what they would do; `any` where the list is not known. */
  readonly unknown: number | "any";
}

export interface CheckedPreset {
  readonly name: string;
  readonly source: Source;
  readonly filters: CheckedFilters;
  /** Nothing of it is broken. */
  readonly isValid: boolean;
}

export interface CheckedUpstream {
  readonly use: string;
  readonly spec: UpstreamSpec;
  readonly timeout: string;
  /** As far as it holds. */
  readonly config: unknown;
}

export interface CheckedRoute {
  readonly name: string;
  readonly methods: readonly string[];
  /** With the tier's base. */
  readonly path: string;
  readonly segments: readonly PathSegment[];
  readonly when: readonly Matcher[];
  /** All that run, in order: the preset's and the tier's but those dropped, then its own. */
  readonly chain: readonly CheckedFilter[];
  /** Whether filters run on it that nobody knows: an entry of no known kind, a broken `without`, a preset that is not there. */
  readonly hasUnknownFilters: boolean;
  readonly settings: Route;
  /** What of its settings is broken; something else may stand there meanwhile. */
  readonly broken: BrokenPaths;
  /** Keys that stand in the file, be their values broken or not. */
  readonly writtenKeys: ReadonlySet<string>;
}

export interface CheckedTier {
  readonly source: Source;
  readonly manifest: Frame;
  /** What of the manifest is broken, its routes' and parts' own values apart; something else may stand there meanwhile. */
  readonly broken: BrokenPaths;
  readonly preset: CheckedPreset | undefined;
  /** What every route inherits, in order: the preset's filters but those that the tier drops, then the tier's own. */
  readonly shared: CheckedFilters;
  /** Those that hold, by name. */
  readonly upstreams: Readonly<Record<string, CheckedUpstream>>;
  /** Names of all upstreams, also of those that are broken. */
  readonly upstreamNames: readonly string[];
  /** As far as they hold. */
  readonly routes: readonly CheckedRoute[];
  /** False where something is no route at all, and `routes` shows only the others. */
  readonly isComplete: boolean;
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
export interface CheckInputs {
  readonly registry: Registry;
  /** As far as it holds; a variable of what is broken in it stands for nothing. */
  readonly environment: NamedFile<Environment> & { readonly broken?: BrokenPaths };
  /** Those that hold, by name; undefined for one that is broken, which has its own problems. */
  readonly presets: ReadonlyMap<string, CheckedPreset | undefined>;
  /** OpenAPI documents of `routes/openapi`; without it, what goes by them is not looked at. */
  readonly documents?: DocumentLoader;
  /** JSON Schemas of `routes/schemas`; likewise. */
  readonly schemas?: SchemaLoader;
}
