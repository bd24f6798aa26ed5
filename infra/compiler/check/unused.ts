/** What stands beside the manifests and is asked for by none of them. */

import type { Problem } from "../../diagnostics/problem.ts";
import { bindingsOf } from "../lower/platform.ts";
import type { CheckedTier } from "../model/checked.ts";
import { touches } from "../model/salvage.ts";
import type { Verdict } from "./check.ts";
import type { Presets, Shared } from "./shared-files.ts";

/** Told only where every manifest could be read: a broken one may well be the one that asks. */
export const unused = (
  { surrounding: environment, source }: Shared,
  { presets, asked }: Presets,
  verdicts: readonly Verdict[],
  tiers: readonly CheckedTier[],
): Problem[] => {
  if (verdicts.some((it) => !it.asked)) return [];
  const all = verdicts.flatMap(({ problems }) => problems.map(({ code }) => code));
  // A misspelt name may well be meant for what nobody asks for.
  const astray = (codes: readonly string[]): boolean => all.some((code) => codes.includes(code));
  const values = new Set([...asked, ...verdicts.flatMap((it) => [...(it.asked ?? [])])]);
  const remedy = "remove it";
  const idle = (
    source_: typeof source,
    group: "values" | "kv",
    used: ReadonlySet<string>,
    message: (key: string) => string,
  ) =>
    Object.keys(environment.value[group])
      .filter((key) => !used.has(key) && !touches(environment.broken ?? [], group, key))
      .flatMap(
        (key) =>
          source_?.problem([group], group === "kv" ? "unused-namespace" : "unused-value", message(key), {
            key,
            remedy,
          }) ?? [],
      );
  const whole = tiers.length === verdicts.length;
  const namespaces = new Set(tiers.flatMap(bindingsOf).flatMap((it) => (it.kind === "kv" ? [it.namespace] : [])));
  if (environment.value.control) namespaces.add("feed");
  const named = new Set(verdicts.map(({ preset }) => preset));
  const presetIsAstray =
    astray(["unknown-preset"]) || verdicts.some(({ partial }) => !partial || touches(partial.broken, "preset"));
  return [
    ...(astray(["unknown-variable", "partial-variable"])
      ? []
      : idle(source, "values", values, (key) => `no manifest asks for \${${key}}`)),
    ...(whole ? idle(source, "kv", namespaces, (key) => `no part needs the namespace "${key}"`) : []),
    ...[...presets].flatMap(([name, preset]) =>
      preset && !presetIsAstray && !named.has(name)
        ? [preset.source.problem(["preset"], "unused-preset", `no tier has the preset "${name}"`, { remedy })]
        : [],
    ),
  ];
};
