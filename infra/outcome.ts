/** What a verb has to say: a text for people and the same as data. */
import type { ExitCode } from "./verbs/contract.ts";

export interface Outcome {
  readonly exitCode: ExitCode;
  readonly text: string;
  /** What was asked for itself, such as a document: alone on stdout, whatever the exit code. The text is about it, on stderr. */
  readonly product?: string;
  /** Undefined where it has been said already, line by line. */
  readonly data: unknown;
}

export const say = ({ exitCode, text, product, data }: Outcome, json: boolean): void => {
  if (product !== undefined) {
    process.stdout.write(product);
    process.stderr.write(text);
  } else if (json) process.stdout.write(data === undefined ? "" : `${JSON.stringify(data, null, 2)}\n`);
  else if (text !== "")
    // That a rollout came back, or that a change is risky, is what was asked for, and no failure of the verb.
    (exitCode === 0 || exitCode >= 4 ? process.stdout : process.stderr).write(text.endsWith("\n") ? text : `${text}\n`);
};

/** Columns as wide as their widest cell; numbers to the right. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => String(row[column] ?? "").length)),
  );
  const line = (row: readonly (string | number)[]) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return typeof cell === "number" ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return `${[head, ...rows].map(line).join("\n")}\n`;
};
