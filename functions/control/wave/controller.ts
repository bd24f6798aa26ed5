/** The waves of an environment, one at a time: what is kept, what is looked at, and what is begun. A crash at any point begins nothing twice. */

import type { WavePosition } from "../model/approval.ts";
import { Refusal } from "../model/refusal.ts";
import { isWaveOver, type Member, type RolloutSummary, type Wave } from "../model/wave.ts";
import { type Notify, type WaveNoticeKind, waveNotice } from "../notifications/notification.ts";
import { storedState } from "../notifications/stored-state.ts";
import { dueActions, observedMembers, reduceWave, type WaveCommand, type WaveEvent } from "./reducer.ts";

export interface WavePorts {
  readonly storage: Pick<DurableObjectStorage, "get" | "put" | "delete" | "list" | "setAlarm">;
  readonly rollouts: {
    /** @returns a word on a rollout that is under way there, whoever began it */
    readonly runningRollout: (tier: string) => Promise<string | undefined>;
    /**
     * The rollout that this wave began; null where it began none.
     * @throws where that cannot be told
     */
    readonly find: (it: Wave, member: Member) => Promise<RolloutSummary | null>;
    /**
     * Begins it, and finds one that this wave began before.
     * @throws Refusal where it was refused; anything else where no answer came, and it may have begun
     */
    readonly start: (it: Wave, member: Member) => Promise<RolloutSummary>;
    /** @throws Refusal where it is back, or on its way, or of somebody else */
    readonly abort: (it: Wave, member: Member) => Promise<unknown>;
  };
  /** Takes each at least once. */
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
  /** Where the wave stood when it was approved: elsewhere the command is refused. */
  readonly approved?: WavePosition | undefined;
}

/** How often the tiers' rollouts are looked at. */
const pollIntervalMs = 5000;
const maxPast = 20;

const past = "past/";

export const waveController = ({ storage, rollouts, notify: tell, now, uuid }: WavePorts) => {
  const stored = storedState<Wave>(storage, tell);
  const { alone: runExclusive, load } = stored;
  const save = (it: Wave, kind?: WaveNoticeKind, by: string | null = null): Promise<void> =>
    stored.save(it, kind && ((count) => waveNotice(kind, it, by, count, now())));

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
      // Of one that does not answer nothing is known: neither that it began nor that it did not.
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
      // An answer that was lost is looked for before anything else is decided.
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

  /** @throws Refusal where it could not begin now */
  const assertCanStart = async ({ members }: Pick<WaveStartRequest, "members">): Promise<void> => {
    const before = await load();
    if (before && !isWaveOver(before))
      throw new Refusal(`wave ${before.id} by ${before.by} is ${before.status}: ${before.why}; one goes at a time`);
    const others = await runningRollouts(members);
    if (others.length > 0) throw new Refusal(`rollouts are under way there: ${others.slice(0, 10).join("; ")}`);
  };

  const archive = async (it: Wave): Promise<void> => {
    await storage.put(`${past}${String(it.startedAt).padStart(15, "0")}/${it.id}`, it);
    const keys = [...(await storage.list({ prefix: past })).keys()];
    for (const key of keys.slice(0, -maxPast)) await storage.delete(key);
  };

  const runDueActions = async (): Promise<void> => {
    const before = await load();
    if (!before || isWaveOver(before)) return;
    await storage.setAlarm(now() + pollIntervalMs);
    await observeRollouts(before);
    await applyEvent({ kind: "looked" });
    for (const { kind, member } of dueActions(stored.latest() as Wave, now())) {
      // A person may have decided something else while the one before was done.
      const it = stored.latest() as Wave;
      const isStillDue = dueActions(it, now()).some(
        (action) => action.kind === kind && action.member.tier === member.tier,
      );
      if (isStillDue) await (kind === "start" ? startRollout : abortRollout)(it, member);
    }
  };

  return {
    /** One look at the rollouts, and what follows from it. */
    reconcile: async (): Promise<void> => {
      await runDueActions();
      // After what was decided was done.
      const it = stored.latest();
      if (!(await stored.notify()) && (!it || isWaveOver(it))) await storage.setAlarm(now() + pollIntervalMs);
    },
    status: load,
    history: async (): Promise<readonly Wave[]> => {
      const archived = [...(await storage.list<Wave>({ prefix: past })).values()];
      return [...archived, ...([await load()].filter(Boolean) as Wave[])].toReversed();
    },
    check: (request: Pick<WaveStartRequest, "members">): Promise<void> => runExclusive(() => assertCanStart(request)),
    /** @throws Refusal where one goes already, or a tier of it has a rollout under way */
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
          why: "it has begun",
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
      if (!before) throw new Refusal("there has been no wave");
      await applyEvent({ kind: "asked", command, all, by, reason, approved });
      // Also where nothing more is done, there is something to tell.
      await storage.setAlarm(now());
      return stored.latest() as Wave;
    },
  };
};
