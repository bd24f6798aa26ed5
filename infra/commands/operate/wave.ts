/** `postern wave`: releases of many tiers, as control runs them. */

import { inPlace, isWaveOver, type Wave } from "../../../functions/control/model/wave.ts";
import { compile } from "../../compiler/compile.ts";
import { deskFor } from "../../release/control-client.ts";
import type { Done } from "../../release/deploy.ts";
import { environmentFor, targetOf } from "../../release/target.ts";
import { type Chosen, chosenBy, type Selection } from "../../release/wave-selection.ts";
import { timeOf } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";
import { isTerminal, oneLine, oneLined, print, printJson, redraw } from "../../terminal/terminal.ts";
import { deploy } from "../release/deploy.ts";
import { isProposed, type Proposed, toldProposed } from "../review/proposed.ts";
import type { ControlOptions } from "./options.ts";
import { lineOf, shownWave } from "./wave-view.ts";

interface StartOptions extends ControlOptions, Selection {
  readonly concurrent: string;
  readonly bake?: string | undefined;
  readonly watch?: true | undefined;
}

interface AskOptions extends ControlOptions {
  readonly all?: true | undefined;
}

/** One of its rollouts was taken back. */
const takenBack = 4;
const lookMs = 1000;

export const start = async (options: StartOptions): Promise<Outcome> => {
  const { root, target, env, message: reason = "postern wave start" } = options;
  const concurrent = Number(options.concurrent);
  if (!Number.isInteger(concurrent) || concurrent < 1 || concurrent > 50)
    throw new Error(`--concurrent takes a number from 1 to 50, not "${options.concurrent}"`);
  const desk = deskFor(options);
  const chosen = chosenBy(compile(root, environmentFor(targetOf(target), env)), options);
  const asked = (tiers: readonly string[]) => ({
    reason,
    tiers,
    releases: releasesOf(chosen, tiers, options.bake),
    concurrent,
    selection: chosen.selection,
  });
  // Hundreds of uploads are not begun for a wave that would be refused.
  await desk.call("POST", "/v1/waves/check", asked(chosen.tiers.map(({ tier }) => tier)));
  const uploaded = await deploy(
    chosen.tiers.map(({ tier }) => tier),
    { root, env, target, split: "0", message: reason },
  );
  if (uploaded.exitCode !== 0) return uploaded;
  const changed = changedIn(chosen, uploaded);
  if (changed.length === 0)
    return { exitCode: 0, text: `nothing has changed (${chosen.selection}), so there is no wave\n`, data: null };
  const it = await desk.call<Wave | Proposed>("POST", "/v1/waves", asked(changed));
  return options.watch && !isProposed(it) ? watch(options) : told(it);
};

const releasesOf = ({ tiers }: Chosen, names: readonly string[], bake: string | undefined) =>
  Object.fromEntries(
    tiers
      .filter(({ tier }) => names.includes(tier))
      .map(({ tier, release }) => [tier, { ...release, ...(bake !== undefined && { bake }) }]),
  );

/** Tiers with a Worker that has a new version beside the one that all users have. */
const changedIn = ({ tiers }: Chosen, { data }: Outcome): string[] => {
  const { workers } = data as { readonly workers: readonly Done[] };
  const split = new Set(workers.filter(({ share }) => share < 100).map(({ worker }) => worker));
  return tiers.filter((it) => it.workers.some((worker) => split.has(worker))).map(({ tier }) => tier);
};

export const ask = async (
  command: "pause" | "resume" | "abort",
  { all = undefined, ...options }: AskOptions,
): Promise<Outcome> => {
  const body = { reason: options.message ?? "", ...(all && { all }) };
  return told(await deskFor(options).call<Wave | Proposed>("POST", `/v1/wave/${command}`, body));
};

const none: Outcome = { exitCode: 0, text: "there has been no wave\n", data: null };

export const status = async (options: ControlOptions): Promise<Outcome> => {
  const it = await deskFor(options).call<Wave | null>("GET", "/v1/wave");
  return it ? told(it) : none;
};

/** Draws it anew in a terminal; in a pipe each change is written below the last. */
export const watch = async (options: ControlOptions): Promise<Outcome> => {
  const desk = deskFor(options);
  const drawn = isTerminal("stdout") && !options.json;
  let last = new Set<string>();
  for (;;) {
    const it = await desk.call<Wave | null>("GET", "/v1/wave");
    if (!it) return none;
    if (isWaveOver(it) || waitsForPerson(it)) return told(it);
    const lines = options.json ? [JSON.stringify(it)] : linesOf(it);
    if (drawn) redraw(shownWave(it));
    else
      for (const line of lines.filter((line) => !last.has(line))) options.json ? printJson(it) : print(stamped(line));
    last = new Set(lines);
    await new Promise((wake) => setTimeout(wake, lookMs));
  }
};

/** Why it stands where it does, and each tier that is on its way. */
export const linesOf = (it: Wave): string[] => [oneLine(it.why), ...oneLined(it.members).filter(isMoving).map(lineOf)];

/** Nothing of it goes on before a person says what. */
const waitsForPerson = (it: Wave): boolean => {
  const active = inPlace(it, "starting", "under-way", "returning");
  if (active.some(({ waits }) => !waits)) return false;
  if (it.status !== "running") return active.length > 0 || it.status === "paused";
  const next = inPlace(it, "waiting").some(({ level }) => level === active[0]?.level);
  return active.length >= it.concurrent || (active.length > 0 && !next);
};

const isMoving = ({ place }: Wave["members"][number]): boolean => place !== "waiting";

const stamped = (line: string): string => `${new Date().toISOString().slice(11, 19)}  ${line}`;

export const history = async (options: ControlOptions): Promise<Outcome> => {
  const all = await deskFor(options).call<readonly Wave[]>("GET", "/v1/waves");
  if (all.length === 0) return { exitCode: 0, text: "there has been no wave\n", data: all };
  const rows = all.map(({ id, startedAt, by, status, members, selection, reason, why }) => [
    id,
    timeOf(startedAt),
    by,
    status,
    members.length,
    selection,
    reason,
    why,
  ]);
  const head = ["wave", "started (UTC)", "by", "status", "tiers", "chosen by", "reason", "why"];
  return { exitCode: 0, text: table(head, rows), data: all };
};

export const told = (it: Wave | Proposed): Outcome => {
  if (isProposed(it)) return toldProposed(it);
  const back = ["stopping", "failed", "aborting", "aborted"].includes(it.status);
  return { exitCode: back ? takenBack : 0, text: shownWave(it), data: it };
};
