/** Shows problems beside the lines of a pull request: GitHub's workflow commands. */
import { oneLine } from "../terminal/terminal.ts";
import type { Remark } from "./problem.ts";

export type Level = "error" | "warning" | "notice";

/** A problem, or something else that is wrong with a line. */
export type Annotated = Omit<Remark, "source">;

/**
 * One line for each.
 * Source: GitHub Docs, "Workflow commands for GitHub Actions", setting an error message; the escapes are those of `@actions/core`.
 */
export const annotations = <R extends Annotated>(remarks: readonly R[], levelOf: (remark: R) => Level): string =>
  remarks
    .map((remark) => {
      const { file, line, column, length, code, message, remedy, related = [] } = remark;
      const place = { file, line, col: column, endLine: line, endColumn: column + length, title: code };
      const properties = Object.entries(place).map(([key, value]) => `${key}=${property(String(value))}`);
      const also = related.map((it) => `${it.file}:${it.line}:${it.column} ${it.message}`);
      return `::${levelOf(remark)} ${properties.join(",")}::${data([message, ...(remedy ? [remedy] : []), ...also].join("\n"))}\n`;
    })
    .join("");

const data = (text: string): string =>
  text.split("\n").map(oneLine).join("\n").replaceAll("%", "%25").replaceAll("\n", "%0A");

const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
