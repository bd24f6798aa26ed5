/** What is wrong with a file, where, and what to write instead. */

export interface Problem {
  /** Relative to the project: `routes/wallet.yaml`. */
  readonly file: string;
  /** From 1; the column counts UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** Of the marked text, on its first line. */
  readonly length: number;
  /** Stable: `unknown-key`. */
  readonly code: ProblemCode;
  readonly message: string;
  readonly remedy?: string;
  /** The line of the file, for the caret. */
  readonly source: string;
}

/** Every code that a check can give, and what it means. The reference lists them. */
export const problemCodes = {
  "bad-yaml": "The file is not well-formed YAML.",
  "too-large": "The file is larger than a manifest may be.",
  "unknown-key": "A key that has no meaning here.",
  "missing-key": "A key that has to be there is not.",
  "wrong-type": "A value of another type than the key takes.",
  "unknown-value": "A value that is none of those that the key takes.",
  "wrong-format": "A value whose text does not read as the key needs it.",
  "out-of-range": "Too few, too many, too short or too long.",
  invalid: "A value that its part refuses.",
  "unknown-variable": "A variable names a value that the environment does not have.",
  "partial-variable": "A variable stands inside a text; it is a whole value.",
  "unknown-filter": "A filter of a kind that does not exist.",
  "unknown-upstream-kind": "An upstream of a protocol that does not exist.",
  "one-kind": "An entry that names no kind, or more than one.",
  "duplicate-id": "Two filters of one chain have the same id.",
  "unknown-upstream": "`to` names an upstream that the tier does not have.",
  "unused-upstream": "An upstream that no route goes to.",
  "unknown-without": "`without` names a filter that the tier does not have.",
  "duplicate-match": "Two routes take the same requests.",
  "duplicate-tier": "Two manifests are of the same tier.",
  "base-claimed-twice": "Two tiers claim the same host and base.",
  "file-name": "A manifest's file is named after its tier.",
  "reference-unbound": "A reference to what neither the match captures nor a filter ahead provides.",
  "filter-order": "A filter stands behind one that it has to precede.",
  "identity-unenforced": "A guard of identity lets users pass unchecked, and none beside it is enforced.",
  "guard-only": "A setting that only guards take.",
  "missing-namespace": "A KV namespace that the environment gives no id for.",
} as const;

export type ProblemCode = keyof typeof problemCodes;

/** By file, then place, then code: the same order every time. */
export const inOrder = (problems: readonly Problem[]): Problem[] =>
  problems.toSorted(
    (a, b) =>
      compare(a.file, b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      compare(a.code, b.code) ||
      compare(a.message, b.message),
  );

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
