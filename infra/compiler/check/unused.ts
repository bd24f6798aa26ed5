/** Reports values, namespaces and presets that no manifest uses. */

import type { Problem } from "../../diagnostics/problem.ts";
import { requiredBindings } from "../lower/platform.ts";
import type { CheckedTier } from "../model/checked.ts";
import { isBroken } from "../model/salvage.ts";
import type { CheckResult } from "./check.ts";
import type { PresetFile } from "./presets.ts";
import type { EnvironmentResult } from "./shared-files.ts";

/** Reported only if every manifest could be read, since a broken one may be the user. */
export const checkUnused = (
  { partialEnvironment: environment, source }: EnvironmentResult,
  presets: readonly PresetFile[],
  results: readonly CheckResult[],
  tiers: readonly CheckedTier[],
): Problem[] => {
  if (results.some((it) => !it.usedVariables)) return [];
  const all = results.flatMap(({ problems }) => problems.map(({ code }) => code));
  // A misspelt name may refer to the unused item.
  const hasProblem = (codes: readonly string[]): boolean => all.some((code) => codes.includes(code));
  const usedValues = new Set([...presets, ...results].flatMap((it) => [...(it.usedVariables ?? [])]));
  const remedy = "remove it";
  const unusedKeys = (
    source_: typeof source,
    group: "values" | "kv",
    used: ReadonlySet<string>,
    message: (key: string) => string,
  ) =>
    Object.keys(environment.value[group])
      .filter((key) => !used.has(key) && !isBroken(environment.broken ?? [], group, key))
      .flatMap(
        (key) =>
          source_?.problem([group], group === "kv" ? "unused-namespace" : "unused-value", message(key), {
            key,
            remedy,
          }) ?? [],
      );
  const areAllValid = tiers.length === results.length;
  const namespaces = new Set(tiers.flatMap(requiredBindings).flatMap((it) => (it.kind === "kv" ? [it.namespace] : [])));
  if (environment.value.control) namespaces.add("feed");
  const usedPresets = new Set(results.map(({ preset }) => preset));
  const isPresetUncertain =
    hasProblem(["unknown-preset"]) || results.some(({ partial }) => !partial || isBroken(partial.broken, "preset"));
  return [
    ...(hasProblem(["unknown-variable", "partial-variable"])
      ? []
      : unusedKeys(source, "values", usedValues, (key) => `no manifest uses \${${key}}`)),
    ...(areAllValid ? unusedKeys(source, "kv", namespaces, (key) => `no part needs the namespace "${key}"`) : []),
    ...presets.flatMap(({ name, checked }) =>
      checked && !isPresetUncertain && !usedPresets.has(name)
        ? [checked.source.problem(["preset"], "unused-preset", `no tier uses the preset "${name}"`, { remedy })]
        : [],
    ),
  ];
};
