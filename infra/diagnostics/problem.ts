/** Problems: what is wrong, where, and the remedy. */
import type { ProblemCode } from "./codes.ts";

export interface SourceLocation {
  /** Relative to the project: `routes/wallet.yaml`. */
  readonly file: string;
  /** From 1; the column counts UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** Of the marked text, on its first line. */
  readonly length: number;
  /** The line of the file, for the caret. */
  readonly source: string;
}

/** A message at a source location. */
export interface Diagnostic extends SourceLocation {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  /** Other locations that matter, such as the route that hides this one. */
  readonly related?: readonly RelatedLocation[];
}

export interface Problem extends Diagnostic {
  readonly code: ProblemCode;
}

export interface RelatedLocation extends SourceLocation {
  readonly message: string;
}

/** Sorts by file, position and code, and removes duplicates. */
export const sortDiagnostics = <R extends Diagnostic>(remarks: readonly R[]): R[] => {
  const seen = new Set<string>();
  return remarks
    .toSorted(
      (a, b) =>
        compare(a.file, b.file) ||
        a.line - b.line ||
        a.column - b.column ||
        compare(a.code, b.code) ||
        compare(a.message, b.message),
    )
    .filter(({ file, line, column, code, message }) => {
      const key = JSON.stringify([file, line, column, code, message]);
      return !seen.has(key) && seen.add(key);
    });
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A tier's filter is part of many chains; its problem is reported for the first one only. */
export const deduplicate = <T>(
  all: readonly T[],
  problemsFor: (one: T) => readonly (readonly [subject: string, Problem])[],
): Problem[] => {
  const seen = new Map<string, Problem>();
  for (const one of all)
    for (const [subject, problem] of problemsFor(one)) {
      const key = JSON.stringify([problem.file, problem.line, problem.column, problem.code, subject]);
      if (!seen.has(key)) seen.set(key, problem);
    }
  return [...seen.values()];
};
