/** Problems of a project's own parts and settings. They have the form of a manifest's problems. */

export interface CodeProblem {
  /** Relative to the project. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly source: string;
  readonly code: "part-broken" | "part-unfit" | "part-name" | "too-large" | "unreadable";
  readonly message: string;
  readonly remedy: string;
}

/** A problem of a whole file. */
export const problemOf = (file: string, code: CodeProblem["code"], message: string, remedy: string): CodeProblem => ({
  file,
  line: 1,
  column: 1,
  length: 1,
  source: "",
  code,
  message: toOneLine(message),
  remedy,
});

const maxLength = 300;

/** Messages of a bundler and of a part may have several lines. */
export const toOneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
};
