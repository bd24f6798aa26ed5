/** What is wrong with a file, where, and what to write instead. */
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

/** What is said of a place. */
export interface Diagnostic extends SourceLocation {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  /** Other places that a reader has to see: the route that hides this one. */
  readonly related?: readonly RelatedLocation[];
}

export interface Problem extends Diagnostic {
  readonly code: ProblemCode;
}

export interface RelatedLocation extends SourceLocation {
  readonly message: string;
}

/** By file, then place, then code: the same order every time. What two readings say alike is said once. */
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

/** A filter of the tier stands in the chains of many routes; what is wrong with it is told of the first of them. */
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
