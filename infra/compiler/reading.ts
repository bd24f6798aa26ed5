/** One reading of one file: values put in, schemas asked, problems gathered. */
import type { Environment } from "../../functions/gateway/environment.ts";
import type { Named } from "./checked.ts";
import { problemsOf } from "./issues.ts";
import type { Path } from "./locate.ts";
import type { Reading } from "./parts.ts";
import type { Source } from "./read.ts";
import { substitute } from "./variables.ts";

export interface Opened extends Reading {
  /** With the environment's values in it. */
  readonly value: unknown;
  /** Names of values that it asks for. */
  readonly asked: ReadonlySet<string>;
}

export const open = (source: Source, environment: Named<Environment>): Opened => {
  const { value, problems, asked } = substitute(source, { file: environment.file, values: environment.value.values });
  const found = [...problems];
  // What a variable stands for that is not there cannot be judged, and has been reported.
  const unjudged = new Set(problems.map(({ line, column }) => `${line}:${column}`));
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
    parse: (schema, part, at, noun) => {
      const result = schema.safeParse(part);
      if (result.success) return result.data;
      const issues = result.error.issues.filter((issue) => known(issue, at));
      found.push(...problemsOf(issues, { source, at, value: part, schema, noun, environment: environment.file }));
      return undefined;
    },
  };
};
