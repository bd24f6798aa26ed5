/** Reads what tiers share: the environment, the presets, the consumers. */
import fs from "node:fs";
import path from "node:path";
import { consumers, type Environment, environment } from "../../../functions/manifest/environment.ts";
import { preset } from "../../../functions/manifest/manifest.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import { problemsOf } from "../../diagnostics/schema-issues.ts";
import { bytesOf, type Source, sourceOf } from "../../diagnostics/source.ts";
import type { Registry } from "../../project/registry.ts";
import type { CheckedPreset, Named, Surroundings } from "../model/checked.ts";
import { type StandIn, salvage, touches } from "../model/salvage.ts";
import { open } from "./parse.ts";
import { entriesOf, filtersOf } from "./parts.ts";

const load = (root: string, file: string): Source => sourceOf(file, bytesOf(root, file));

/** One entry of the consumers' KV namespace. */
export interface Consumer {
  readonly key: string;
  readonly value: string;
}

/** What stood before, in place of what is broken now. */
interface Before {
  readonly environment: Named<Environment>;
  readonly consumers: readonly Consumer[];
}

export interface Shared {
  readonly environment: Named<Environment>;
  /** As far as it holds, to check by. */
  readonly surrounding: Surroundings["environment"];
  /** As it is written; undefined where it is no YAML, and where an earlier one stands in for it. */
  readonly source: Source | undefined;
  readonly problems: readonly Problem[];
}

const environments = "routes/environments";

/** The names of all environments, in order. */
export const environmentNames = (root: string): string[] => namesIn(root, environments);

const namesIn = (root: string, folder: string): string[] => {
  const whole = path.join(root, folder);
  if (!fs.existsSync(whole)) return [];
  const files = fs.readdirSync(whole, { withFileTypes: true });
  return files
    .filter((it) => !it.isDirectory() && it.name.endsWith(".yaml") && !it.name.startsWith("."))
    .map((it) => it.name.replace(/\.yaml$/, ""))
    .sort();
};

/**
 * A broken one is what it was before, so that a slip of the pen changes nothing that runs.
 * @throws where there is no such environment
 */
export const readEnvironment = (root: string, name: string, before: Before | undefined): Shared => {
  const known = environmentNames(root);
  if (!known.includes(name))
    throw new Error(
      `there is no environment "${name}"; the files of ${environments} are ${known.map((it) => `${it}.yaml`).join(", ") || "none yet"}`,
    );
  const file = `${environments}/${name}.yaml`;
  const schema = environment();
  const last: Named<Environment> = before?.environment ?? { name, file, value: schema.parse({}) };
  const source = load(root, file);
  if (source.problems.length > 0) {
    const surrounding = before ? last : { ...last, broken: [[]] };
    return { environment: last, surrounding, source: undefined, problems: source.problems };
  }
  const { value, broken, rounds } = salvage(schema, source.value ?? {});
  if (rounds.length === 0 && value) {
    const environment = { name, file, value };
    return { environment, surrounding: environment, source, problems: [] };
  }
  const asked = { source, at: [], value: source.value, schema, noun: "the environment", environment: file };
  const problems = rounds.flatMap((issues) => problemsOf(issues, asked));
  // What has been sound before is what runs on.
  if (before) return { environment: last, surrounding: last, source: undefined, problems };
  return { environment: last, surrounding: { name, file, value: value ?? last.value, broken }, source, problems };
};

export const consumersFile = "routes/consumers.yaml";

export const readConsumers = (
  root: string,
  before: Before | undefined,
): { readonly entries: readonly Consumer[]; readonly problems: readonly Problem[] } => {
  const file = consumersFile;
  const last = before?.consumers ?? [];
  if (!fs.existsSync(path.join(root, file))) return { entries: [], problems: [] };
  const source = load(root, file);
  if (source.problems.length > 0) return { entries: last, problems: source.problems };
  const schema = consumers();
  const { value, broken, rounds } = salvage(schema, source.value, instead);
  const asked = { source, at: [], value: source.value, schema, noun: "the file of consumers", environment: file };
  const unread = rounds.flatMap((issues) => problemsOf(issues, asked));
  const all = Object.entries(value?.consumers ?? {}).flatMap(([id, { labels, keys }]) =>
    keys.flatMap((key, index) => (touches(broken, "consumers", id, "keys", index) ? [] : [{ id, labels, key, index }])),
  );
  const owners = new Map<string, (typeof all)[number]>();
  const problems = all.flatMap((it) => {
    const owner = owners.get(it.key);
    owners.set(it.key, owner ?? it);
    if (!owner) return [];
    const related = [source.related(["consumers", owner.id, "keys", owner.index], `${owner.id} has it here`)];
    const options = { remedy: "give each consumer a key of its own", related };
    return [
      source.problem(["consumers", it.id, "keys", it.index], "duplicate-id", "this key stands there twice", options),
    ];
  });
  if (unread.length + problems.length > 0) return { entries: last, problems: [...unread, ...problems] };
  const entries = all.map(
    ({ id, labels, key }): Consumer => ({ key: key.replace("sha256:", "key/"), value: JSON.stringify({ id, labels }) }),
  );
  return { entries: entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)), problems: [] };
};

/** In place of a broken key, so that the others of its consumer are known. */
const instead: StandIn = ([, , list, index, ...further]) =>
  list === "keys" && index !== undefined && further.length === 0 ? `sha256:${"0".repeat(64)}` : undefined;

export interface Presets {
  /** Those that hold, by name; undefined for one that is broken. */
  readonly presets: ReadonlyMap<string, CheckedPreset | undefined>;
  readonly asked: ReadonlySet<string>;
  readonly problems: readonly Problem[];
  /** Of all their texts, so that a change is noticed. */
  readonly texts: string;
}

export const readPresets = (root: string, surrounding: Shared["surrounding"], registry: Registry): Presets => {
  const folder = "routes/presets";
  const presets = new Map<string, CheckedPreset | undefined>();
  const asked = new Set<string>();
  const problems: Problem[] = [];
  const texts: string[] = [];
  for (const name of namesIn(root, folder)) {
    const source = load(root, `${folder}/${name}.yaml`);
    texts.push(name, source.text);
    problems.push(...source.problems);
    presets.set(name, undefined);
    if (source.problems.length > 0) continue;
    const reading = open(source, surrounding);
    const standIn: StandIn = ([key]) => ({ preset: name, summary: "unknown" })[String(key)];
    const { value, broken } = reading.parse(preset(), reading.value, [], "the preset", standIn);
    const entries = Object.fromEntries(entriesOf(reading.value)).filters;
    const listed = touches(broken, "filters") ? (entries ?? null) : entries;
    const filters = filtersOf(listed, ["filters"], "", registry, reading);
    if (value && value.preset !== name)
      reading.found.push(
        source.problem(["preset"], "file-name", `the preset "${value.preset}" stands in ${source.file}`, {
          remedy: `name the file ${value.preset}.yaml`,
        }),
      );
    for (const it of reading.asked) asked.add(it);
    problems.push(...reading.found);
    if (value) presets.set(name, { name, source, filters, whole: reading.found.length === 0 });
  }
  return { presets, asked, problems, texts: JSON.stringify(texts) };
};
