/** Reads the files that tiers share: environments, presets and consumers. */
import fs from "node:fs";
import path from "node:path";
import { stepsProblem, watchProblem } from "../../../functions/control/model/release.ts";
import { consumers, type Environment, environment } from "../../../functions/manifest/environment.ts";
import { preset } from "../../../functions/manifest/manifest.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import { problemsFromIssues } from "../../diagnostics/schema-issues.ts";
import { readProjectFile, type Source, sourceOf } from "../../diagnostics/source.ts";
import type { Registry } from "../../project/registry.ts";
import type { CheckedPreset, CheckInputs, NamedFile } from "../model/checked.ts";
import { isBroken, type StandIn, salvage } from "../model/salvage.ts";
import { openFile } from "./parse.ts";
import { entriesOf, filtersOf } from "./parts.ts";

/** Created once, at the first file, since creating a schema takes longer than using it. */
let schemas:
  | { readonly environment: ReturnType<typeof environment>; readonly consumers: ReturnType<typeof consumers> }
  | undefined;
const schemasOfFiles = () => (schemas ??= { environment: environment(), consumers: consumers() });

const readSource = (root: string, file: string): Source => sourceOf(file, readProjectFile(root, file));

/** One entry of the consumers' KV namespace. */
export interface Consumer {
  readonly key: string;
  readonly value: string;
}

/** The last valid state, used instead of a file that is broken now. */
interface LastGood {
  readonly environment: NamedFile<Environment>;
  readonly consumers: readonly Consumer[];
}

export interface EnvironmentResult {
  readonly environment: NamedFile<Environment>;
  /** The valid part, for checking manifests. */
  readonly partialEnvironment: CheckInputs["environment"];
  /** The file's source; undefined if it is not YAML, or if the last valid state is used instead. */
  readonly source: Source | undefined;
  readonly problems: readonly Problem[];
}

const environmentsFolder = "routes/environments";

/** The names of all environments, in order. */
export const environmentNames = (root: string): string[] => fileNames(root, environmentsFolder);

const fileNames = (root: string, folder: string): string[] => {
  const whole = path.join(root, folder);
  if (!fs.existsSync(whole)) return [];
  const files = fs.readdirSync(whole, { withFileTypes: true });
  return files
    .filter((it) => !it.isDirectory() && it.name.endsWith(".yaml") && !it.name.startsWith("."))
    .map((it) => it.name.replace(/\.yaml$/, ""))
    .sort();
};

/**
 * A broken environment keeps its last valid state, so that a typo changes nothing that runs.
 * @throws if there is no such environment
 */
export const readEnvironment = (root: string, name: string, lastGood: LastGood | undefined): EnvironmentResult => {
  const known = environmentNames(root);
  if (!known.includes(name))
    throw new Error(
      `there is no environment "${name}"; the files of ${environmentsFolder} are ${known.map((it) => `${it}.yaml`).join(", ") || "none yet"}`,
    );
  const file = `${environmentsFolder}/${name}.yaml`;
  const schema = schemasOfFiles().environment;
  const fallback: NamedFile<Environment> = lastGood?.environment ?? { name, file, value: schema.parse({}) };
  const source = readSource(root, file);
  if (source.problems.length > 0) {
    const partialEnvironment = lastGood ? fallback : { ...fallback, broken: [[]] };
    return { environment: fallback, partialEnvironment, source: undefined, problems: source.problems };
  }
  const { value, broken, rounds } = salvage(schema, source.value ?? {});
  if (rounds.length === 0 && value) {
    const environment = { name, file, value };
    const problems = checkFrontRelease(source, value);
    // The last valid state stays in use.
    if (problems.length > 0 && lastGood)
      return { environment: fallback, partialEnvironment: fallback, source: undefined, problems };
    return { environment, partialEnvironment: environment, source, problems };
  }
  const context = { source, at: [], value: source.value, schema, noun: "the environment", environment: file };
  const problems = rounds.flatMap((issues) => problemsFromIssues(issues, context));
  // The last valid state stays in use.
  if (lastGood) return { environment: fallback, partialEnvironment: fallback, source: undefined, problems };
  return {
    environment: fallback,
    partialEnvironment: { name, file, value: value ?? fallback.value, broken },
    source,
    problems,
  };
};

/** The steps, the watch and the queries of the front's release, as a tier's are checked. */
const checkFrontRelease = (source: Source, { front: { release }, control }: Environment): Problem[] => {
  const at = ["front", "release"];
  const unfit = stepsProblem(release.steps);
  const watch = watchProblem(release);
  const [query] = Object.keys(release.queries);
  return [
    ...(unfit
      ? [source.problem([...at, "steps", unfit.at], "release-steps", unfit.why, { remedy: unfit.remedy })]
      : []),
    ...(watch ? [source.problem([...at, "watch"], "release-watch", watch.why, { remedy: watch.remedy })] : []),
    ...(query !== undefined && control && control.prometheus === undefined
      ? [
          source.problem([...at, "queries", query], "query-unanswered", "`control` names no Prometheus to answer it", {
            remedy: "name one: control: { prometheus: https://… }",
          }),
        ]
      : []),
  ];
};

export const consumersFile = "routes/consumers.yaml";

export const readConsumers = (
  root: string,
  lastGood: LastGood | undefined,
): { readonly entries: readonly Consumer[]; readonly problems: readonly Problem[] } => {
  const file = consumersFile;
  const fallback = lastGood?.consumers ?? [];
  if (!fs.existsSync(path.join(root, file))) return { entries: [], problems: [] };
  const source = readSource(root, file);
  if (source.problems.length > 0) return { entries: fallback, problems: source.problems };
  const schema = schemasOfFiles().consumers;
  const { value, broken, rounds } = salvage(schema, source.value, consumersStandIn);
  const context = { source, at: [], value: source.value, schema, noun: "the file of consumers", environment: file };
  const invalid = rounds.flatMap((issues) => problemsFromIssues(issues, context));
  const all = Object.entries(value?.consumers ?? {}).flatMap(([id, { labels, keys }]) =>
    keys.flatMap((key, index) =>
      isBroken(broken, "consumers", id, "keys", index) ? [] : [{ id, labels, key, index }],
    ),
  );
  const owners = new Map<string, (typeof all)[number]>();
  const problems = all.flatMap((it) => {
    const owner = owners.get(it.key);
    owners.set(it.key, owner ?? it);
    if (!owner) return [];
    const related = [source.related(["consumers", owner.id, "keys", owner.index], `${owner.id} has it here`)];
    const options = { remedy: "give each consumer a key of its own", related };
    return [
      source.problem(["consumers", it.id, "keys", it.index], "duplicate-id", "this key is listed twice", options),
    ];
  });
  if (invalid.length + problems.length > 0) return { entries: fallback, problems: [...invalid, ...problems] };
  const entries = all.map(
    ({ id, labels, key }): Consumer => ({ key: key.replace("sha256:", "key/"), value: JSON.stringify({ id, labels }) }),
  );
  return { entries: entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)), problems: [] };
};

/** The placeholder for a broken key, so that the consumer's other keys can be checked. */
const consumersStandIn: StandIn = ([, , list, index, ...further]) =>
  list === "keys" && index !== undefined && further.length === 0 ? `sha256:${"0".repeat(64)}` : undefined;

export interface PresetsResult {
  /** The valid ones, by name; undefined for a broken one. */
  readonly presets: ReadonlyMap<string, CheckedPreset | undefined>;
  readonly usedVariables: ReadonlySet<string>;
  readonly problems: readonly Problem[];
  /** All texts, to detect changes. */
  readonly texts: string;
}

export const readPresets = (
  root: string,
  partialEnvironment: EnvironmentResult["partialEnvironment"],
  registry: Registry,
): PresetsResult => {
  const folder = "routes/presets";
  const presets = new Map<string, CheckedPreset | undefined>();
  const usedVariables = new Set<string>();
  const problems: Problem[] = [];
  const texts: string[] = [];
  for (const name of fileNames(root, folder)) {
    const source = readSource(root, `${folder}/${name}.yaml`);
    texts.push(name, source.text);
    problems.push(...source.problems);
    presets.set(name, undefined);
    if (source.problems.length > 0) continue;
    const context = openFile(source, partialEnvironment);
    const standIn: StandIn = ([key]) => ({ preset: name, summary: "unknown" })[String(key)];
    const { value, broken } = context.parse(preset(), context.value, [], "the preset", standIn);
    const entries = Object.fromEntries(entriesOf(context.value)).filters;
    const filterList = isBroken(broken, "filters") ? (entries ?? null) : entries;
    const filters = filtersOf(filterList, ["filters"], "", registry, context);
    if (value && value.preset !== name)
      context.problems.push(
        source.problem(["preset"], "file-name", `the preset "${value.preset}" is in ${source.file}`, {
          remedy: `name the file ${value.preset}.yaml`,
        }),
      );
    for (const it of context.usedVariables) usedVariables.add(it);
    problems.push(...context.problems);
    if (value) presets.set(name, { name, source, filters, isValid: context.problems.length === 0 });
  }
  return { presets, usedVariables, problems, texts: JSON.stringify(texts) };
};
