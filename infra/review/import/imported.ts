/** The result of an import: files, and the gaps between them and the source document. */

import { redact } from "../../diagnostics/secret-literals.ts";
import type { GeneratedFile } from "../../project/generated-files.ts";

export interface Gap {
  /** `left-out`: a request, or a check of one, is missing. `otherwise`: it is included and behaves differently, or a gateway never gets it. */
  readonly kind: "left-out" | "otherwise";
  /** The location in the source document: `GET /accounts/{id}`. */
  readonly where: string;
  /** What has no equivalent, and what to do instead. */
  readonly what: string;
}

export interface ImportResult {
  /** Manifests first. */
  readonly files: readonly GeneratedFile[];
  readonly routes: number;
  /** Differences from the source document: nothing is dropped silently. */
  readonly gaps: readonly Gap[];
}

/** Whether an import left something out, which its exit code reports. */
export const isIncomplete = (gaps: readonly Gap[]): boolean => gaps.some(({ kind }) => kind === "left-out");

/** Comments for the head of a manifest that list what is left out. */
export const gapComments = (gaps: readonly Gap[]): string[] =>
  gaps.length === 0 ? [] : ["# What has no equivalent here:", ...gapLines(gaps).map((it) => `#   ${it}`)];

/** Merges gaps of one kind into a line: the same parameter in thirty paths is one thing to know. */
export const gapLines = (gaps: readonly Gap[]): string[] =>
  [...Map.groupBy(gaps, ({ kind, what }) => `${kind === "left-out" ? "left out: " : ""}${what}`)].map(
    ([message, [first, ...more]]) => {
      const others = more.length === 0 ? "" : ` and ${more.length} more`;
      return redact(oneLine(`${first?.where}${others}: ${message}`));
    },
  );

/** A text of the source document must not end the comment. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, " ").trim();
