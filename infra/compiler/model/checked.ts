/** The checked form of a manifest: defaults filled in, filter and upstream configurations parsed, source locations kept. */

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
  /** The valid part. */
  readonly config: unknown;
  /** Broken keys of its entry; empty in a valid manifest. */
  readonly broken: BrokenFilterKeys;
  /** The file that declares it: a manifest or a preset. */
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

/** The valid part of a list of filters. */
export interface CheckedFilters {
  readonly filters: readonly CheckedFilter[];
  /** The number of entries of unknown kind; `any` if the list itself is broken. */
  readonly unknown: number | "any";
}

export interface CheckedPreset {
  readonly name: string;
  readonly source: Source;
  readonly filters: CheckedFilters;
  /** Whether it comes with Postern, and is no file of the project. */
  readonly isBuiltIn: boolean;
  /** Whether the preset has no problem. */
  readonly isValid: boolean;
}

export interface CheckedUpstream {
  readonly use: string;
  readonly spec: UpstreamSpec;
  readonly timeout: string;
  /** The valid part. */
  readonly config: unknown;
}

export interface CheckedRoute {
  readonly name: string;
  readonly methods: readonly string[];
  /** With the tier's base. */
  readonly path: string;
  readonly segments: readonly PathSegment[];
  readonly when: readonly Matcher[];
  /** All filters that run, in order: those of preset and tier without the dropped ones, then its own. */
  readonly chain: readonly CheckedFilter[];
  /** Whether some of its filters are unknown: an entry of unknown kind, a broken `without`, a missing preset. */
  readonly hasUnknownFilters: boolean;
  readonly settings: Route;
  /** Broken settings; `settings` may have placeholders for them. */
  readonly broken: BrokenPaths;
  /** Keys that are in the file, whether their values are valid or not. */
  readonly writtenKeys: ReadonlySet<string>;
}

export interface CheckedTier {
  readonly source: Source;
  readonly manifest: Frame;
  /** Broken keys of the manifest, except within routes, filters and upstreams; `manifest` may have placeholders for them. */
  readonly broken: BrokenPaths;
  readonly preset: CheckedPreset | undefined;
  /** The filters that every route inherits, in order: the preset's without those that the tier drops, then the tier's own. */
  readonly shared: CheckedFilters;
  /** The valid ones, by name. */
  readonly upstreams: Readonly<Record<string, CheckedUpstream>>;
  /** Names of all upstreams, including broken ones. */
  readonly upstreamNames: readonly string[];
  /** The valid ones. */
  readonly routes: readonly CheckedRoute[];
  /** False if an entry is not a route at all and is missing in `routes`. */
  readonly isComplete: boolean;
  /** Validation of filters that check requests by a document or schema, by filter id. */
  readonly validations: ReadonlyMap<string, Validation>;
}

export interface Validation {
  /** Digest of plans and definitions. */
  readonly digest: string;
  /** By route and method. */
  readonly plans: Readonly<Record<string, Readonly<Record<string, OperationPlan>>>>;
  /** Schemas that the plans refer to. */
  readonly definitions: Readonly<Record<string, Schema>>;
  /** Parts of the schemas that are not checked. */
  readonly notes: readonly Note[];
}

/** The inputs of a check besides the manifest. */
export interface CheckInputs {
  readonly registry: Registry;
  /** The valid part; variables that refer to a broken value stay unresolved. */
  readonly environment: NamedFile<Environment> & { readonly broken?: BrokenPaths };
  readonly presets: {
    readonly names: readonly string[];
    /** Without `checked` for a broken one, which has its own problems. */
    readonly find: (name: string) => { readonly checked: CheckedPreset | undefined } | undefined;
  };
  /** Loads OpenAPI documents of `routes/openapi`. Without it, validation is not built. */
  readonly documents?: DocumentLoader;
  /** Loads JSON Schemas of `routes/schemas`. Without it, validation is not built. */
  readonly schemas?: SchemaLoader;
}
