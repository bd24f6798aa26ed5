/** The compiler in one look: read → put values in → check → lower. Pure but for reading files; `emit.ts` writes. */
import fs from "node:fs";
import path from "node:path";
import type { FrontPlan } from "../../functions/gateway/core/plan.ts";
import type { Environment } from "../../functions/manifest/environment.ts";
import { deduplicate, type Problem, sortDiagnostics } from "../diagnostics/problem.ts";
import { type FileContent, readProjectFile, sourceOf } from "../diagnostics/source.ts";
import { registry } from "../project/registry.ts";
import { type CheckResult, check } from "./check/check.ts";
import { type Consumer, readConsumers, readEnvironment, readPresets } from "./check/shared-files.ts";
import { checkCollisions } from "./check/tiers.ts";
import { checkUnused } from "./check/unused.ts";
import { checkSharedSize } from "./check/validations.ts";
import { createDocumentLoader, stampOf } from "./inputs/documents.ts";
import { createSchemaLoader } from "./inputs/schema-files.ts";
import { lowerTier, type Served } from "./lower/gates.ts";
import { lowerFront } from "./lower/lower.ts";
import type { CheckedTier, CheckInputs, NamedFile } from "./model/checked.ts";

export interface Compiled {
  /** Of all files, in a stable order. */
  readonly problems: readonly Problem[];
  /** How many manifests were read, which of them have a problem, and how many those are. */
  readonly read: number;
  readonly brokenFiles: readonly string[];
  readonly broken: number;
  readonly environment: NamedFile<Environment>;
  /** As far as it holds, to check by. */
  readonly partialEnvironment: CheckInputs["environment"];
  /** The tiers that hold, and the last good state of those that do not; one tier's problem is no other's. */
  readonly tiers: readonly CompiledTier[];
  /** A file that all tiers share is broken, and has no good state. */
  readonly sharedBroken: boolean;
  /** Manifests that have no good state. */
  readonly missing: readonly string[];
  /** Those of them whose tiers share a gate, or may: without these it would take them off the air. */
  readonly missingShared: readonly string[];
  /** Knows every tier above. */
  readonly front: FrontPlan;
  readonly consumers: readonly Consumer[];
  /** What was read, so that a file that has not changed is not checked again. */
  readonly cache: CompileCache;
}

/** Verdicts by file; they hold while what the tiers share is the same. */
export interface CompileCache {
  readonly shared: string;
  readonly files: ReadonlyMap<string, { readonly bytes: FileContent; readonly result: CheckResult }>;
}

export interface CompiledTier {
  readonly checked: CheckedTier;
  /** What its gates serve: its own first, then those of its lifted routes. */
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
    presets: presets.presets,
    documents: createDocumentLoader(root),
    schemas: createSchemaLoader(root),
  };
  const cache = checkWithCache(root, files, inputs, presets.texts, previous?.cache);
  const results = files.map((file) => cache.files.get(file)?.result as CheckResult);
  const validTiers = results.flatMap(({ tier }) => tier ?? []);
  const collisions = [...checkCollisions(validTiers), ...checkSharedSize(validTiers)];
  const collidingFiles = new Set(collisions.map(({ file }) => file));
  // A tier that is broken takes nobody off the air; that it would collide is said all the same.
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
    // A preset's filter stands in many tiers; what is wrong with it is told once.
    ...deduplicate(results, ({ problems }) => problems.map((it) => [presetFile.test(it.file) ? "" : it.message, it])),
    ...collisions,
    ...partialCollisions,
  ];
  const reportedFiles = new Set([...collisions, ...partialCollisions].map(({ file }) => file));
  const brokenFiles = files.filter((file) => reportedFiles.has(file) || cache.files.get(file)?.result.problems.length);
  const missing = files.filter((file) => !tiers.some(({ checked }) => checked.source.file === file));
  const sharedProblems = [...shared.problems, ...consumers.problems];
  const unsharedProblems = [...presets.problems, ...checkUnused(shared, presets, results, validTiers)];
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

/** Reads every manifest, and checks those that are new or that stand among other things than before. */
const checkWithCache = (
  root: string,
  files: readonly string[],
  inputs: CheckInputs,
  presets: string,
  previous: CompileCache | undefined,
): CompileCache => {
  const shared = JSON.stringify([inputs.environment, presets, stampOf(root)]);
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

const sameBytes = (a: FileContent, b: FileContent): boolean =>
  typeof a === "object" && typeof b === "object" && a.equals(b);

const presetFile = /^routes\/presets\//;

const reservedFiles = ["consumers.yaml", "units.yaml"];

export const manifestFiles = (root: string): string[] => {
  const folder = path.join(root, "routes");
  if (!fs.existsSync(folder))
    throw new Error(`there is no folder routes/ in ${root}; go to the project's folder, or give --root`);
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((it) => !it.name.startsWith(".") && !it.isDirectory())
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".yaml") && !name.endsWith(".test.yaml") && !reservedFiles.includes(name))
    .sort()
    .map((name) => `routes/${name}`);
};
