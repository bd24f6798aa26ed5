/** Formats a rollout's state for the terminal. */
import pc from "picocolors";
import { alertText } from "../../../functions/control/model/alerts.ts";
import type { Finding, Verdict } from "../../../functions/control/model/finding.ts";
import type { LiveSplit } from "../../../functions/control/model/platform.ts";
import { isOver, type Rollout } from "../../../functions/control/model/rollout.ts";
import {
  isRollbackStuck,
  type NextStep,
  nextSteps,
  pausesAt,
  stateOf,
  stateSince,
} from "../../../functions/control/model/rollout-state.ts";
import { criterionName, mostNeeded } from "../../../functions/control/verdict/decision-text.ts";
import { counted, duration, elapsed } from "../../../functions/control/verdict/format.ts";
import type { Measurement } from "../../../functions/control/verdict/measurement.ts";
import { findingText } from "../../../functions/control/verdict/verdict-text.ts";
import { hanging, table } from "../../terminal/table.ts";
import { toOneLine, toOneLineValues, widthOf } from "../../terminal/terminal.ts";
import { attemptText } from "./attempts.ts";
import { shownShare } from "./live-share.ts";
import { latencyStrips } from "./rollout-strips.ts";

const width = 40;

export interface ViewOptions {
  /** What the platform runs; null if that is unknown. */
  readonly live?: readonly LiveSplit[] | null;
  /** Options of the command line that the next commands need too, with a blank before each. */
  readonly options?: string;
  /** In characters; default: that of the terminal. */
  readonly columns?: number | undefined;
}

/** @param now milliseconds since the epoch */
export const rolloutText = (
  rollout: Rollout,
  now: number,
  measured: Measurement | null,
  { live = null, options = "", columns }: ViewOptions = {},
): string => {
  const it = toOneLineValues(rollout);
  const { share, text, notes } = shownShare(it, live);
  const [subject] = it.subjects;
  const step = it.steps
    .map(({ share, hold, watch }, index) => markStep(`${share} %${hold ? " hold" : watch ? " watch" : ""}`, index, it))
    .join("  ");
  const versions = `stable ${subject?.stable.slice(0, 8)} ${barOf(share, width)} canary ${subject?.canary.slice(0, 8)}  ${text}`;
  const since = stateSince(it);
  return `${[
    `${pc.bold(it.tier)}  rollout ${it.id}, started by ${it.by} ${ago(it.startedAt, now)}`,
    hanging("why it was started: ", it.reason, columns),
    ...attemptText(it, columns),
    "",
    `${status(it)} ${isOver(it) ? ago(since, now) : `for ${elapsed(now - since)}, since ${utc(since, now)}`}`,
    hanging("  ", it.why, columns),
    ...(it.status === "paused" ? [hanging("  ", meanwhile(it, share), columns)] : []),
    hangingOf("ALERT  ", alertText(it), columns)?.replace("ALERT", pc.red("ALERT")),
    "",
    versions,
    ...notes,
    `steps  ${step}`,
    timeLeft(it, now),
    hangingOf("needs  ", evidenceLeft(it, now), columns),
    ...(measured ? [exposedText(measured), latencyStrips(measured, columns)] : []),
    findings(it, columns),
    nextText(nextSteps(it, options), columns),
  ]
    .filter((text) => text !== undefined)
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")}\n`;
};

/** What a pause means for the users. */
const meanwhile = (it: Rollout, share: number): string => {
  if (it.foreign) return "this rollout changes nothing until a person decides; failures are reported";
  if (isRollbackStuck(it))
    return "THE ROLLBACK IS NOT DONE: users may still have the new version; control tries again every five minutes";
  // Nobody is left on the stable version to compare with.
  if (share >= 100)
    return "all users keep the new version until a person decides; if it crashes or exceeds its limits, it is rolled back; other failures are reported";
  return `${share} % of the users keep the new version until a person decides; if it fails, it is rolled back`;
};

/** One line for output into a pipe. */
export const rolloutLine = (
  it: Rollout,
  measured: Measurement | null,
  live: readonly LiveSplit[] | null = null,
): string => {
  const { text, notes } = shownShare(it, live);
  return [
    new Date().toISOString().slice(11, 19),
    stateOf(it),
    [text, ...notes].join("; "),
    toOneLine(it.why),
    ...(alertText(it) ? [`ALERT  ${toOneLine(alertText(it))}`] : []),
    ...(measured && measured.exposed > 0 ? [exposedText(measured)] : []),
  ].join("  ");
};

const exposedText = ({ exposed }: Measurement): string => `${counted(exposed, "request")} served by the new version`;

const status = (it: Rollout): string => {
  const state = stateOf(it);
  const text = state.toUpperCase().replace("-", " ");
  if (state === "promoted") return pc.green(text);
  if (state === "rolled-back" || state === "returning") return pc.red(text);
  return state === "paused" || state === "waiting" ? pc.yellow(text) : text;
};

const markStep = (text: string, index: number, { step, status }: Rollout): string =>
  index < step || status === "promoted" ? `${text} done` : index === step ? `[${text}]` : text;

/** @param share the new version's share, in per cent */
export const barOf = (share: number, width: number): string => {
  const canary = share === 0 ? 0 : Math.min(width, Math.max(1, Math.round((share / 100) * width)));
  return `${"=".repeat(width - canary)}${"#".repeat(canary)}`;
};

/** Time until the step's bake is over. */
const timeLeft = (it: Rollout, now: number): string | undefined => {
  const since = it.stretches.at(-1)?.since;
  const bakeMs = it.steps[it.step]?.bakeMs;
  if (it.status !== "running" || since === undefined || bakeMs === undefined) return undefined;
  const ms = since + bakeMs - now;
  const later = it.steps.slice(it.step + 1).filter(({ share }) => share > 0 && share < 100);
  const all = Math.max(0, ms) + later.reduce((sum, step) => sum + step.bakeMs, 0);
  const rest = later.length > 0 ? `; 100 % in ${duration(all)} at the earliest` : "";
  const what = it.steps[it.step]?.watch ? "the watch" : "this step's bake";
  return `time   ${ms > 0 ? `${duration(ms)} of ${what} left` : `${what} has been over for ${elapsed(-ms)}`}${rest}`;
};

/** After the bake: what a verdict still needs, and when the rollout gives up. */
const evidenceLeft = (it: Rollout, now: number): string => {
  const since = Math.max(it.stretches.at(-1)?.since ?? now, it.resumedAt ?? 0);
  const isBaked = now >= since + (it.steps[it.step]?.bakeMs ?? 0);
  const verdict = it.verdict?.verdict;
  if (stateOf(it) !== "running" || !isBaked || (verdict !== "not-enough" && verdict !== "hold")) return "";
  const at = pausesAt(it, now);
  const pauses = `it pauses in ${duration(at - now)}, at ${utc(at, now)}`;
  return verdict === "hold"
    ? `held; if it does not pass, ${pauses}`
    : neededLeft(it.verdict, `without a verdict ${pauses}`);
};

const neededLeft = (verdict: Verdict | null, pauses: string): string => {
  const needs = mostNeeded(verdict);
  if (!needs) return needs === null ? `it does not pass at its present rates; ${pauses}` : pauses;
  const more = `about ${counted(needs.requests, "request").replace(" ", " more ")} of the new version`;
  return `${more}, ${needs.ms === null ? "and none arrive" : `${duration(needs.ms)} at the present rate`}; ${pauses}`;
};

const hangingOf = (title: string, text: string, columns: number | undefined): string | undefined =>
  text === "" ? undefined : hanging(title, text, columns);

/** `22:03:10 UTC`, with the date if it is another day than now. */
const utc = (at: number, now: number): string => {
  const [day, time = ""] = new Date(at).toISOString().split("T");
  const sameDay = new Date(now).toISOString().startsWith(`${day}T`);
  return `${sameDay ? "" : `${day} `}${time.slice(0, 8)} UTC`;
};

const ago = (at: number, now: number): string => `${elapsed(now - at)} ago, ${utc(at, now)}`;

const order: readonly Verdict["verdict"][] = ["fail", "hold", "not-enough", "pass"];

const findings = (it: Rollout, columns: number | undefined): string | undefined => {
  const all = it.verdict?.findings ?? [];
  // Afterwards nothing is missing any more.
  const textOf = isOver(it) || it.status === "returning" ? ({ why }: Finding) => why : findingText;
  return all.length === 0 ? undefined : `\n${findingsTable(all, textOf, columns)}`;
};

/** What fails first. Criteria with the same text share a row; so do errors that are all the upstreams'. */
export const findingsTable = (
  all: readonly Finding[],
  textOf: (finding: Finding) => string,
  columns: number | undefined,
): string => {
  const errors = all.find(({ criterion }) => criterion === "errors");
  const shown = (finding: Finding): Finding =>
    errors && finding.criterion === "upstream-errors" && isSameAs(errors, finding) ? errors : finding;
  const byText = Map.groupBy(all, (finding) => `${finding.verdict}\n${textOf(shown(finding))}`);
  const rows = [...byText.values()]
    .map((some) => some as [Finding, ...Finding[]])
    .toSorted(([a], [b]) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
    .map((some) => [some[0].verdict.replace("-", " "), some.map(criterionName).join(", "), textOf(some[0])]);
  return table(["verdict", "criterion", "why"], rows, columns).trimEnd();
};

const isSameAs = (a: Finding, b: Finding): boolean =>
  a.verdict === b.verdict && a.counts?.canary.hits === b.counts?.canary.hits && a.counts !== undefined;

/** A command is never wrapped, because people copy it. */
export const nextText = (steps: readonly NextStep[], columns = widthOf("stdout")): string => {
  const longest = Math.max(...steps.map(({ command }) => command.length));
  const isBeside = steps.every(({ does }) => 2 + longest + 2 + does.length <= columns);
  const lines = steps.map(({ command, does }) =>
    isBeside ? `  ${command.padEnd(longest)}  ${does}` : `  ${command}\n${hanging("      ", does, columns)}`,
  );
  return `\nnext\n${lines.join("\n")}`;
};
