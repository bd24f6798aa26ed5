/** Puts the environment's values in place of `${…}`. A variable is a whole value, so no text is ever glued together. */
import { choice } from "./issues.ts";
import type { Path } from "./locate.ts";
import type { Problem } from "./problem.ts";
import type { Source } from "./read.ts";

export interface Values {
  /** The file they come from: `routes/environments/local.yaml`. */
  readonly file: string;
  readonly values: Readonly<Record<string, string | readonly string[]>>;
}

export interface Substituted {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Names of the values that were asked for, also those that are not there. */
  readonly asked: ReadonlySet<string>;
}

export const substitute = (source: Source, { file, values }: Values): Substituted => {
  const problems: Problem[] = [];
  const asked = new Set<string>();
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
    asked.add(name);
    if (Object.hasOwn(values, name)) return values[name];
    problems.push(
      source.problem(at, "unknown-variable", `${file} has no value "${name}"`, {
        remedy: choice(name, Object.keys(values)) ?? `add "${name}" to its values`,
      }),
    );
    return value;
  };
  return { value: walk(source.value, []), problems, asked };
};
