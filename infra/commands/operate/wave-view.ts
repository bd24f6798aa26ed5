/** Formats a wave's state for the terminal. */
import pc from "picocolors";
import { levels, type Member, membersAt, type Wave } from "../../../functions/control/model/wave.ts";
import { waveNextSteps } from "../../../functions/control/model/wave-next.ts";
import { toOneLineValues } from "../../terminal/terminal.ts";
import { barOf, nextText } from "./rollout-view.ts";

const width = 20;
/** Lines per level; `--json` has all. */
const maxLines = 40;

/** @param options of the command line that the next commands need too, with a blank before each */
export const waveText = (wave: Wave, options = ""): string => {
  const it = toOneLineValues(wave);
  const next = waveNextSteps(it, options);
  return `${[
    `${pc.bold(`wave ${it.id}`)} by ${it.by}: ${it.reason}${it.selection ? `  (${it.selection})` : ""}`,
    `${status(it)}  ${it.why}`,
    ...levels.flatMap((level) => levelOf(it, level)),
    ...(next.length > 0 ? [nextText(next)] : []),
  ].join("\n")}\n`;
};

const status = ({ status }: Wave): string => {
  const text = status.toUpperCase();
  if (status === "promoted") return pc.green(text);
  if (status === "running") return text;
  return status === "paused" ? pc.yellow(text) : pc.red(text);
};

/** Failed tiers are always shown. */
const levelOf = (it: Wave, level: Member["level"]): string[] => {
  const members = it.members.filter((member) => member.level === level);
  if (members.length === 0) return [];
  const done = membersAt({ members }, "promoted").length;
  const first = members.toSorted((a, b) => order(a) - order(b)).slice(0, maxLines);
  const shownMembers = members.filter((member) => first.includes(member));
  const rest = members.length - shownMembers.length;
  return [
    `${pc.bold(level)}  ${done} of ${members.length}, ${it.concurrent} at once`,
    ...shownMembers.map((member) => `  ${lineOf(member)}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
};

const order = ({ place }: Member): number =>
  ["failed", "returning", "under-way", "starting", "back", "passed-over", "waiting", "promoted"].indexOf(place);

/** As `open  ==========##########  50 %  under way  50 % of the users have the new version` */
export const lineOf = (member: Member): string => {
  const { tier, along, share, why } = member;
  const name = along.length > 0 ? `${tier} (with ${along.join(", ")})` : tier;
  const line = `${name.padEnd(16)} ${barOf(share, width)} ${`${share} %`.padStart(6)}  ${placeText(member)}  ${why}`;
  return line.trimEnd();
};

const placeText = ({ place, waits }: Member): string => {
  const text = (waits ? "waits for a person" : place.replace("-", " ")).padEnd(10);
  if (place === "promoted") return pc.green(text);
  if (waits) return pc.yellow(text);
  return place === "failed" || place === "returning" || place === "back" ? pc.red(text) : text;
};
