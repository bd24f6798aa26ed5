/** `postern wave`: starts, commands and shows waves that control runs. */

import { isWaveOver, type Wave } from "../../../functions/control/model/wave.ts";
import { compile } from "../../compiler/compile.ts";
import { controlClientFor } from "../../release/control-client.ts";
import type { DeployedWorker } from "../../release/deploy-worker.ts";
import { retryingReads } from "../../release/retrying-client.ts";
import { environmentFor, targetOf } from "../../release/target.ts";
import { type SelectionOptions, selectTiers, type WaveSelection } from "../../release/wave-selection.ts";
import { formatTime } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";
import { isTerminal, print, printJson, redraw, toOneLine, toOneLineValues } from "../../terminal/terminal.ts";
import { deploy } from "../release/deploy.ts";
import { isProposed, type ProposalResult, proposalOutcome } from "../review/proposed.ts";
import { needsPerson, waveExitCodeOf } from "./exit-codes.ts";
import { type ControlOptions, repeated } from "./options.ts";
import { lineOf, waveText } from "./wave-view.ts";

interface StartWaveOptions extends ControlOptions, SelectionOptions {
  readonly concurrent: string;
  readonly bake?: string | undefined;
  readonly watch?: true | undefined;
}

interface WaveCommandOptions extends ControlOptions {
  readonly all?: true | undefined;
}

const pollIntervalMs = 1000;

export const start = async (options: StartWaveOptions): Promise<Outcome> => {
  const { root, target, env, message: reason = "postern wave start" } = options;
  const concurrent = Number(options.concurrent);
  if (!Number.isInteger(concurrent) || concurrent < 1 || concurrent > 50)
    throw new Error(`--concurrent takes a number from 1 to 50, not "${options.concurrent}"`);
  const client = controlClientFor(options);
  const selection = selectTiers(compile(root, environmentFor(targetOf(target), env)), options);
  const requestFor = (tiers: readonly string[]) => ({
    reason,
    tiers,
    releases: releasesOf(selection, tiers, options.bake),
    concurrent,
    selection: selection.selection,
  });
  // Checked first, so that hundreds of uploads are not made for a wave that would be refused.
  await client.call("POST", "/v1/waves/check", requestFor(selection.tiers.map(({ tier }) => tier)));
  const uploaded = await deploy(
    selection.tiers.map(({ tier }) => tier),
    { root, env, target, split: "0", message: reason, retries: true },
  );
  if (uploaded.exitCode !== 0) return uploaded;
  const changed = changedIn(selection, uploaded);
  if (changed.length === 0)
    return { exitCode: 0, text: `nothing has changed (${selection.selection}); no wave was started\n`, data: null };
  const it = await client.call<Wave | ProposalResult>("POST", "/v1/waves", requestFor(changed));
  return options.watch && !isProposed(it) ? watch(options) : acceptedOutcome(it, options);
};

const releasesOf = ({ tiers }: WaveSelection, names: readonly string[], bake: string | undefined) =>
  Object.fromEntries(
    tiers
      .filter(({ tier }) => names.includes(tier))
      .map(({ tier, release }) => [tier, { ...release, ...(bake !== undefined && { bake }) }]),
  );

/** Tiers with a Worker that has a new version beside the stable one. */
const changedIn = ({ tiers }: WaveSelection, { data }: Outcome): string[] => {
  const { workers } = data as { readonly workers: readonly DeployedWorker[] };
  const split = new Set(workers.filter(({ share }) => share < 100).map(({ worker }) => worker));
  return tiers.filter((it) => it.workers.some((worker) => split.has(worker))).map(({ tier }) => tier);
};

export const sendCommand = async (
  command: "pause" | "resume" | "abort",
  { all = undefined, ...options }: WaveCommandOptions,
): Promise<Outcome> => {
  const body = { reason: options.message ?? "", ...(all && { all }) };
  const it = await controlClientFor(options).call<Wave | ProposalResult>("POST", `/v1/wave/${command}`, body);
  return acceptedOutcome(it, options);
};

const noWave: Outcome = { exitCode: 0, text: "there is no wave\n", data: null };

export const status = async (options: ControlOptions): Promise<Outcome> => {
  const it = await controlClientFor(options).call<Wave | null>("GET", "/v1/wave");
  return it ? stateOutcome(it, options) : noWave;
};

/** Redraws in a terminal; writes a line per change into a pipe. */
export const watch = async (options: ControlOptions): Promise<Outcome> => {
  const read = retryingReads(controlClientFor(options), "the wave");
  const isInteractive = isTerminal("stdout") && !options.json;
  let last = new Set<string>();
  for (;;) {
    const it = await read<Wave | null>("/v1/wave");
    if (!it) throw new Error("there is no wave to watch: npx postern wave start");
    if (isWaveOver(it) || needsPerson(it)) return stateOutcome(it, options);
    const lines = options.json ? [JSON.stringify(it)] : linesOf(it);
    if (isInteractive) redraw(waveText(it, repeated(options)));
    else
      for (const line of lines.filter((line) => !last.has(line))) options.json ? printJson(it) : print(withTime(line));
    last = new Set(lines);
    await new Promise((wake) => setTimeout(wake, pollIntervalMs));
  }
};

/** The wave's reason, and a line for each tier that has started. */
export const linesOf = (it: Wave): string[] => [
  toOneLine(it.why),
  ...toOneLineValues(it.members).filter(isMoving).map(lineOf),
];

const isMoving = ({ place }: Wave["members"][number]): boolean => place !== "waiting";

const withTime = (line: string): string => `${new Date().toISOString().slice(11, 19)}  ${line}`;

export const history = async (options: ControlOptions): Promise<Outcome> => {
  const all = await controlClientFor(options).call<readonly Wave[]>("GET", "/v1/waves");
  if (all.length === 0) return { exitCode: 0, text: "there is no wave\n", data: all };
  const rows = all.map(({ id, startedAt, by, status, members, selection, reason, why }) => [
    id,
    formatTime(startedAt),
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

/** Control accepted a command: it is done, whatever the state that it leads to. */
export const acceptedOutcome = (it: Wave | ProposalResult, options: ControlOptions): Outcome =>
  isProposed(it) ? proposalOutcome(it) : { ...stateOutcome(it, options), exitCode: 0 };

const stateOutcome = (it: Wave, options: ControlOptions): Outcome => ({
  exitCode: waveExitCodeOf(it),
  text: waveText(it, repeated(options)),
  data: it,
});
