/** Renders problems as GitHub workflow commands, which show beside the lines of a pull request. */
import { toOneLine } from "../terminal/terminal.ts";
import type { Diagnostic } from "./problem.ts";

export type Level = "error" | "warning" | "notice";

/** A problem or finding without its source line. */
export type Annotation = Omit<Diagnostic, "source">;

/**
 * One line for each.
 * Source: GitHub Docs, "Workflow commands for GitHub Actions", setting an error message; the escapes are those of `@actions/core`.
 */
export const annotations = <R extends Annotation>(remarks: readonly R[], levelOf: (remark: R) => Level): string =>
  remarks
    .map((remark) => {
      const { file, line, column, length, code, message, remedy, related = [] } = remark;
      const place = { file, line, col: column, endLine: line, endColumn: column + length, title: code };
      const properties = Object.entries(place).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
      const also = related.map((it) => `${it.file}:${it.line}:${it.column} ${it.message}`);
      return `::${levelOf(remark)} ${properties.join(",")}::${escapeData([message, ...(remedy ? [remedy] : []), ...also].join("\n"))}\n`;
    })
    .join("");

const escapeData = (text: string): string =>
  text.split("\n").map(toOneLine).join("\n").replaceAll("%", "%25").replaceAll("\n", "%0A");

const escapeProperty = (text: string): string => escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
