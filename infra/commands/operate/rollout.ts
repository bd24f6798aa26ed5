/** `postern rollout`: starts, commands and shows rollouts that control runs. */

import type { LiveSplit } from "../../../functions/control/model/platform.ts";
import { isOver, type Rollout } from "../../../functions/control/model/rollout.ts";
import { stateOf } from "../../../functions/control/model/rollout-state.ts";
import type { Wave } from "../../../functions/control/model/wave.ts";
import { promotionWarning } from "../../../functions/control/rollout/promotion.ts";
import type { Measurement } from "../../../functions/control/verdict/measurement.ts";
import { frontName } from "../../../functions/front/front-name.ts";
import { overridesHeader } from "../../../functions/gateway/proxy/forwarding.ts";
import { type FrontStickiness, stickyLine } from "../../release/after-deploy.ts";
import { cleanCommit } from "../../release/commit.ts";
import { type ControlClient, ControlError, controlClientFor } from "../../release/control-client.ts";
import { retryingReads } from "../../release/retrying-client.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { confirm } from "../../terminal/prompt.ts";
import { isTerminal, print, printJson, redraw, toOneLine, warn } from "../../terminal/terminal.ts";
import { deploy } from "../release/deploy.ts";
import { findProposal, isProposed, type ProposalResult, proposalOutcome, renderProposal } from "../review/proposed.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { readLive } from "./live-share.ts";
import { type ControlOptions, repeated } from "./options.ts";
import type { PlannedStart } from "./planned-start.ts";
import { plannedStart, releaseOf } from "./rollout-plan.ts";
import { planText } from "./rollout-plan-view.ts";
import { rolloutLine, rolloutText } from "./rollout-view.ts";
import { acceptedOutcome as waveOutcome } from "./wave.ts";

interface RetryOptions extends ControlOptions {
  readonly bake?: string | undefined;
  readonly watch?: true | undefined;
}

interface StartRolloutOptions extends RetryOptions {
  readonly upload: boolean;
  readonly commit?: string | undefined;
}

const pollIntervalMs = 2000;

/** @param name `wallet`, or `wallet/balance` for a route's cutover */
const pathOf = (name: string): string => `/v1/tiers/${encodeURIComponent(name)}`;

export const start = async (tier: string, options: StartRolloutOptions): Promise<Outcome> => {
  const client = controlClientFor(options);
  const reason = options.message ?? "postern rollout start";
  const isUploading = options.upload && !tier.includes("/");
  // It says what is wrong with the manifest, and uploads nothing.
  if (isUploading && !releaseOf(tier, options)) return deploy([tier], { ...options, split: "0" });
  const planned = await shownPlan(client, tier, options);
  // A cutover moves users to a gate that is already deployed, so nothing is uploaded.
  if (isUploading) {
    const uploaded = await deploy([tier], { ...options, split: "0" });
    if (uploaded.exitCode !== 0) return uploaded;
    const { front } = uploaded.data as { readonly front?: FrontStickiness };
    if (front && !front.sticky) warn(stickyLine(front));
  }
  // The commit of a version that was uploaded earlier is unknown here.
  const commit = options.commit ?? (options.upload ? await cleanCommit(options.root) : undefined);
  return startOf(client, planned, { reason, commit }, options);
};

/** Starts the version again that came back from the last rollout: it is uploaded, and has no share. */
export const retry = async (tier: string, options: RetryOptions): Promise<Outcome> => {
  if (tier.includes("/")) throw new Error(`a cutover has no versions: npx postern rollout start ${tier}`);
  const reason = options.message ?? "postern rollout retry";
  const client = controlClientFor(options);
  return startOf(client, await shownPlan(client, tier, options), { reason, retry: true }, options);
};

/** Shows what the release will take, before anything is changed. */
const shownPlan = async (client: ControlClient, tier: string, options: RetryOptions): Promise<PlannedStart> => {
  const planned = await plannedStart(client, tier, options);
  if (!options.json) print(`${planText(planned)}\n`);
  return planned;
};

const startOf = async (
  client: ControlClient,
  { tier, release, plan }: PlannedStart,
  body: object,
  { watch: isWatched, ...options }: RetryOptions,
): Promise<Outcome> => {
  const it = await client.call<Rollout | ProposalResult>("POST", `${pathOf(tier)}/rollouts`, { ...body, release });
  if (isWatched && !isProposed(it)) return watch(tier, options);
  const outcome = acceptedOutcome(it, options);
  return { ...outcome, data: { ...(outcome.data as object), plan } };
};

interface CommandOptions extends ControlOptions {
  readonly yes?: true | undefined;
}

export const sendCommand = async (
  command: "pause" | "resume" | "promote" | "abort",
  tier: string,
  options: CommandOptions,
): Promise<Outcome> => {
  const client = controlClientFor(options);
  if (command === "promote" && !(await isPromotionConfirmed(client, tier, options)))
    return { exitCode: 1, text: "not promoted\n", data: null };
  const reason = options.message ?? "";
  const it = await client.call<Rollout | ProposalResult>("POST", `${pathOf(tier)}/rollout/${command}`, { reason });
  return acceptedOutcome(it, options);
};

/** Warns of a promotion without evidence, and asks in a terminal. */
const isPromotionConfirmed = async (client: ControlClient, tier: string, { yes }: CommandOptions): Promise<boolean> => {
  const it = await client.call<Rollout | null>("GET", `${pathOf(tier)}/rollout`);
  const warning = it && !isOver(it) ? promotionWarning(it) : undefined;
  if (warning === undefined) return true;
  warn(`${toOneLine(warning)}\n`);
  return yes === true || confirm(`Promote ${tier} all the same?`);
};

export const status = async (tier: string, options: ControlOptions): Promise<Outcome> => {
  const client = controlClientFor(options);
  const it = await client.call<Rollout | null>("GET", `${pathOf(tier)}/rollout`);
  return it
    ? stateOutcome(it, options, {
        measured: await measurementOf((path) => client.call("GET", path), tier),
        live: await readLive(client, pathOf(tier)),
      })
    : { exitCode: 0, text: `${tier} has no rollout\n`, data: null };
};

/** Redraws in a terminal; writes a line per change into a pipe, and a line per poll with --json. */
export const watch = async (tier: string, options: ControlOptions): Promise<Outcome> => {
  const client = controlClientFor(options);
  const read = retryingReads(client, "the rollout");
  const isInteractive = isTerminal("stdout") && !options.json;
  let last = "";
  for (;;) {
    const it = await read<Rollout | null>(`${pathOf(tier)}/rollout`);
    if (!it) throw new Error(`${tier} has no rollout to watch: npx postern rollout start ${tier}`);
    const measured = await measurementOf(read, tier);
    const live = await readLive(client, pathOf(tier));
    if (options.json) printJson({ ...it, measured, live });
    if (isOver(it) || it.status === "paused" || stateOf(it) === "waiting")
      return { ...stateOutcome(it, options, { measured, live }), ...(options.json && { data: undefined }) };
    const key = `${it.status} ${it.goal.seq} ${it.goal.done.length} ${it.alerts?.length ?? 0} ${it.why}`;
    if (isInteractive) redraw(rolloutText(it, Date.now(), measured, { live, options: repeated(options) }));
    else if (!options.json && key !== last) print(rolloutLine(it, measured, live));
    last = key;
    await new Promise((wake) => setTimeout(wake, pollIntervalMs));
  }
};

/** @returns null if control is older than this command */
const measurementOf = (read: (path: string) => Promise<Measurement>, tier: string): Promise<Measurement | null> =>
  read(`${pathOf(tier)}/rollout/measured`).catch((error) => {
    if (error instanceof ControlError && error.status === 404) return null;
    throw error;
  });

/** Approves a proposal of a rollout or a wave. Only what was shown is approved. */
export const approve = async (id: string, options: ControlOptions): Promise<Outcome> => {
  const client = controlClientFor(options);
  const proposal = await findProposal(client, id);
  warn(renderProposal(proposal));
  if (!(await confirm(`Approve the proposal of ${proposal.by}?`)))
    return { exitCode: 1, text: "not approved; the proposal is still waiting\n", data: null };
  const { fingerprint } = proposal;
  const it = await client.call<Rollout | Wave>("POST", `/v1/proposals/${id}`, { fingerprint });
  return "members" in it ? waveOutcome(it, options) : acceptedOutcome(it, options);
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

/** Control accepted a command: it is done, whatever the state that it leads to. */
const acceptedOutcome = (it: Rollout | ProposalResult, options: ControlOptions): Outcome =>
  isProposed(it) ? proposalOutcome(it) : { ...stateOutcome(it, options), exitCode: 0 };

interface Observed {
  readonly measured: Measurement | null;
  readonly live: readonly LiveSplit[] | null;
}

const stateOutcome = (
  it: Rollout,
  options: ControlOptions,
  { measured, live }: Observed = { measured: null, live: null },
): Outcome => ({
  exitCode: exitCodeOf(it),
  text: rolloutText(it, Date.now(), measured, { live, options: repeated(options) }),
  data: { ...it, ...(measured && { measured }), ...(live && { live }) },
});
