/** The compiler in one look: read → put values in → check → lower. Pure but for reading files; `emit.ts` writes. */
import fs from "node:fs";
import path from "node:path";
import type { FrontPlan } from "../../functions/gateway/core/plan.ts";
import type { Environment } from "../../functions/manifest/environment.ts";
import { inOrder, once, type Problem } from "../diagnostics/problem.ts";
import { type Bytes, bytesOf, sourceOf } from "../diagnostics/source.ts";
import { registry } from "../project/registry.ts";
import { check, type Verdict } from "./check/check.ts";
import { type Consumer, readConsumers, readEnvironment, readPresets } from "./check/shared-files.ts";
import { tiersCollide } from "./check/tiers.ts";
import { unused } from "./check/unused.ts";
import { sharedTooLarge } from "./check/validations.ts";
import { documentsOf, stampOf } from "./inputs/documents.ts";
import { schemaFilesOf } from "./inputs/schema-files.ts";
import { lowered, type Served } from "./lower/gates.ts";
import { lowerFront } from "./lower/lower.ts";
import type { CheckedTier, Named, Surroundings } from "./model/checked.ts";

export interface Compiled {
  /** Of all files, in a stable order. */
  readonly problems: readonly Problem[];
  /** How many manifests were read, which of them have a problem, and how many those are. */
  readonly read: number;
  readonly brokenFiles: readonly string[];
  readonly broken: number;
  readonly environment: Named<Environment>;
  /** As far as it holds, to check by. */
  readonly surrounding: Surroundings["environment"];
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
  readonly memory: Memory;
}

/** Verdicts by file; they hold while what the tiers share is the same. */
export interface Memory {
  readonly shared: string;
  readonly files: ReadonlyMap<string, { readonly bytes: Bytes; readonly verdict: Verdict }>;
}

export interface CompiledTier {
  readonly checked: CheckedTier;
  /** What its gates serve: its own first, then those of its lifted routes. */
  readonly serves: readonly Served[];
}

/**
 * @param root the project's folder, with `routes/` in it
 * @param name of the environment: `routes/environments/<name>.yaml`
 * @param before an earlier result: its tiers stand in for manifests that are broken now, and what it read is not checked again
 */
export const compile = (root: string, name: string, before?: Compiled): Compiled => {
  const files = manifestFiles(root);
  const shared = readEnvironment(root, name, before);
  const { environment } = shared;
  const presets = readPresets(root, shared.surrounding, registry);
  const people = readConsumers(root, before);
  const surroundings = {
    registry,
    environment: shared.surrounding,
    presets: presets.presets,
    documents: documentsOf(root),
    schemas: schemaFilesOf(root),
  };
  const memory = remembering(root, files, surroundings, presets.texts, before?.memory);
  const verdicts = files.map((file) => memory.files.get(file)?.verdict as Verdict);
  const holding = verdicts.flatMap(({ tier }) => tier ?? []);
  const collisions = [...tiersCollide(holding), ...sharedTooLarge(holding)];
  const colliding = new Set(collisions.map(({ file }) => file));
  // A tier that is broken takes nobody off the air; that it would collide is said all the same.
  const likely = tiersCollide(verdicts.flatMap(({ partial }) => partial ?? []));
  const good = new Map(holding.flatMap((tier) => (colliding.has(tier.source.file) ? [] : [[tier.source.file, tier]])));
  const last = new Map(before?.tiers.map((it) => [it.checked.source.file, it]));
  const tiers = files.flatMap((file): CompiledTier[] => {
    const checked = good.get(file);
    const known = last.get(file);
    if (!checked) return known ? [known] : [];
    return [known?.checked === checked ? known : { checked, serves: lowered(checked, name) }];
  });
  const own = [
    // A preset's filter stands in many tiers; what is wrong with it is told once.
    ...once(verdicts, ({ problems }) => problems.map((it) => [presetFile.test(it.file) ? "" : it.message, it])),
    ...collisions,
    ...likely,
  ];
  const reported = new Set([...collisions, ...likely].map(({ file }) => file));
  const brokenFiles = files.filter((file) => reported.has(file) || memory.files.get(file)?.verdict.problems.length);
  const missing = files.filter((file) => !tiers.some(({ checked }) => checked.source.file === file));
  const mustHold = [...shared.problems, ...people.problems];
  const loose = [...presets.problems, ...unused(shared, presets, verdicts, holding)];
  return {
    problems: inOrder([...mustHold, ...loose, ...own]),
    read: files.length,
    brokenFiles,
    broken: brokenFiles.length,
    environment,
    surrounding: shared.surrounding,
    tiers,
    sharedBroken: before === undefined && mustHold.length > 0,
    missing,
    missingShared: missing.filter((file) => memory.files.get(file)?.verdict.isolation !== "tier"),
    front: lowerFront(
      tiers.map(({ checked }) => checked),
      environment,
    ),
    consumers: people.entries,
    memory,
  };
};

/** Reads every manifest, and checks those that are new or that stand among other things than before. */
const remembering = (
  root: string,
  files: readonly string[],
  surroundings: Surroundings,
  presets: string,
  before: Memory | undefined,
): Memory => {
  const shared = JSON.stringify([surroundings.environment, presets, stampOf(root)]);
  const known = before?.shared === shared ? before.files : undefined;
  return {
    shared,
    files: new Map(
      files.map((file) => {
        const bytes = bytesOf(root, file);
        const last = known?.get(file);
        if (last && sameBytes(last.bytes, bytes)) return [file, last];
        return [file, { bytes, verdict: check(sourceOf(file, bytes), surroundings) }];
      }),
    ),
  };
};

const sameBytes = (a: Bytes, b: Bytes): boolean => typeof a === "object" && typeof b === "object" && a.equals(b);

const presetFile = /^routes\/presets\//;

const reserved = ["consumers.yaml", "units.yaml"];

export const manifestFiles = (root: string): string[] => {
  const folder = path.join(root, "routes");
  if (!fs.existsSync(folder))
    throw new Error(`there is no folder routes/ in ${root}; go to the project's folder, or give --root`);
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((it) => !it.name.startsWith(".") && !it.isDirectory())
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".yaml") && !name.endsWith(".test.yaml") && !reserved.includes(name))
    .sort()
    .map((name) => `routes/${name}`);
};
