/** How a rollout is shown: a pure function of its state. */
import pc from "picocolors";
import type { Rollout } from "../../functions/control/rollout/state.ts";
import { table } from "../outcome.ts";

const width = 40;

/** @param now milliseconds since the epoch */
export const shown = (it: Rollout, now: number): string => {
  const share = it.status === "rolled-back" ? 0 : Math.max(0, it.goal.share);
  const [subject] = it.subjects;
  const step = it.steps.map(({ share, hold }, index) => mark(`${share} %${hold ? " hold" : ""}`, index, it)).join("  ");
  const versions = `stable ${subject?.stable.slice(0, 8)} ${barOf(share, width)} canary ${subject?.canary.slice(0, 8)}  ${share} %`;
  return `${[
    `${pc.bold(it.tier)}  rollout ${it.id} by ${it.by}: ${it.reason}`,
    `${status(it)}  ${it.why}`,
    versions,
    `steps  ${step}${left(it, now)}`,
    findings(it),
  ]
    .filter(Boolean)
    .join("\n")}\n`;
};

const status = ({ status }: Rollout): string => {
  const text = status.toUpperCase();
  if (status === "promoted") return pc.green(text);
  return status === "rolled-back" || status === "returning"
    ? pc.red(text)
    : status === "paused"
      ? pc.yellow(text)
      : text;
};

const mark = (text: string, index: number, { step, status }: Rollout): string =>
  index < step || status === "promoted" ? `${text} done` : index === step ? `[${text}]` : text;

/** @param share of the new version, in per cent */
export const barOf = (share: number, width: number): string => {
  const canary = share === 0 ? 0 : Math.min(width, Math.max(1, Math.round((share / 100) * width)));
  return `${"=".repeat(width - canary)}${"#".repeat(canary)}`;
};

/** Until the step's bake is over. */
const left = (it: Rollout, now: number): string => {
  const since = it.stretches.at(-1)?.since;
  const bakeMs = it.steps[it.step]?.bakeMs;
  if (it.status !== "running" || since === undefined || bakeMs === undefined) return "";
  const ms = since + bakeMs - now;
  return ms > 0 ? `   ${Math.ceil(ms / 1000)} s of the bake left` : "   baked";
};

const findings = ({ verdict }: Rollout): string => {
  if (!verdict || verdict.findings.length === 0) return "";
  const rows = verdict.findings.map(({ criterion, verdict, why }) => [verdict, criterion, why]);
  return table(["verdict", "criterion", "why"], rows).trimEnd();
};
