/** Reads presets: those of the project, then those that come with Postern. */
import path from "node:path";
import { preset } from "../../../functions/manifest/manifest.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import { readProjectFile, type Source, sourceOf } from "../../diagnostics/source.ts";
import { yamlNames } from "../../project/files.ts";
import { codeRoot } from "../../project/generated-files.ts";
import type { Registry } from "../../project/registry.ts";
import type { CheckedPreset } from "../model/checked.ts";
import { isBroken, type StandIn } from "../model/salvage.ts";
import { openFile } from "./parse.ts";
import { entriesOf, filtersOf } from "./parts.ts";
import type { EnvironmentResult } from "./shared-files.ts";

const folder = "routes/presets";

export interface PresetFile {
  readonly name: string;
  /** It comes with Postern, so a project that does not use it has no problem. */
  readonly isBuiltIn: boolean;
  /** Undefined if the file cannot be read as a preset. */
  readonly checked: CheckedPreset | undefined;
  readonly usedVariables: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

export interface Presets {
  /** Those of the project. */
  readonly own: readonly PresetFile[];
  /** Names of all that a manifest can use. */
  readonly names: readonly string[];
  /** Reads a built-in preset when it is first used. */
  readonly find: (name: string) => PresetFile | undefined;
  /** The texts of the project's presets, to detect changes. */
  readonly texts: string;
}

/** A project's preset replaces the built-in one of the same name. */
export const readPresets = (
  root: string,
  environment: EnvironmentResult["partialEnvironment"],
  registry: Registry,
): Presets => {
  const sources = yamlNames(root, folder).map((name) => readPreset(name, root, false));
  const own = sources.map((it) => checkPreset(it, environment, registry));
  const known = new Map(own.map((it) => [it.name, it]));
  const builtIn = path.resolve(root) === codeRoot ? [] : yamlNames(codeRoot, folder).filter((name) => !known.has(name));
  return {
    own,
    names: [...known.keys(), ...builtIn],
    find: (name) => {
      if (!known.has(name) && builtIn.includes(name))
        known.set(name, checkPreset(readPreset(name, codeRoot, true), environment, registry));
      return known.get(name);
    },
    texts: JSON.stringify(sources.map(({ name, source }) => [name, source.text])),
  };
};

interface ReadPreset {
  readonly name: string;
  readonly isBuiltIn: boolean;
  readonly source: Source;
}

/** A built-in preset is named by its place in a project's packages, wherever this code runs from. */
const readPreset = (name: string, root: string, isBuiltIn: boolean): ReadPreset => {
  const file = `${folder}/${name}.yaml`;
  const source = sourceOf(isBuiltIn ? `node_modules/postern/${file}` : file, readProjectFile(root, file));
  return { name, isBuiltIn, source };
};

const checkPreset = (
  { name, isBuiltIn, source }: ReadPreset,
  environment: EnvironmentResult["partialEnvironment"],
  registry: Registry,
): PresetFile => {
  if (source.problems.length > 0)
    return { name, isBuiltIn, checked: undefined, usedVariables: new Set(), problems: source.problems };
  const context = openFile(source, environment);
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
  const isValid = context.problems.length === 0;
  return {
    name,
    isBuiltIn,
    checked: value && { name, source, filters, isBuiltIn, isValid },
    usedVariables: context.usedVariables,
    problems: context.problems,
  };
};

/** The presets whose problems count: those of the project, and the built-in ones that a manifest names. */
export const presetsInUse = (
  { own, find }: Presets,
  manifests: readonly { readonly preset?: string }[],
): readonly PresetFile[] => [
  ...new Set([...own, ...manifests.flatMap(({ preset }) => (preset === undefined ? [] : (find(preset) ?? [])))]),
];
