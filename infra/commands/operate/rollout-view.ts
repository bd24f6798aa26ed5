/** Formats a rollout's state for the terminal. */
import pc from "picocolors";
import { alertText } from "../../../functions/control/model/alerts.ts";
import type { LiveSplit } from "../../../functions/control/model/platform.ts";
import type { Rollout } from "../../../functions/control/model/rollout.ts";
import { number } from "../../../functions/control/rollout/format.ts";
import type { Measurement } from "../../../functions/control/rollout/measurement.ts";
import { table } from "../../terminal/table.ts";
import { toOneLine, toOneLineValues } from "../../terminal/terminal.ts";
import { attemptLines } from "./attempts.ts";
import { shownShare } from "./live-share.ts";
import { latencyStrips } from "./rollout-strips.ts";

const width = 40;

/** @param now milliseconds since the epoch */
export const rolloutText = (
  rollout: Rollout,
  now: number,
  measured: Measurement | null,
  live: readonly LiveSplit[] | null = null,
): string => {
  const it = toOneLineValues(rollout);
  const { share, text, notes } = shownShare(it, live);
  const [subject] = it.subjects;
  const step = it.steps
    .map(({ share, hold, watch }, index) => markStep(`${share} %${hold ? " hold" : watch ? " watch" : ""}`, index, it))
    .join("  ");
  const versions = `stable ${subject?.stable.slice(0, 8)} ${barOf(share, width)} canary ${subject?.canary.slice(0, 8)}  ${text}`;
  return `${[
    `${pc.bold(it.tier)}  rollout ${it.id} by ${it.by}: ${it.reason}`,
    `${status(it)}  ${it.why}`,
    alertText(it) && `${pc.red("ALERT")}  ${alertText(it)}`,
    ...attemptLines(it),
    versions,
    ...notes,
    `steps  ${step}${timeLeft(it, now)}`,
    ...(measured ? [exposedText(measured), latencyStrips(measured)] : []),
    findings(it),
  ]
    .filter(Boolean)
    .join("\n")}\n`;
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
    it.status,
    [text, ...notes].join("; "),
    toOneLine(it.why),
    ...(alertText(it) ? [`ALERT  ${toOneLine(alertText(it))}`] : []),
    ...(measured && measured.exposed > 0 ? [exposedText(measured)] : []),
  ].join("  ");
};

const exposedText = ({ exposed }: Measurement): string => `${number(exposed)} requests served by the new version`;

const status = ({ status }: Rollout): string => {
  const text = status.toUpperCase();
  if (status === "promoted") return pc.green(text);
  return status === "rolled-back" || status === "returning"
    ? pc.red(text)
    : status === "paused"
      ? pc.yellow(text)
      : text;
};

const markStep = (text: string, index: number, { step, status }: Rollout): string =>
  index < step || status === "promoted" ? `${text} done` : index === step ? `[${text}]` : text;

/** @param share the new version's share, in per cent */
export const barOf = (share: number, width: number): string => {
  const canary = share === 0 ? 0 : Math.min(width, Math.max(1, Math.round((share / 100) * width)));
  return `${"=".repeat(width - canary)}${"#".repeat(canary)}`;
};

/** Time until the step's bake is over. */
const timeLeft = (it: Rollout, now: number): string => {
  const since = it.stretches.at(-1)?.since;
  const bakeMs = it.steps[it.step]?.bakeMs;
  if (it.status !== "running" || since === undefined || bakeMs === undefined) return "";
  const ms = since + bakeMs - now;
  const later = it.steps.slice(it.step + 1).filter(({ share }) => share > 0 && share < 100);
  const all = Math.max(0, ms) + later.reduce((sum, step) => sum + step.bakeMs, 0);
  const rest = later.length > 0 ? `, ${time(all)} to 100 % at the least` : "";
  return `   ${ms > 0 ? `${time(ms)} of the ${it.steps[it.step]?.watch ? "watch" : "bake"} left` : "baked"}${rest}`;
};

const time = (ms: number): string => {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
};

const findings = ({ verdict }: Rollout): string => {
  if (!verdict || verdict.findings.length === 0) return "";
  const rows = verdict.findings.map(({ criterion, verdict, why }) => [verdict, criterion, why]);
  return table(["verdict", "criterion", "why"], rows).trimEnd();
};
