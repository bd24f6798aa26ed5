/**
 * What a deployment must not do by accident: deploy over a rollout, which would pause and leave its version where it is, and
 * give a version to users from whom it was taken back.
 */
import { isOver, isWatched, type Rollout } from "../../functions/control/model/rollout.ts";
import { shareOf, stateOf } from "../../functions/control/model/rollout-state.ts";
import { frontName } from "../../functions/front/front-name.ts";
import type { Emitted } from "../compiler/emit/emit.ts";
import type { Releases } from "./releases.ts";
import { type RolloutKnowledge, type RolloutsOfTier, rolloutsIn } from "./rollout-knowledge.ts";
import { type TakenBack, takenBackText, takenBackVersions } from "./taken-back.ts";

export interface DeployGuard {
  /**
   * Called before the Worker is changed.
   * @param version the version to deploy, if it is uploaded already
   * @param split the share that it would get, in per cent
   * @returns why it is refused, with the remedy; undefined if it may be deployed
   */
  readonly refusalOf: (
    it: Pick<Emitted, "worker" | "tiers" | "kind">,
    releases: Releases,
    version: string | undefined,
    split: number,
  ) => Promise<string | undefined>;
}

/** @param retries whether a version that was taken back may be deployed: a wave tries it again, measured */
export const deployGuard = (rolloutsOf: RolloutsOfTier, retries: boolean): DeployGuard => ({
  refusalOf: async ({ worker, tiers, kind }, releases, version, split) => {
    const tier = kind === "front" ? frontName : (tiers[0] ?? worker);
    const known = await rolloutsOf(tier);
    const running = runningRollout(known, releases);
    if (running) return `${running.text}\n${overRolloutRemedy(tier, running.waits)}`;
    if (version === undefined || retries) return undefined;
    const back = takenBackVersions(worker, releases, rolloutsIn(known)).get(version);
    if (!back?.isRollback) return undefined;
    const command = canBeRetried(worker, back, known, releases) ? "retry" : "start";
    // At 0 % it meets no users. A start measures it, and what can be retried is not started by accident.
    if (split === 0 && command === "start") return undefined;
    const measured = command === "retry" || "rollouts" in known;
    const remedy = measured ? `release it measured: npx postern rollout ${command} ${tier}; or deploy` : "deploy";
    return `version ${version.slice(0, 8)} was taken back ${takenBackText(back)}\n${remedy} it all the same: --force`;
  },
});

/** Whether it came back from the last rollout, and nothing was deployed since. */
const canBeRetried = (
  worker: string,
  { rollout }: TakenBack,
  known: RolloutKnowledge,
  { deployments: [newest] }: Releases,
): boolean => {
  if (rollout === undefined || newest?.versions.length !== 1) return false;
  if (!("rollouts" in known))
    return newest.annotations?.["workers/message"]?.startsWith(`postern ${rollout}/`) === true;
  const [last] = known.rollouts;
  const stable = last?.subjects.find((it) => it.worker === worker)?.stable;
  return last?.id === rollout && newest.versions[0]?.version_id === stable;
};

const overRolloutRemedy = (tier: string, waits: boolean): string => {
  const first = waits
    ? `see what it waits for (npx postern rollout status ${tier})`
    : `let it end (npx postern rollout watch ${tier})`;
  return `${first}, or end it (npx postern rollout abort ${tier}); --force deploys over it, and it pauses`;
};

interface RunningRollout {
  /** As `rollout 1fe43f7b by alice is running at 50 %`. */
  readonly text: string;
  /** Whether it waits for a person. */
  readonly waits: boolean;
}

/** @returns undefined if none is known */
const runningRollout = (known: RolloutKnowledge, { deployments: [newest] }: Releases): RunningRollout | undefined => {
  const [last] = rolloutsIn(known) ?? [];
  if ("rollouts" in known) return last && !isOver(last) && !isWatched(last) ? runningOf(last) : undefined;
  const [, id, share] =
    /^postern ([^/\s]+)\/\d+: ([\d.]+) %$/.exec(newest?.annotations?.["workers/message"] ?? "") ?? [];
  if (!newest || id === undefined || newest.versions.length < 2) return undefined;
  const text = `rollout ${id} is running or paused at ${share} %, as the platform's last deployment says (${known.unknown})`;
  return { text, waits: false };
};

const runningOf = (it: Rollout): RunningRollout => {
  const state = stateOf(it);
  const why = state === "running" ? "" : ` (${it.why})`;
  return {
    text: `rollout ${it.id} by ${it.by} is ${state} at ${shareOf(it)} %${why}`,
    waits: state === "waiting" || state === "paused",
  };
};
