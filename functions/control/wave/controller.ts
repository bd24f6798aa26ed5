/** The controller of an environment's waves, one at a time: stores the state, observes the tiers' rollouts and starts the next ones. A crash at any point starts nothing twice. */

import type { WavePosition } from "../model/approval.ts";
import { Refusal } from "../model/refusal.ts";
import { isWaveOver, type Member, type RolloutSummary, type Wave } from "../model/wave.ts";
import { type Notify, type WaveNoticeKind, waveNotice } from "../notifications/notification.ts";
import { storedState } from "../notifications/stored-state.ts";
import { dueActions, observedMembers, reduceWave, type WaveCommand, type WaveEvent } from "./reducer.ts";

export interface WavePorts {
  readonly storage: Pick<DurableObjectStorage, "get" | "put" | "delete" | "list" | "setAlarm">;
  readonly rollouts: {
    /** @returns a description of the tier's running rollout, regardless of who started it; undefined if there is none */
    readonly runningRollout: (tier: string) => Promise<string | undefined>;
    /**
     * The rollout that this wave started; null if it started none.
     * @throws if that is unknown
     */
    readonly find: (it: Wave, member: Member) => Promise<RolloutSummary | null>;
    /**
     * Starts a rollout, or returns the one that this wave has already started.
     * @throws Refusal if it was refused; any other error if no answer came and it may have started
     */
    readonly start: (it: Wave, member: Member) => Promise<RolloutSummary>;
    /** @throws Refusal if the rollout is already rolled back or returning, or was started by someone else */
    readonly abort: (it: Wave, member: Member) => Promise<unknown>;
  };
  /** Delivers each notice at least once. */
  readonly notify: Notify;
  readonly now: () => number;
  readonly uuid: () => string;
}

export interface WaveStartRequest {
  readonly members: readonly Member[];
  readonly concurrent: number;
  readonly selection: string;
  readonly by: string;
  readonly reason: string;
}

export interface WaveCommandRequest {
  readonly command: WaveCommand;
  readonly all: boolean;
  readonly by: string;
  readonly reason: string;
  /** The wave's position when the command was proposed; refused if it has changed. */
  readonly approved?: WavePosition | undefined;
}

/** Interval between observations of the tiers' rollouts. */
const pollIntervalMs = 5000;
const maxPast = 20;

const past = "past/";

export const waveController = ({ storage, rollouts, notify: tell, now, uuid }: WavePorts) => {
  const archived = storedState<Wave>(storage, tell);
  const { runExclusive, load } = archived;
  const save = (it: Wave, kind?: WaveNoticeKind, by: string | null = null): Promise<void> =>
    archived.save(it, kind && ((count) => waveNotice(kind, it, by, count, now())));

  const applyEvent = (event: WaveEvent): Promise<void> =>
    runExclusive(async () => {
      const it = await load();
      if (!it) return;
      const next = reduceWave(it, event, now());
      if (next === it) return;
      const kind = next.status === it.status ? undefined : next.status === "running" ? "resumed" : next.status;
      await save(next, kind, event.kind === "asked" ? event.by : null);
    });

  const observeRollouts = async (it: Wave): Promise<void> => {
    const found = await Promise.all(
      // Without an answer it is unknown whether the rollout has started.
      observedMembers(it).map(async (member) => ({
        tier: member.tier,
        rollout: await rollouts.find(it, member).catch(() => undefined),
      })),
    );
    for (const { tier, rollout } of found) if (rollout !== undefined) await applyEvent({ kind: "seen", tier, rollout });
  };

  const startRollout = async (it: Wave, member: Member): Promise<void> => {
    const { tier } = member;
    try {
      await applyEvent({ kind: "seen", tier, rollout: await rollouts.start(it, member) });
    } catch (error) {
      // If the answer was lost, the next observation shows whether it has started.
      if (error instanceof Refusal) await applyEvent({ kind: "refused", tier, why: error.message });
    }
  };

  const abortRollout = async (it: Wave, member: Member): Promise<void> => {
    try {
      await rollouts.abort(it, member);
    } catch (error) {
      if (!(error instanceof Refusal)) return;
    }
    await applyEvent({ kind: "told", tier: member.tier });
  };

  const runningRollouts = async (members: readonly Member[]): Promise<readonly string[]> => {
    const all = members.flatMap(({ tier, along }) => [tier, ...along]);
    const found = await Promise.all(all.map((tier) => rollouts.runningRollout(tier)));
    return found.flatMap((it) => it ?? []);
  };

  /** @throws Refusal if a wave could not start now */
  const assertCanStart = async ({ members }: Pick<WaveStartRequest, "members">): Promise<void> => {
    const before = await load();
    if (before && !isWaveOver(before))
      throw new Refusal(
        `wave ${before.id} by ${before.by} is ${before.status}: ${before.why}; only one wave can run at a time`,
      );
    const others = await runningRollouts(members);
    if (others.length > 0) throw new Refusal(`rollouts are running: ${others.slice(0, 10).join("; ")}`);
  };

  const archive = async (it: Wave): Promise<void> => {
    await storage.put(`${past}${String(it.startedAt).padStart(15, "0")}/${it.id}`, it);
    const archived = [...(await storage.list({ prefix: past })).keys()];
    for (const key of archived.slice(0, -maxPast)) await storage.delete(key);
  };

  const runDueActions = async (): Promise<void> => {
    const before = await load();
    if (!before || isWaveOver(before)) return;
    await storage.setAlarm(now() + pollIntervalMs);
    await observeRollouts(before);
    await applyEvent({ kind: "looked" });
    for (const { kind, member } of dueActions(archived.latest() as Wave, now())) {
      // A person's command may have changed the state during the previous action.
      const it = archived.latest() as Wave;
      const isStillDue = dueActions(it, now()).some(
        (action) => action.kind === kind && action.member.tier === member.tier,
      );
      if (isStillDue) await (kind === "start" ? startRollout : abortRollout)(it, member);
    }
  };

  return {
    /** Observes the rollouts and runs the due actions. */
    reconcile: async (): Promise<void> => {
      await runDueActions();
      // Notices are sent after the due actions.
      const it = archived.latest();
      if (!(await archived.notify()) && (!it || isWaveOver(it))) await storage.setAlarm(now() + pollIntervalMs);
    },
    status: load,
    history: async (): Promise<readonly Wave[]> => {
      const archived = [...(await storage.list<Wave>({ prefix: past })).values()];
      return [...archived, ...([await load()].filter(Boolean) as Wave[])].toReversed();
    },
    check: (request: Pick<WaveStartRequest, "members">): Promise<void> => runExclusive(() => assertCanStart(request)),
    /** @throws Refusal if a wave or a rollout of one of its tiers is running */
    start: ({ members, concurrent, selection, by, reason }: WaveStartRequest): Promise<Wave> =>
      runExclusive(async () => {
        await assertCanStart({ members });
        const before = await load();
        if (before) await archive(before);
        const at = now();
        const it: Wave = {
          id: uuid().slice(0, 8),
          by,
          reason,
          selection,
          concurrent,
          startedAt: at,
          endedAt: null,
          status: "running",
          why: "started",
          members,
          notes: [{ at, what: `started: ${reason}`, by }],
        };
        await save(it, "started", by);
        await storage.setAlarm(at);
        return it;
      }),
    /** @throws Refusal */
    ask: async ({ command, all, by, reason, approved }: WaveCommandRequest): Promise<Wave> => {
      const before = await load();
      if (!before) throw new Refusal("there is no wave");
      await applyEvent({ kind: "asked", command, all, by, reason, approved });
      // Wakes the controller even if no action is due: the notice has to be sent.
      await storage.setAlarm(now());
      return archived.latest() as Wave;
    },
  };
};
