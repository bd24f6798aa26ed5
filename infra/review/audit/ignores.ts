/** Parses ignore comments: `# postern-ignore <rule> until <date>: <reason>`. */
import { Lexer } from "yaml";
import { dayStart } from "../../../functions/gateway/core/quantities.ts";
import { date } from "../../../functions/manifest/quantities.ts";
import type { SourceLocation } from "../../diagnostics/problem.ts";
import { choice } from "../../diagnostics/schema-issues.ts";
import type { Source } from "../../diagnostics/source.ts";
import { type Finding, ruleDocs } from "./finding.ts";
import { expiredIgnore, invalidIgnore } from "./ignore-rules.ts";
import type { Rule } from "./rule-kit/rule.ts";

export interface Ignore {
  readonly location: SourceLocation;
  readonly rules: readonly string[];
  readonly until: string;
  readonly reason: string;
  /** The line that it applies to. */
  readonly line: number;
  /** The range of text to delete with it. */
  readonly range: readonly [start: number, end: number];
}

export interface ParsedIgnores {
  readonly valid: readonly Ignore[];
  readonly findings: readonly Finding[];
}

const dayMs = 86_400_000;

/** @param ids of the rules that can be ignored */
export const parseIgnores = (source: Source, ids: readonly string[], now: number): ParsedIgnores => {
  const valid: Ignore[] = [];
  const findings: Finding[] = [];
  for (const comment of findComments(source)) {
    const read = parseIgnore(comment.text, ids, now);
    if ("problem" in read) findings.push(ignoreFinding(invalidIgnore, comment.location, read.problem, read.remedy));
    else if (dayStart(read.until) + dayMs <= now)
      findings.push(
        ignoreFinding(
          expiredIgnore,
          comment.location,
          `this was to be decided by ${read.until}`,
          "mend it, or decide anew",
        ),
      );
    else valid.push({ ...comment, ...read });
  }
  return { valid, findings };
};

export const ignoreFinding = (
  { id, severity }: Pick<Rule, "id" | "severity">,
  location: SourceLocation,
  message: string,
  remedy: string,
): Finding => ({ ...location, code: id, severity, message, remedy, docs: ruleDocs(id), environments: [] });

interface Comment extends Pick<Ignore, "location" | "line" | "range"> {
  readonly text: string;
}

const ignorePattern = /^#[\s\p{Cf}]*postern[-_ ]?ignore/iu;

/** The ignore comments of a file. Uses the YAML lexer, since strings may look like comments. */
const findComments = ({ file, text, line: sourceLine }: Source): Comment[] => {
  if (!/postern/i.test(text)) return [];
  const found: { start: number; text: string }[] = [];
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexerMarkers.includes(lexeme)) continue;
    if (ignorePattern.test(lexeme)) found.push({ start: offset, text: lexeme });
    offset += lexeme.length;
  }
  const lines = text.split("\n");
  const next = nextContentLine(lines);
  let index = 0;
  let lineStart = 0;
  return found.map(({ start, text: comment }): Comment => {
    while (lineStart + (lines[index]?.length ?? 0) < start) lineStart += (lines[index++]?.length ?? 0) + 1;
    const line = lines[index] ?? "";
    const before = line.slice(0, start - lineStart);
    const location = { file, line: index + 1, column: before.length + 1, length: comment.trimEnd().length };
    const isOwnLine = before.trim() === "";
    const range = isOwnLine
      ? ([lineStart, Math.min(text.length, lineStart + line.length + 1)] as const)
      : ([lineStart + before.trimEnd().length, start + comment.trimEnd().length] as const);
    return {
      text: comment.trimEnd(),
      location: { ...location, source: sourceLine(index + 1).trimEnd() },
      line: (isOwnLine ? (next[index + 1] ?? lines.length) : index) + 1,
      range,
    };
  });
};

/** For each line, the next line that is not a comment: several ignores may precede one line. */
const nextContentLine = (lines: readonly string[]): number[] => {
  const next: number[] = [];
  for (let index = lines.length - 1; index >= 0; index--)
    next[index] = /^\s*#/.test(lines[index] ?? "") ? (next[index + 1] ?? lines.length) : index;
  return next;
};

/** Markers that the lexer inserts between tokens: document start, end of collection, scalar. */
const lexerMarkers = ["\u0002", "\u0018", "\u001f"];

interface IgnoreProblem {
  readonly problem: string;
  readonly remedy: string;
}

const syntax = "# postern-ignore <rule> until <date>: <reason>";
const maxLength = 500;
const maxAheadMs = 366 * dayMs;

/** Minimum letters and digits of a reason. */
const minReasonLetters = 10;

const parseIgnore = (
  text: string,
  ids: readonly string[],
  now: number,
): Pick<Ignore, "rules" | "until" | "reason"> | IgnoreProblem => {
  if (text.length > maxLength)
    return { problem: `an ignore has ${maxLength} characters at most`, remedy: "shorten it" };
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text))
    return { problem: "it has invisible characters", remedy: "type it again" };
  const [, ruleList, until = "", reason = ""] =
    /^# ?postern-ignore ([^:]*?)(?: until ([^\s:]*))?(?::(.*))?$/.exec(text) ?? [];
  if (ruleList === undefined) return { problem: "this is not a valid ignore", remedy: `write ${syntax}` };
  const rules = ruleList.split(",").map((it) => it.trim());
  const unknown = rules.find((it) => !ids.includes(it));
  if (unknown !== undefined)
    return {
      problem: unknown === "" ? "it names no rule" : `there is no rule "${unknown}" that could be ignored`,
      remedy: choice(unknown, ids) ?? `write ${syntax}`,
    };
  if (!date().safeParse(until).success)
    return { problem: "it has no end date", remedy: `write ${syntax}, the date as 2027-06-30` };
  if (dayStart(until) > now + maxAheadMs)
    return { problem: `${until} is more than a year ahead`, remedy: "choose an earlier date for the next review" };
  if ((reason.match(/[\p{L}\p{N}]/gu) ?? []).length < minReasonLetters)
    return { problem: "it gives no reason", remedy: `write ${syntax}, the reason as a sentence` };
  return { rules, until, reason: reason.trim() };
};
