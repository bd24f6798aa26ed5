/** The controller of a tier's rollouts: stores the state, runs due actions and commands. A crash at any point loses nothing and repeats nothing. */

import { type RolloutPosition, versionMismatch } from "../model/approval.ts";
import { againText, attemptOf } from "../model/attempt.ts";
import type { Platform } from "../model/platform.ts";
import { Refusal } from "../model/refusal.ts";
import {
  type Attempt,
  type Candidate,
  isUnderWay,
  isWatched,
  type Rollout,
  type RolloutStart,
  type Subject,
} from "../model/rollout.ts";
import { parseSubject } from "../model/subject.ts";
import { truncate } from "../model/text.ts";
import { rolloutNotice } from "../notifications/notification.ts";
import { storedState } from "../notifications/stored-state.ts";
import { type ActionContext, pollIntervalMs, runDueActions } from "./actions.ts";
import { newAssignment } from "./assignment.ts";
import { describeVersion, findReleasable, type ReleaseRequest } from "./candidates.ts";
import type { RolloutCommand } from "./commands.ts";
import type { RolloutNotice } from "./events.ts";
import type { RolloutPorts } from "./ports.ts";
import { type RolloutEvent, reduce } from "./reducer.ts";
import { maxNoteChars } from "./transitions.ts";

const maxPast = 50;
/** Characters of the past rollouts' JSON: a stored value has 2 MiB at most, and a character may take two bytes. */
const maxPastChars = 800_000;

const past = "past";

export const rolloutController = (ports: RolloutPorts) => {
  const { storage, platform, now, random } = ports;
  const stored = storedState<Rollout>(storage, ports.notify);
  const { runExclusive, load } = stored;
  const latest = () => stored.latest() as Rollout;
  const save = (it: Rollout, notice?: RolloutNotice): Promise<void> =>
    stored.save(it, notice && ((count) => rolloutNotice(notice.kind, it, notice.by, count, now())));

  /** Oldest first. */
  const allRollouts = async (): Promise<Rollout[]> => {
    const it = await load();
    return [...(await pastRollouts(storage)), ...(it ? [it] : [])];
  };

  const applyEvent = (event: RolloutEvent): Promise<void> =>
    runExclusive(async () => {
      const it = await load();
      if (!it) return;
      const { state: next, notice } = reduce(it, event, now(), random());
      if (next !== it) await save(next, notice);
    });

  const context = { ports, load, latest, applyEvent, observed: { at: Number.NEGATIVE_INFINITY } };

  return {
    reconcile: async (): Promise<void> => {
      await runDueActions(context);
      // Notices are sent after the due actions.
      if (!(await stored.notify()) && !isUnderWay(stored.latest())) await storage.setAlarm(now() + pollIntervalMs);
    },
    status: load,
    history: async (): Promise<Rollout[]> => (await allRollouts()).toReversed(),
    /** What `start` would release now. @throws Refusal if there is nothing to release */
    candidates: async (request: ReleaseRequest) => {
      await endWatchForNewer(context);
      return candidatesOf(request, await allRollouts(), platform);
    },
    /** @throws Refusal if a rollout is running, there is nothing to release, or the versions differ from the approved ones */
    start: async (request: RolloutStart): Promise<Rollout> => {
      await endWatchForNewer(context);
      return runExclusive(async () => {
        const before = await load();
        if (before && isStartedBy(before, request.wave)) return before;
        const earlier = await allRollouts();
        const it = await newRollout(request, before, earlier, ports);
        if (before) await storage.put(past, newestThatFit(earlier));
        await save(it, { kind: "started", by: request.by });
        await storage.setAlarm(it.startedAt);
        return it;
      });
    },
    /**
     * @param wave refuses if another wave, or none, started the rollout
     * @param approved refuses if the rollout's position has changed
     * @throws Refusal
     */
    ask: async (
      command: RolloutCommand,
      by: string,
      reason: string,
      wave?: string,
      approved?: RolloutPosition,
    ): Promise<Rollout> => {
      assertCommandable(await load(), wave);
      await applyEvent({ kind: "asked", command, by, reason, approved });
      // Wakes the controller even if no action is due: the notice has to be sent.
      await storage.setAlarm(now());
      return latest();
    },
  };
};

/** A newer version beside the promoted one ends its watch; this does not wait for the next reconciliation. */
const endWatchForNewer = async (context: ActionContext): Promise<void> => {
  const it = await context.load();
  if (isUnderWay(it) && isWatched(it)) await runDueActions(context, true);
};

/** @throws Refusal */
const assertCommandable = (it: Rollout | undefined, wave: string | undefined): void => {
  if (!it) throw new Refusal("this tier has no rollout");
  if (wave !== undefined && it.wave !== wave) throw new Refusal("another rollout has been started since");
};

const isStartedBy = (it: Rollout, wave: string | undefined): boolean => wave !== undefined && it.wave === wave;

const candidatesOf = async (
  request: ReleaseRequest,
  earlier: readonly Rollout[],
  platform: Platform,
): Promise<readonly Candidate[]> => {
  const found = await findReleasable(request, earlier.at(-1), platform);
  const subjects = found.map(({ subject }) => subject);
  const attempt = attemptAt(request.tier, subjects, earlier);
  const again = attempt && againText(attempt);
  const candidates = await Promise.all(subjects.map((subject) => describeVersion(subject, platform)));
  return again === undefined ? candidates : candidates.map((it) => ({ ...it, again }));
};

/** @returns undefined for a cutover: the gate and the old gateway are no versions */
const attemptAt = (tier: string, subjects: readonly Subject[], earlier: readonly Rollout[]): Attempt | undefined =>
  parseSubject(tier).route === null ? attemptOf(subjects, earlier) : undefined;

/** @throws Refusal if a rollout is running, there is nothing to release, or the versions differ from the approved ones */
const newRollout = async (
  { facts, wave, approved, retry, ...request }: RolloutStart,
  before: Rollout | undefined,
  earlier: readonly Rollout[],
  { platform, now, uuid }: RolloutPorts,
): Promise<Rollout> => {
  if (isUnderWay(before)) throw new Refusal(underWayReason(before));
  const found = await findReleasable({ tier: request.tier, facts, retry }, before, platform);
  const subjects = found.map(({ subject }) => subject);
  const mismatch = approved && versionMismatch(approved, subjects);
  if (mismatch) throw new Refusal(`what was approved does not hold: ${mismatch}; propose it again`);
  const at = now();
  const attempt = attemptAt(request.tier, subjects, earlier);
  const assignment = newAssignment(request, found, earlier);
  const begun = ["started", attempt && againText(attempt)].filter(Boolean).join("; ");
  return {
    ...request,
    id: uuid().slice(0, 8),
    subjects,
    ...(attempt && { attempt }),
    ...(wave !== undefined && { wave }),
    startedAt: at,
    endedAt: null,
    status: "running",
    step: 0,
    goal: { seq: 1, share: request.steps[0]?.share ?? 100, done: [], attempts: 0, notBefore: 0 },
    ...(assignment && { assignment }),
    foreign: false,
    smoked: false,
    known: Object.fromEntries(found.map(({ subject, deployment }) => [subject.worker, deployment.id])),
    stretches: [],
    verdict: null,
    why: begun,
    notes: [{ at, what: truncate(`${begun}: ${request.reason}`, maxNoteChars), by: request.by }],
  };
};

const underWayReason = (it: Rollout): string =>
  isWatched(it)
    ? `${it.tier} has no version that is newer than the one in its watch: npx postern deploy ${it.tier} --split 0; npx postern rollout promote ${it.tier} ends the watch`
    : `a rollout of ${it.tier} is under way, by ${it.by}`;

const pastRollouts = async (storage: RolloutPorts["storage"]): Promise<readonly Rollout[]> =>
  (await storage.get<readonly Rollout[]>(past)) ?? [];

/** The newest past rollouts that fit into the stored value. */
const newestThatFit = (all: readonly Rollout[]): readonly Rollout[] => {
  const sizes = all.map((it) => JSON.stringify(it).length);
  let from = all.length;
  for (let chars = 0; from > Math.max(0, all.length - maxPast); from--) {
    chars += sizes[from - 1] as number;
    if (chars > maxPastChars) break;
  }
  return all.slice(from);
};
