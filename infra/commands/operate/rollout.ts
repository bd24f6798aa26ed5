/** `postern rollout`: the controlled ramp from one version to the next, as control runs it. */

import { isOver, type Rollout } from "../../../functions/control/model/rollout.ts";
import type { Wave } from "../../../functions/control/model/wave.ts";
import type { Measured } from "../../../functions/control/rollout/measurement.ts";
import { compile } from "../../compiler/compile.ts";
import { commitOf } from "../../release/commit.ts";
import { type Desk, DeskFault, deskFor } from "../../release/control-client.ts";
import { environmentFor, targetOf } from "../../release/target.ts";
import { timeOf } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { confirmed } from "../../terminal/prompt.ts";
import { table } from "../../terminal/table.ts";
import { isTerminal, print, printJson, redraw, warn } from "../../terminal/terminal.ts";
import { deploy } from "../release/deploy.ts";
import { isProposed, type Proposed, proposalOf, shownProposal, toldProposed } from "../review/proposed.ts";
import type { ControlOptions } from "./options.ts";
import { line, shown } from "./rollout-view.ts";
import { told as toldWave } from "./wave.ts";

interface StartOptions extends ControlOptions {
  readonly upload: boolean;
  readonly bake?: string | undefined;
  readonly watch?: true | undefined;
  readonly commit?: string | undefined;
}

/** A release that was taken back. */
const rolledBack = 4;
const lookMs = 2000;

/** @param name `wallet`, or `wallet/balance` for a route that is cut over */
const pathOf = (name: string): string => `/v1/tiers/${encodeURIComponent(name)}`;

export const start = async (tier: string, options: StartOptions): Promise<Outcome> => {
  const desk = deskFor(options);
  const reason = options.message ?? "postern rollout start";
  // What is moved to the gate of a route that is cut over are users, and the gate is there.
  if (options.upload && !tier.includes("/")) {
    const uploaded = await deploy([tier], { ...options, split: "0" });
    if (uploaded.exitCode !== 0) return uploaded;
  }
  const { release } = manifestOf(tier.split("/")[0] as string, options);
  // Of a version that was uploaded before, nobody here knows.
  const commit = options.commit ?? (options.upload ? await commitOf(options.root) : undefined);
  const it = await desk.call<Rollout | Proposed>("POST", `${pathOf(tier)}/rollouts`, {
    reason,
    release: { ...release, ...(options.bake !== undefined && { bake: options.bake }) },
    commit,
  });
  return options.watch && !isProposed(it) ? watch(tier, options) : told(it);
};

/** Control may know an older one. */
const manifestOf = (tier: string, { root, target, env }: ControlOptions) => {
  const { tiers } = compile(root, environmentFor(targetOf(target), env));
  const found = tiers.find(({ checked }) => checked.manifest.tier === tier);
  if (!found) throw new Error(`there is no tier "${tier}" whose manifest holds`);
  return found.checked.manifest;
};

export const ask = async (
  command: "pause" | "resume" | "promote" | "abort",
  tier: string,
  options: ControlOptions,
): Promise<Outcome> => {
  const reason = options.message ?? "";
  return told(await deskFor(options).call("POST", `${pathOf(tier)}/rollout/${command}`, { reason }));
};

export const status = async (tier: string, options: ControlOptions): Promise<Outcome> => {
  const desk = deskFor(options);
  const it = await desk.call<Rollout | null>("GET", `${pathOf(tier)}/rollout`);
  return it
    ? told(it, await measuredIn(desk, tier))
    : { exitCode: 0, text: `${tier} has had no rollout\n`, data: null };
};

/** Draws it anew in a terminal; in a pipe each change is written below the last, as JSON each look in a line. */
export const watch = async (tier: string, options: ControlOptions): Promise<Outcome> => {
  const desk = deskFor(options);
  const drawn = isTerminal("stdout") && !options.json;
  let last = "";
  for (;;) {
    const it = await desk.call<Rollout | null>("GET", `${pathOf(tier)}/rollout`);
    if (!it) return { exitCode: 0, text: `${tier} has had no rollout\n`, data: null };
    const measured = await measuredIn(desk, tier);
    if (options.json) printJson({ ...it, measured });
    if (isOver(it) || it.status === "paused")
      return { ...told(it, measured), ...(options.json && { data: undefined }) };
    const key = `${it.status} ${it.goal.seq} ${it.goal.done.length} ${it.why}`;
    if (drawn) redraw(shown(it, Date.now(), measured));
    else if (!options.json && key !== last) print(line(it, measured));
    last = key;
    await new Promise((wake) => setTimeout(wake, lookMs));
  }
};

/** @returns null from a control that is older than this */
const measuredIn = (desk: Desk, tier: string): Promise<Measured | null> =>
  desk.call<Measured>("GET", `${pathOf(tier)}/rollout/measured`).catch((error) => {
    if (error instanceof DeskFault && error.status === 404) return null;
    throw error;
  });

export const history = async (tier: string, options: ControlOptions): Promise<Outcome> => {
  const all = await deskFor(options).call<readonly Rollout[]>("GET", `${pathOf(tier)}/rollouts`);
  if (all.length === 0) return { exitCode: 0, text: `${tier} has had no rollout\n`, data: all };
  const rows = all.map(({ id, startedAt, by, status, why, reason }) => [
    id,
    timeOf(startedAt),
    by,
    status,
    reason,
    why,
  ]);
  return { exitCode: 0, text: table(["rollout", "started (UTC)", "by", "status", "reason", "why"], rows), data: all };
};

/** Of a rollout, or of a wave. Approved is what was shown, and nothing else. */
export const approve = async (id: string, options: ControlOptions): Promise<Outcome> => {
  const desk = deskFor(options);
  const proposal = await proposalOf(desk, id);
  warn(shownProposal(proposal));
  if (!(await confirmed(`Approve what ${proposal.by} proposed?`)))
    return { exitCode: 1, text: "not approved; it goes on waiting\n", data: null };
  const { fingerprint } = proposal;
  const it = await desk.call<Rollout | Wave>("POST", `/v1/proposals/${id}`, { fingerprint });
  return "members" in it ? toldWave(it) : told(it);
};

/** A header that brings its bearer to the version that is tried. */
export const label = async (tier: string, options: ControlOptions): Promise<Outcome> => {
  const { label } = await deskFor(options).call<{ label: string }>("POST", `${pathOf(tier)}/label`, {});
  return { exitCode: 0, text: `postern-label: ${label}\n`, data: { header: "postern-label", value: label } };
};

const told = (it: Rollout | Proposed, measured: Measured | null = null): Outcome => {
  if (isProposed(it)) return toldProposed(it);
  const back = it.status === "rolled-back" || it.status === "returning";
  return {
    exitCode: back ? rolledBack : 0,
    text: shown(it, Date.now(), measured),
    data: { ...it, ...(measured && { measured }) },
  };
};
