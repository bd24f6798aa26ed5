/** One tier's rollouts: what is kept, what is looked at, and what is done about it. A crash at any point loses nothing and does nothing twice. */

import { otherVersions, type RolloutPosition } from "../model/approval.ts";
import type { Finding, Verdict } from "../model/finding.ts";
import type { Platform } from "../model/platform.ts";
import { Refusal } from "../model/refusal.ts";
import {
  type Candidate,
  isOver,
  isRunning,
  messageOf,
  type Rollout,
  type Start,
  type Stretch,
  type Subject,
  splitOf,
} from "../model/rollout.ts";
import { stateOn } from "../notifications/stored-state.ts";
import { noticeOf, type Tell } from "../notifications/notification.ts";

import { described, releasable } from "./candidates.ts";
import type { News } from "./events.ts";
import type { Stage } from "./evidence.ts";
import { type Command, due, type Event, reduce } from "./reducer.ts";
import { beside } from "./verdict.ts";

export interface Ports {
  readonly storage: Pick<DurableObjectStorage, "get" | "put" | "setAlarm">;
  readonly platform: Platform;
  readonly evidence: (it: Rollout, stretch: Stretch) => Promise<Stage>;
  readonly judge: (it: Rollout, stages: readonly Stage[]) => Verdict;
  /** What the rollout's own queries say. */
  readonly queries: (it: Rollout) => Promise<readonly Finding[]>;
  readonly smoke: (it: Rollout) => Promise<{ readonly ok: boolean; readonly why: string }>;
  /** Takes each at least once. */
  readonly tell: Tell;
  readonly now: () => number;
  readonly random: () => number;
  readonly uuid: () => string;
}

/** How often a rollout that runs is looked at. */
const lookMs = 2000;
const mostKept = 50;
/** Characters of their JSON: the platform takes a value of 2 MiB, and a character may have two bytes. */
const mostKeptChars = 800_000;
/** Actions of one look: a decision or two for each Worker of a tier. */
const mostActions = 300;

const open = { verdict: "not-enough" } as const;

const past = "past";

export const rollouts = (ports: Ports) => {
  const { storage, now, random } = ports;
  const history = async () => (await storage.get<readonly Rollout[]>(past)) ?? [];
  const kept = stateOn<Rollout>(storage, ports.tell);
  const { alone, load } = kept;
  const keep = (it: Rollout, news?: News): Promise<void> =>
    kept.keep(it, news && ((count) => noticeOf(news.what, it, news.by, count, now())));

  const take = (event: Event): Promise<void> =>
    alone(async () => {
      const it = await load();
      if (!it) return;
      const { state: next, news } = reduce(it, event, now(), random());
      if (next !== it) await keep(next, news);
    });

  /** @returns whether the platform could be seen */
  const seen = async ({ subjects }: Rollout): Promise<boolean> => {
    for (const { worker } of subjects) {
      const answer = await ports.platform.deployments(worker);
      if (!answer.ok) return false;
      const [deployment] = answer.result;
      if (deployment) await take({ kind: "seen", worker, deployment });
    }
    return true;
  };

  const split = async (it: Rollout, subject: Subject, share: number): Promise<void> => {
    const { worker } = subject;
    const { seq } = it.goal;
    const answer = await ports.platform.split(worker, splitOf(subject, share), messageOf(it));
    // An answer that was lost is looked for with the platform before anything is done again.
    await take(
      answer.ok
        ? { kind: "split", seq, worker, deployment: answer.result.id }
        : { kind: "refused", seq, worker, fault: answer },
    );
  };

  const verdictOn = async (it: Rollout): Promise<Verdict> => {
    const stages = await Promise.all(
      it.stretches.filter(({ share }) => share > 0).map((stretch) => ports.evidence(it, stretch)),
    );
    const own = ports.judge(it, stages);
    // Nobody is waited for where it is clear already.
    return own.verdict === "fail" ? own : beside(own, await ports.queries(it));
  };

  const judged = async (it: Rollout): Promise<void> => {
    // Without telemetry nothing is proved, and a look that threw would be the last but five.
    const verdict = await verdictOn(it).catch((): Verdict => ({ ...open, findings: it.verdict?.findings ?? [] }));
    await take({ kind: "judged", seq: it.goal.seq, verdict });
  };

  /** One look at the platform and the evidence, and what follows from them. */
  const act = async (): Promise<void> => {
    const before = await load();
    if (!isRunning(before)) return;
    await storage.setAlarm(now() + lookMs);
    if (!(await seen(before))) return;
    for (let count = 0; count < mostActions; count++) {
      const it = kept.latest() as Rollout;
      const action = due(it, now());
      if (!action) break;
      if (action.kind === "smoke") await take({ kind: "smoked", seq: it.goal.seq, ...(await ports.smoke(it)) });
      else if (action.kind === "split") await split(it, action.subject, action.share);
      else await judged(it);
      const { goal } = kept.latest() as Rollout;
      // Nothing was decided: the platform is asked again later, and more evidence is waited for.
      if (goal.seq === it.goal.seq && (action.kind === "judge" || goal.attempts > it.goal.attempts)) break;
    }
    const after = kept.latest() as Rollout;
    if (isRunning(after)) await storage.setAlarm(wakeAt(after, now()));
  };

  return {
    look: async (): Promise<void> => {
      await act();
      // After what was decided was done.
      if (!(await kept.tell()) && !isRunning(kept.latest())) await storage.setAlarm(now() + lookMs);
    },
    status: load,
    history: async () => [...(await history()), ...([await load()].filter(Boolean) as Rollout[])].toReversed(),
    /** What `start` would release now. @throws Refusal where there is nothing to release */
    candidates: async ({ tier, facts }: Pick<Start, "tier" | "facts">): Promise<readonly Candidate[]> =>
      Promise.all(
        (await releasable(tier, facts, ports.platform)).map(({ subject }) => described(subject, ports.platform)),
      ),
    /** @throws Refusal where one runs already, there is nothing to release, or something else than was approved */
    start: ({ facts, wave, approved, ...given }: Start): Promise<Rollout> =>
      alone(async () => {
        const before = await load();
        if (before && wave !== undefined && before.wave === wave) return before;
        if (before && !isOver(before)) throw new Refusal(`a rollout of ${before.tier} is under way, by ${before.by}`);
        const found = await releasable(given.tier, facts, ports.platform);
        const subjects = found.map(({ subject }) => subject);
        const other = approved && otherVersions(approved, subjects);
        if (other) throw new Refusal(`what was approved does not hold: ${other}; propose it anew`);
        if (before) await storage.put(past, fitting([...(await history()), before]));
        const at = now();
        const it: Rollout = {
          ...given,
          id: ports.uuid().slice(0, 8),
          subjects,
          ...(wave !== undefined && { wave }),
          startedAt: at,
          endedAt: null,
          status: "running",
          step: 0,
          goal: { seq: 1, share: given.steps[0]?.share ?? 100, done: [], attempts: 0, notBefore: 0 },
          foreign: false,
          smoked: false,
          known: Object.fromEntries(found.map(({ subject, deployment }) => [subject.worker, deployment])),
          stretches: [],
          verdict: null,
          why: "it has begun",
          notes: [{ at, what: `started: ${given.reason}`, by: given.by }],
        };
        await keep(it, { what: "started", by: given.by });
        await storage.setAlarm(at);
        return it;
      }),
    /**
     * @param wave only where this wave began it
     * @param approved only where the rollout still stands there
     * @throws Refusal
     */
    ask: async (
      command: Command,
      by: string,
      reason: string,
      wave?: string,
      approved?: RolloutPosition,
    ): Promise<Rollout> => {
      const before = await load();
      if (!before) throw new Refusal("there is no rollout of this tier");
      if (wave !== undefined && before.wave !== wave) throw new Refusal("another rollout has been begun since");
      await take({ kind: "asked", command, by, reason, approved });
      // Also where nothing more is done, there is something to tell.
      await storage.setAlarm(now());
      return kept.latest() as Rollout;
    },
  };
};

/** The newest ones, as many as may be kept. */
const fitting = (all: readonly Rollout[]): readonly Rollout[] => {
  const sizes = all.map((it) => JSON.stringify(it).length);
  let from = all.length;
  for (let chars = 0; from > Math.max(0, all.length - mostKept); from--) {
    chars += sizes[from - 1] as number;
    if (chars > mostKeptChars) break;
  }
  return all.slice(from);
};

const wakeAt = (it: Rollout, now: number): number =>
  it.goal.done.length < it.subjects.length ? Math.max(now + 50, it.goal.notBefore) : now + lookMs;
