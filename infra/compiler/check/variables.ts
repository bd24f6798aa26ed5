/** Substitutes `${…}` by the environment's values. A variable is always a whole value, never part of a text. */

import type { Path } from "../../diagnostics/locate.ts";
import type { Problem, RelatedLocation } from "../../diagnostics/problem.ts";
import { choice } from "../../diagnostics/schema-issues.ts";
import type { Source } from "../../diagnostics/source.ts";
import type { CheckInputs } from "../model/checked.ts";
import { isBroken } from "../model/salvage.ts";

/** The valid part of the environment. */
type PartialEnvironment = CheckInputs["environment"];

export interface Substitution {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Locations of variables whose value is broken in the environment's file. */
  readonly unresolved: readonly RelatedLocation[];
  /** Names of all variables used, including undefined ones. */
  readonly usedVariables: ReadonlySet<string>;
}

export const substitute = (
  source: Source,
  { file, value: { values }, broken = [] }: PartialEnvironment,
): Substitution => {
  const problems: Problem[] = [];
  const unresolved: RelatedLocation[] = [];
  const usedVariables = new Set<string>();
  const walk = (value: unknown, at: Path): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...at, index]));
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, [...at, key])]));
    if (typeof value !== "string" || !value.includes("${")) return value;
    const name = /^\$\{([a-z0-9-]+)\}$/.exec(value)?.[1];
    if (name === undefined) {
      problems.push(
        source.problem(at, "partial-variable", `${JSON.stringify(value)} holds a variable and more`, {
          remedy: `a variable is a whole value: put the whole text into ${file} and write \${its-name}`,
        }),
      );
      return value;
    }
    usedVariables.add(name);
    if (Object.hasOwn(values, name)) return values[name];
    if (isBroken(broken, "values", name)) {
      unresolved.push(source.related(at, ""));
      return value;
    }
    problems.push(
      source.problem(at, "unknown-variable", `${file} has no value "${name}"`, {
        remedy: choice(name, Object.keys(values)) ?? `add "${name}" to its values`,
      }),
    );
    return value;
  };
  return { value: walk(source.value, []), problems, unresolved, usedVariables };
};
