/** `postern rollout`: starts, commands and shows rollouts that control runs. */

import { isOver, type Rollout } from "../../../functions/control/model/rollout.ts";
import type { Wave } from "../../../functions/control/model/wave.ts";
import type { Measurement } from "../../../functions/control/rollout/measurement.ts";
import { frontName } from "../../../functions/front/own-counts.ts";
import { overridesHeader } from "../../../functions/gateway/proxy/forwarding.ts";
import { compile } from "../../compiler/compile.ts";
import { type FrontStickiness, stickyLine } from "../../release/after-deploy.ts";
import { cleanCommit } from "../../release/commit.ts";
import { type ControlClient, ControlError, controlClientFor } from "../../release/control-client.ts";
import { environmentFor, targetOf } from "../../release/target.ts";
import { formatTime } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { confirm } from "../../terminal/prompt.ts";
import { table } from "../../terminal/table.ts";
import { isTerminal, print, printJson, redraw, warn } from "../../terminal/terminal.ts";
import { deploy } from "../release/deploy.ts";
import { findProposal, isProposed, type ProposalResult, proposalOutcome, renderProposal } from "../review/proposed.ts";
import type { ControlOptions } from "./options.ts";
import { rolloutLine, rolloutText } from "./rollout-view.ts";
import { outcomeOf as waveOutcome } from "./wave.ts";

interface StartRolloutOptions extends ControlOptions {
  readonly upload: boolean;
  readonly bake?: string | undefined;
  readonly watch?: true | undefined;
  readonly commit?: string | undefined;
}

/** Exit code if the release is rolled back. */
const rolledBackExitCode = 4;
const pollIntervalMs = 2000;

/** @param name `wallet`, or `wallet/balance` for a route's cutover */
const pathOf = (name: string): string => `/v1/tiers/${encodeURIComponent(name)}`;

export const start = async (tier: string, options: StartRolloutOptions): Promise<Outcome> => {
  const client = controlClientFor(options);
  const reason = options.message ?? "postern rollout start";
  // A cutover moves users to a gate that is already deployed, so nothing is uploaded.
  if (options.upload && !tier.includes("/")) {
    const uploaded = await deploy([tier], { ...options, split: "0" });
    if (uploaded.exitCode !== 0) return uploaded;
    const { front } = uploaded.data as { readonly front?: FrontStickiness };
    if (front && !front.sticky) warn(stickyLine(front));
  }
  const release = releaseOf(tier.split("/")[0] as string, options);
  // The commit of a version that was uploaded earlier is unknown here.
  const commit = options.commit ?? (options.upload ? await cleanCommit(options.root) : undefined);
  const it = await client.call<Rollout | ProposalResult>("POST", `${pathOf(tier)}/rollouts`, {
    reason,
    release: { ...release, ...(options.bake !== undefined && { bake: options.bake }) },
    commit,
  });
  return options.watch && !isProposed(it) ? watch(tier, options) : outcomeOf(it);
};

/** Reads the current manifest, or the environment for the front; control's plan may be older. */
const releaseOf = (tier: string, { root, target, env }: ControlOptions) => {
  const { tiers, environment } = compile(root, environmentFor(targetOf(target), env));
  if (tier === frontName) return environment.value.front.release;
  const tierManifest = tiers.find(({ checked }) => checked.manifest.tier === tier);
  if (!tierManifest) throw new Error(`there is no valid manifest of a tier "${tier}"`);
  return tierManifest.checked.manifest.release;
};

export const sendCommand = async (
  command: "pause" | "resume" | "promote" | "abort",
  tier: string,
  options: ControlOptions,
): Promise<Outcome> => {
  const reason = options.message ?? "";
  return outcomeOf(await controlClientFor(options).call("POST", `${pathOf(tier)}/rollout/${command}`, { reason }));
};

export const status = async (tier: string, options: ControlOptions): Promise<Outcome> => {
  const client = controlClientFor(options);
  const it = await client.call<Rollout | null>("GET", `${pathOf(tier)}/rollout`);
  return it
    ? outcomeOf(it, await measurementOf(client, tier))
    : { exitCode: 0, text: `${tier} has no rollout\n`, data: null };
};

/** Redraws in a terminal; writes a line per change into a pipe, and a line per poll with --json. */
export const watch = async (tier: string, options: ControlOptions): Promise<Outcome> => {
  const client = controlClientFor(options);
  const isInteractive = isTerminal("stdout") && !options.json;
  let last = "";
  for (;;) {
    const it = await client.call<Rollout | null>("GET", `${pathOf(tier)}/rollout`);
    if (!it) return { exitCode: 0, text: `${tier} has no rollout\n`, data: null };
    const measured = await measurementOf(client, tier);
    if (options.json) printJson({ ...it, measured });
    if (isOver(it) || it.status === "paused")
      return { ...outcomeOf(it, measured), ...(options.json && { data: undefined }) };
    const key = `${it.status} ${it.goal.seq} ${it.goal.done.length} ${it.why}`;
    if (isInteractive) redraw(rolloutText(it, Date.now(), measured));
    else if (!options.json && key !== last) print(rolloutLine(it, measured));
    last = key;
    await new Promise((wake) => setTimeout(wake, pollIntervalMs));
  }
};

/** @returns null if control is older than this command */
const measurementOf = (client: ControlClient, tier: string): Promise<Measurement | null> =>
  client.call<Measurement>("GET", `${pathOf(tier)}/rollout/measured`).catch((error) => {
    if (error instanceof ControlError && error.status === 404) return null;
    throw error;
  });

export const history = async (tier: string, options: ControlOptions): Promise<Outcome> => {
  const all = await controlClientFor(options).call<readonly Rollout[]>("GET", `${pathOf(tier)}/rollouts`);
  if (all.length === 0) return { exitCode: 0, text: `${tier} has no rollout\n`, data: all };
  const rows = all.map(({ id, startedAt, by, status, why, reason }) => [
    id,
    formatTime(startedAt),
    by,
    status,
    reason,
    why,
  ]);
  return { exitCode: 0, text: table(["rollout", "started (UTC)", "by", "status", "reason", "why"], rows), data: all };
};

/** Approves a proposal of a rollout or a wave. Only what was shown is approved. */
export const approve = async (id: string, options: ControlOptions): Promise<Outcome> => {
  const client = controlClientFor(options);
  const proposal = await findProposal(client, id);
  warn(renderProposal(proposal));
  if (!(await confirm(`Approve the proposal of ${proposal.by}?`)))
    return { exitCode: 1, text: "not approved; the proposal is still waiting\n", data: null };
  const { fingerprint } = proposal;
  const it = await client.call<Rollout | Wave>("POST", `/v1/proposals/${id}`, { fingerprint });
  return "members" in it ? waveOutcome(it) : outcomeOf(it);
};

/** Prints the header that selects the new version. The platform selects that of the front, ahead of all code. */
export const label = async (tier: string, options: ControlOptions): Promise<Outcome> => {
  if (tier === frontName) {
    const it = await controlClientFor(options).call<Rollout | null>("GET", `${pathOf(tier)}/rollout`);
    const [subject] = it?.subjects ?? [];
    if (!subject) throw new Error("there is no rollout of front");
    const value = `${subject.worker}="${subject.canary}"`;
    return { exitCode: 0, text: `${overridesHeader}: ${value}\n`, data: { header: overridesHeader, value } };
  }
  const { label } = await controlClientFor(options).call<{ label: string }>("POST", `${pathOf(tier)}/label`, {});
  return { exitCode: 0, text: `postern-label: ${label}\n`, data: { header: "postern-label", value: label } };
};

const outcomeOf = (it: Rollout | ProposalResult, measured: Measurement | null = null): Outcome => {
  if (isProposed(it)) return proposalOutcome(it);
  const isBack = it.status === "rolled-back" || it.status === "returning";
  return {
    exitCode: isBack ? rolledBackExitCode : 0,
    text: rolloutText(it, Date.now(), measured),
    data: { ...it, ...(measured && { measured }) },
  };
};
