/** One reading of one file: values put in, schemas asked, problems gathered. */
import type { Environment } from "../../../functions/manifest/environment.ts";
import type { Path } from "../../diagnostics/locate.ts";
import { problemsOf } from "../../diagnostics/schema-issues.ts";
import type { Source } from "../../diagnostics/source.ts";
import type { Named } from "../model/checked.ts";
import { salvage } from "../model/salvage.ts";
import type { Reading } from "./parts.ts";
import { substitute } from "./variables.ts";

export interface Opened extends Reading {
  /** With the environment's values in it. */
  readonly value: unknown;
  /** Names of values that it asks for. */
  readonly asked: ReadonlySet<string>;
  /** False where it asks for a value that is broken in the environment's own file. */
  readonly whole: boolean;
}

export const open = (source: Source, environment: Named<Environment>): Opened => {
  const { value, problems, unknown, asked } = substitute(source, environment);
  const found = [...problems];
  // What a variable stands for that is not there cannot be judged, and has been reported.
  const unjudged = new Set([...problems, ...unknown].map(({ line, column }) => `${line}:${column}`));
  const known = ({ path }: { readonly path: Path }, at: Path): boolean => {
    if (unjudged.size === 0) return true;
    const { line, column } = source.related([...at, ...path], "");
    return !unjudged.has(`${line}:${column}`);
  };
  return {
    source,
    found,
    value,
    asked,
    whole: unknown.length === 0,
    parse: (schema, part, at, noun, standIn) => {
      const { value, broken, rounds } = salvage(schema, part, standIn);
      const file = environment.file;
      for (const round of rounds) {
        const issues = round.filter((issue) => known(issue, at));
        found.push(...problemsOf(issues, { source, at, value: part, schema, noun, environment: file }));
      }
      return { value, broken };
    },
  };
};
