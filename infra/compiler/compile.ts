/** The compiler: read → substitute values → check → lower. Pure except for reading files; `emit.ts` writes. */
import fs from "node:fs";
import path from "node:path";
import type { FrontPlan } from "../../functions/gateway/core/plan.ts";
import type { Environment } from "../../functions/manifest/environment.ts";
import { deduplicate, type Problem, sortDiagnostics } from "../diagnostics/problem.ts";
import { type FileContent, readProjectFile, sourceOf } from "../diagnostics/source.ts";
import { project } from "../project/project.ts";
import { registry } from "../project/registry.ts";
import { type CheckResult, check } from "./check/check.ts";
import { presetsInUse, readPresets } from "./check/presets.ts";
import { type Consumer, readConsumers, readEnvironment } from "./check/shared-files.ts";
import { checkCollisions } from "./check/tiers.ts";
import { checkUnused } from "./check/unused.ts";
import { checkSharedSize } from "./check/validations.ts";
import { createDocumentLoader, stampOf } from "./inputs/documents.ts";
import { createSchemaLoader } from "./inputs/schema-files.ts";
import { lowerTier, type Served } from "./lower/gates.ts";
import { lowerFront } from "./lower/lower.ts";
import type { CheckedTier, CheckInputs, NamedFile } from "./model/checked.ts";

export interface Compiled {
  /** Problems of all files, in a stable order. */
  readonly problems: readonly Problem[];
  /** The number of manifests, which of them have problems, and how many those are. */
  readonly read: number;
  readonly brokenFiles: readonly string[];
  readonly broken: number;
  readonly environment: NamedFile<Environment>;
  /** The valid part, for checking manifests. */
  readonly partialEnvironment: CheckInputs["environment"];
  /** The valid tiers, and the last valid state of broken ones. A problem of one tier does not affect others. */
  readonly tiers: readonly CompiledTier[];
  /** Whether a shared file is broken and has no valid state. */
  readonly sharedBroken: boolean;
  /** Manifests without a valid state. */
  readonly missing: readonly string[];
  /** Those whose tiers share a gate, or may: writing the shared gate without them would take them offline. */
  readonly missingShared: readonly string[];
  /** The front's plan for all these tiers. */
  readonly front: FrontPlan;
  readonly consumers: readonly Consumer[];
  /** Results of the files, so that an unchanged file is not checked again. */
  readonly cache: CompileCache;
}

/** Results by file; valid while the shared files are unchanged. */
export interface CompileCache {
  readonly shared: string;
  readonly files: ReadonlyMap<string, { readonly bytes: FileContent; readonly result: CheckResult }>;
}

export interface CompiledTier {
  readonly checked: CheckedTier;
  /** What its gates serve: its own gate first, then those of its lifted routes. */
  readonly serves: readonly Served[];
}

/**
 * @param root the project's folder, with `routes/` in it
 * @param name of the environment: `routes/environments/<name>.yaml`
 * @param previous an earlier result: its tiers stand in for manifests that are broken now, and what it read is not checked again
 */
export const compile = (root: string, name: string, previous?: Compiled): Compiled => {
  const files = manifestFiles(root);
  const shared = readEnvironment(root, name, previous);
  const { environment } = shared;
  const presets = readPresets(root, shared.partialEnvironment, registry);
  const consumers = readConsumers(root, previous);
  const inputs = {
    registry,
    environment: shared.partialEnvironment,
    presets,
    documents: createDocumentLoader(root),
    schemas: createSchemaLoader(root),
  };
  const cache = checkWithCache(root, files, inputs, presets.texts, previous?.cache);
  const results = files.map((file) => cache.files.get(file)?.result as CheckResult);
  const validTiers = results.flatMap(({ tier }) => tier ?? []);
  const collisions = [...checkCollisions(validTiers), ...checkSharedSize(validTiers)];
  const collidingFiles = new Set(collisions.map(({ file }) => file));
  // Collisions of a broken tier are reported too, but do not take other tiers offline.
  const partialCollisions = checkCollisions(results.flatMap(({ partial }) => partial ?? []));
  const validByFile = new Map(
    validTiers.flatMap((tier) => (collidingFiles.has(tier.source.file) ? [] : [[tier.source.file, tier]])),
  );
  const previousByFile = new Map(previous?.tiers.map((it) => [it.checked.source.file, it]));
  const tiers = files.flatMap((file): CompiledTier[] => {
    const checked = validByFile.get(file);
    const known = previousByFile.get(file);
    if (!checked) return known ? [known] : [];
    return [known?.checked === checked ? known : { checked, serves: lowerTier(checked, name) }];
  });
  const tierProblems = [
    // A preset's filter is part of many tiers; its problem is reported once.
    ...deduplicate(results, ({ problems }) => problems.map((it) => [presetFile.test(it.file) ? "" : it.message, it])),
    ...collisions,
    ...partialCollisions,
  ];
  const reportedFiles = new Set([...collisions, ...partialCollisions].map(({ file }) => file));
  const brokenFiles = files.filter((file) => reportedFiles.has(file) || cache.files.get(file)?.result.problems.length);
  const missing = files.filter((file) => !tiers.some(({ checked }) => checked.source.file === file));
  const sharedProblems = [...shared.problems, ...consumers.problems];
  const usedPresets = presetsInUse(presets, results);
  const unsharedProblems = [
    ...usedPresets.flatMap(({ problems }) => problems),
    ...checkUnused(shared, usedPresets, results, validTiers),
    ...partProblems(root),
  ];
  return {
    problems: sortDiagnostics([...sharedProblems, ...unsharedProblems, ...tierProblems]),
    read: files.length,
    brokenFiles,
    broken: brokenFiles.length,
    environment,
    partialEnvironment: shared.partialEnvironment,
    tiers,
    sharedBroken: previous === undefined && sharedProblems.length > 0,
    missing,
    missingShared: missing.filter((file) => cache.files.get(file)?.result.isolation !== "tier"),
    front: lowerFront(
      tiers.map(({ checked }) => checked),
      environment,
    ),
    consumers: consumers.entries,
    cache,
  };
};

/** Problems of the project's own parts. A copy of its manifests, or an older version of them, is checked with the same parts. */
const partProblems = (root: string): readonly Problem[] =>
  path.resolve(root) === project().root ? project().own.problems : [];

/** Reads every manifest, and checks those that changed, or all if the shared files changed. */
const checkWithCache = (
  root: string,
  files: readonly string[],
  inputs: CheckInputs,
  presets: string,
  previous: CompileCache | undefined,
): CompileCache => {
  const shared = JSON.stringify([inputs.environment, presets, stampOf(root), partsStamp()]);
  const known = previous?.shared === shared ? previous.files : undefined;
  return {
    shared,
    files: new Map(
      files.map((file) => {
        const bytes = readProjectFile(root, file);
        const previousByFile = known?.get(file);
        if (previousByFile && sameBytes(previousByFile.bytes, bytes)) return [file, previousByFile];
        return [file, { bytes, result: check(sourceOf(file, bytes), inputs) }];
      }),
    ),
  };
};

/** Own parts that change, or break, change what a manifest means. */
const partsStamp = () => [project().own.digest, project().own.broken];

const sameBytes = (a: FileContent, b: FileContent): boolean =>
  typeof a === "object" && typeof b === "object" && a.equals(b);

const presetFile = /^(?:node_modules\/postern\/)?routes\/presets\//;

const reservedFiles = ["consumers.yaml", "units.yaml"];

export const manifestFiles = (root: string): string[] => {
  const folder = path.join(root, "routes");
  if (!fs.existsSync(folder))
    throw Object.assign(new Error(`there is no folder routes/ in ${root}`), {
      remedy: "go to the project's folder, or give --root; npx postern init begins a project",
    });
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((it) => !it.name.startsWith(".") && !it.isDirectory())
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".yaml") && !name.endsWith(".test.yaml") && !reservedFiles.includes(name))
    .sort()
    .map((name) => `routes/${name}`);
};
