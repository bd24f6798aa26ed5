/** Reads the files that tiers share: environments and consumers. */
import fs from "node:fs";
import path from "node:path";
import { stepsProblem, watchProblem } from "../../../functions/control/model/release.ts";
import { consumers, type Environment, environment } from "../../../functions/manifest/environment.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import { problemsFromIssues } from "../../diagnostics/schema-issues.ts";
import { readProjectFile, type Source, sourceOf } from "../../diagnostics/source.ts";
import { yamlNames } from "../../project/files.ts";
import type { CheckInputs, NamedFile } from "../model/checked.ts";
import { isBroken, type StandIn, salvage } from "../model/salvage.ts";

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
export const environmentNames = (root: string): string[] => yamlNames(root, environmentsFolder);

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
