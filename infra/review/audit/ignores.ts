/** Comments that say of a rule why it does not hold on their line: `# postern-ignore <rule> until <date>: <reason>`. */
import { Lexer } from "yaml";
import { dayStart } from "../../../functions/gateway/core/quantities.ts";
import { date } from "../../../functions/manifest/quantities.ts";
import type { Place } from "../../diagnostics/problem.ts";
import { choice } from "../../diagnostics/schema-issues.ts";
import type { Source } from "../../diagnostics/source.ts";
import { docsOf, type Finding } from "./finding.ts";
import { expiredIgnore, invalidIgnore } from "./ignore-rules.ts";
import type { Rule } from "./rule-kit/rule.ts";

export interface Ignore {
  readonly place: Place;
  readonly rules: readonly string[];
  readonly until: string;
  readonly reason: string;
  /** The line that it speaks of. */
  readonly line: number;
  /** What goes where it is removed, in the text of its file. */
  readonly range: readonly [start: number, end: number];
}

export interface Ignores {
  readonly valid: readonly Ignore[];
  readonly findings: readonly Finding[];
}

const day = 86_400_000;

/** @param ids of the rules that can be ignored */
export const ignoresIn = (source: Source, ids: readonly string[], now: number): Ignores => {
  const valid: Ignore[] = [];
  const findings: Finding[] = [];
  for (const comment of commentsIn(source)) {
    const read = readIgnore(comment.text, ids, now);
    if ("complaint" in read) findings.push(complain(invalidIgnore, comment.place, read.complaint, read.remedy));
    else if (dayStart(read.until) + day <= now)
      findings.push(
        complain(expiredIgnore, comment.place, `this was to be decided by ${read.until}`, "mend it, or decide anew"),
      );
    else valid.push({ ...comment, ...read });
  }
  return { valid, findings };
};

export const complain = (
  { id, severity }: Pick<Rule, "id" | "severity">,
  place: Place,
  message: string,
  remedy: string,
): Finding => ({ ...place, code: id, severity, message, remedy, docs: docsOf(id), environments: [] });

interface Comment extends Pick<Ignore, "place" | "line" | "range"> {
  readonly text: string;
}

const meant = /^#[\s\p{Cf}]*postern[-_ ]?ignore/iu;

/** The comments of a file that are meant so. What looks like one in a text is none, so the file is read as YAML. */
const commentsIn = ({ file, text, line: lineOf }: Source): Comment[] => {
  if (!/postern/i.test(text)) return [];
  const found: { start: number; text: string }[] = [];
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (marks.includes(lexeme)) continue;
    if (meant.test(lexeme)) found.push({ start: offset, text: lexeme });
    offset += lexeme.length;
  }
  const lines = text.split("\n");
  const next = nextContent(lines);
  let index = 0;
  let lineStart = 0;
  return found.map(({ start, text: comment }): Comment => {
    while (lineStart + (lines[index]?.length ?? 0) < start) lineStart += (lines[index++]?.length ?? 0) + 1;
    const line = lines[index] ?? "";
    const before = line.slice(0, start - lineStart);
    const place = { file, line: index + 1, column: before.length + 1, length: comment.trimEnd().length };
    const isWhole = before.trim() === "";
    const range = isWhole
      ? ([lineStart, Math.min(text.length, lineStart + line.length + 1)] as const)
      : ([lineStart + before.trimEnd().length, start + comment.trimEnd().length] as const);
    return {
      text: comment.trimEnd(),
      place: { ...place, source: lineOf(index + 1).trimEnd() },
      line: (isWhole ? (next[index + 1] ?? lines.length) : index) + 1,
      range,
    };
  });
};

/** For each line the first one from there that is no comment: several ignores may stand above one another. */
const nextContent = (lines: readonly string[]): number[] => {
  const next: number[] = [];
  for (let index = lines.length - 1; index >= 0; index--)
    next[index] = /^\s*#/.test(lines[index] ?? "") ? (next[index + 1] ?? lines.length) : index;
  return next;
};

/** What the lexer puts between the pieces of the text: a document's begin, the end of a collection, a scalar. */
const marks = ["\u0002", "\u0018", "\u001f"];

interface Complaint {
  readonly complaint: string;
  readonly remedy: string;
}

const shape = "# postern-ignore <rule> until <date>: <reason>";
const longest = 500;
const longestAhead = 366 * day;

/** Of a reason, so that it says something: letters and digits, none that nobody sees. */
const fewestLetters = 10;

const readIgnore = (
  text: string,
  ids: readonly string[],
  now: number,
): Pick<Ignore, "rules" | "until" | "reason"> | Complaint => {
  if (text.length > longest)
    return { complaint: `an ignore has ${longest} characters at most`, remedy: "say it briefly" };
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text))
    return { complaint: "there are characters in it that nobody sees", remedy: "type it anew" };
  const [, list, until = "", reason = ""] =
    /^# ?postern-ignore ([^:]*?)(?: until ([^\s:]*))?(?::(.*))?$/.exec(text) ?? [];
  if (list === undefined) return { complaint: "this is no ignore", remedy: `write ${shape}` };
  const rules = list.split(",").map((it) => it.trim());
  const unknown = rules.find((it) => !ids.includes(it));
  if (unknown !== undefined)
    return {
      complaint: unknown === "" ? "it names no rule" : `there is no rule "${unknown}" that could be ignored`,
      remedy: choice(unknown, ids) ?? `write ${shape}`,
    };
  if (!date().safeParse(until).success)
    return { complaint: "it has no day until which it holds", remedy: `write ${shape}, the date as 2027-06-30` };
  if (dayStart(until) > now + longestAhead)
    return { complaint: `${until} is more than a year ahead`, remedy: "choose a day on which somebody looks again" };
  if ((reason.match(/[\p{L}\p{N}]/gu) ?? []).length < fewestLetters)
    return { complaint: "it gives no reason", remedy: `write ${shape}, the reason as a sentence` };
  return { rules, until, reason: reason.trim() };
};
