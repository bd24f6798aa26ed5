/** The compiler in one look: read → put values in → check → lower. Pure but for reading files; `emit.ts` writes. */
import fs from "node:fs";
import path from "node:path";
import { consumers, type Environment, environment } from "../../functions/gateway/config.ts";
import type { FrontPlan, Plan } from "../../functions/gateway/plan.ts";
import * as registry from "../registry.ts";
import { check } from "./check.ts";
import type { CheckedTier, Named } from "./checked.ts";
import { problemsOf } from "./issues.ts";
import { lower, lowerFront } from "./lower.ts";
import { inOrder, type Problem } from "./problem.ts";
import { read } from "./read.ts";
import { tiersCollide } from "./tiers.ts";

export interface Compiled {
  /** Of all files, in a stable order. */
  readonly problems: readonly Problem[];
  /** How many manifests were read, and how many of them have a problem. */
  readonly read: number;
  readonly broken: number;
  readonly environment: Named<Environment>;
  /** The tiers that hold, and the last good state of those that do not; one tier's problem is no other's. */
  readonly tiers: readonly CompiledTier[];
  /** A file that all tiers share is broken, and has no good state. */
  readonly sharedBroken: boolean;
  /** Manifests that have no good state. */
  readonly missing: readonly string[];
  /** Knows every tier above. */
  readonly front: FrontPlan;
  readonly consumers: readonly Consumer[];
}

export interface CompiledTier {
  readonly checked: CheckedTier;
  readonly plan: Plan;
}

/** One entry of the consumers' KV namespace. */
export interface Consumer {
  readonly key: string;
  readonly value: string;
}

/**
 * @param root the project's folder, with `routes/` in it
 * @param name of the environment: `routes/environments/<name>.yaml`
 * @param before an earlier result, whose tiers stand in for manifests that are broken now
 */
export const compile = (root: string, name: string, before?: Compiled): Compiled => {
  const files = manifestFiles(root);
  const load = (file: string) => read(file, fs.readFileSync(path.join(root, file), "utf8"));
  const surroundings = readEnvironment(root, name, load, before);
  const people = readConsumers(root, load, before);
  const verdicts = files.map((file) => check(load(file), registry, surroundings.environment));
  const holding = verdicts.flatMap(({ tier }) => tier ?? []);
  const collisions = tiersCollide(holding);
  const good = holding.filter(({ source }) => !collisions.some(({ file }) => file === source.file));
  const tiers = files.flatMap((file): CompiledTier[] => {
    const checked = good.find(({ source }) => source.file === file);
    if (checked) return [{ checked, plan: lower(checked, name) }];
    return before?.tiers.filter((it) => it.checked.source.file === file) ?? [];
  });
  const own = [...verdicts.flatMap(({ problems }) => problems), ...collisions];
  return {
    problems: inOrder([...surroundings.problems, ...people.problems, ...own]),
    read: files.length,
    broken: new Set(own.map(({ file }) => file)).size,
    environment: surroundings.environment,
    tiers,
    sharedBroken: before === undefined && surroundings.problems.length + people.problems.length > 0,
    missing: files.filter((file) => !tiers.some(({ checked }) => checked.source.file === file)),
    front: lowerFront(
      tiers.map(({ checked }) => checked),
      surroundings.environment,
    ),
    consumers: people.entries,
  };
};

type Load = (file: string) => ReturnType<typeof read>;

const reserved = ["consumers.yaml", "units.yaml"];

export const manifestFiles = (root: string): string[] => {
  const folder = path.join(root, "routes");
  if (!fs.existsSync(folder))
    throw new Error(`there is no folder routes/ in ${root}; go to the project's folder, or give --root`);
  return fs
    .readdirSync(folder)
    .filter((name) => !name.startsWith(".") && fs.statSync(path.join(folder, name)).isFile())
    .filter((name) => name.endsWith(".yaml") && !name.endsWith(".test.yaml") && !reserved.includes(name))
    .sort()
    .map((name) => `routes/${name}`);
};

const environmentFile = (name: string): string => `routes/environments/${name}.yaml`;

/** A broken one is what it was before, so that a slip of the pen changes nothing that runs. */
const readEnvironment = (root: string, name: string, load: Load, before: Compiled | undefined) => {
  const file = environmentFile(name);
  const schema = environment();
  const last: Named<Environment> = before?.environment ?? { name, file, value: schema.parse({}) };
  if (!fs.existsSync(path.join(root, file))) {
    const known = fs.existsSync(path.join(root, "routes/environments"))
      ? fs.readdirSync(path.join(root, "routes/environments"))
      : [];
    throw new Error(
      `there is no ${file}; the environments are ${known.map((it) => it.replace(/\.yaml$/, "")).join(", ") || "none yet"}`,
    );
  }
  const source = load(file);
  if (source.problems.length > 0) return { environment: last, problems: source.problems };
  const result = schema.safeParse(source.value ?? {});
  if (result.success) return { environment: { name, file, value: result.data }, problems: [] };
  const asked = { source, at: [], value: source.value, schema, noun: "the environment", environment: file };
  return { environment: last, problems: problemsOf(result.error.issues, asked) };
};

const readConsumers = (root: string, load: Load, before: Compiled | undefined) => {
  const file = "routes/consumers.yaml";
  const last = before?.consumers ?? [];
  if (!fs.existsSync(path.join(root, file))) return { entries: [], problems: [] };
  const source = load(file);
  if (source.problems.length > 0) return { entries: last, problems: source.problems };
  const schema = consumers();
  const result = schema.safeParse(source.value);
  if (!result.success) {
    const asked = { source, at: [], value: source.value, schema, noun: "the file of consumers", environment: file };
    return { entries: last, problems: problemsOf(result.error.issues, asked) };
  }
  const entries = Object.entries(result.data.consumers).flatMap(([id, { labels, keys }]) =>
    keys.map((key): Consumer => ({ key: key.replace("sha256:", "key/"), value: JSON.stringify({ id, labels }) })),
  );
  return { entries: entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)), problems: [] };
};
