/** Opens one file for checking: substitutes environment values, parses by schema, collects problems. */
import type { Environment } from "../../../functions/manifest/environment.ts";
import type { Path } from "../../diagnostics/locate.ts";
import { problemsFromIssues } from "../../diagnostics/schema-issues.ts";
import type { Source } from "../../diagnostics/source.ts";
import type { NamedFile } from "../model/checked.ts";
import { salvage } from "../model/salvage.ts";
import type { ParseContext } from "./parts.ts";
import { substitute } from "./variables.ts";

export interface OpenedFile extends ParseContext {
  /** The file's value, with variables substituted. */
  readonly value: unknown;
  /** Names of the environment's values that it uses. */
  readonly usedVariables: ReadonlySet<string>;
  /** False if it uses a value that is broken in the environment's file. */
  readonly isComplete: boolean;
}

export const openFile = (source: Source, environment: NamedFile<Environment>): OpenedFile => {
  const { value, problems, unresolved, usedVariables } = substitute(source, environment);
  const found = [...problems];
  // A variable without a value has been reported already, so issues at its location are skipped.
  const skippedPlaces = new Set([...problems, ...unresolved].map(({ line, column }) => `${line}:${column}`));
  const isResolved = ({ path }: { readonly path: Path }, at: Path): boolean => {
    if (skippedPlaces.size === 0) return true;
    const { line, column } = source.related([...at, ...path], "");
    return !skippedPlaces.has(`${line}:${column}`);
  };
  return {
    source,
    problems: found,
    value,
    usedVariables,
    isComplete: unresolved.length === 0,
    parse: (schema, part, at, noun, standIn) => {
      const { value, broken, rounds } = salvage(schema, part, standIn);
      const file = environment.file;
      for (const round of rounds) {
        const issues = round.filter((issue) => isResolved(issue, at));
        found.push(...problemsFromIssues(issues, { source, at, value: part, schema, noun, environment: file }));
      }
      return { value, broken };
    },
  };
};
