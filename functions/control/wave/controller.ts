/** The waves of an environment, one at a time: what is kept, what is looked at, and what is begun. A crash at any point begins nothing twice. */

import type { WavePosition } from "../model/approval.ts";
import { Refusal } from "../model/refusal.ts";
import { isWaveOver, type Member, type Seen, type Wave } from "../model/wave.ts";
import { stateOn } from "../notifications/stored-state.ts";
import { type Tell, type WaveNews, waveNoticeOf } from "../notifications/notification.ts";
import { dueIn, lookedAt, reduceWave, type WaveCommand, type WaveEvent } from "./reducer.ts";

export interface WavePorts {
  readonly storage: Pick<DurableObjectStorage, "get" | "put" | "delete" | "list" | "setAlarm">;
  readonly rollouts: {
    /** @returns a word on a rollout that is under way there, whoever began it */
    readonly busy: (tier: string) => Promise<string | undefined>;
    /**
     * The rollout that this wave began; null where it began none.
     * @throws where that cannot be told
     */
    readonly mine: (it: Wave, member: Member) => Promise<Seen | null>;
    /**
     * Begins it, and finds one that this wave began before.
     * @throws Refusal where it was refused; anything else where no answer came, and it may have begun
     */
    readonly start: (it: Wave, member: Member) => Promise<Seen>;
    /** @throws Refusal where it is back, or on its way, or of somebody else */
    readonly takeBack: (it: Wave, member: Member) => Promise<unknown>;
  };
  /** Takes each at least once. */
  readonly tell: Tell;
  readonly now: () => number;
  readonly uuid: () => string;
}

export interface WaveStart {
  readonly members: readonly Member[];
  readonly concurrent: number;
  readonly selection: string;
  readonly by: string;
  readonly reason: string;
}

export interface WaveAsk {
  readonly command: WaveCommand;
  readonly all: boolean;
  readonly by: string;
  readonly reason: string;
  /** Where the wave stood when it was approved: elsewhere the command is refused. */
  readonly approved?: WavePosition | undefined;
}

/** How often the tiers' rollouts are looked at. */
const lookMs = 5000;
const mostKept = 20;

const past = "past/";

export const waves = ({ storage, rollouts, tell, now, uuid }: WavePorts) => {
  const kept = stateOn<Wave>(storage, tell);
  const { alone, load } = kept;
  const keep = (it: Wave, what?: WaveNews, by: string | null = null): Promise<void> =>
    kept.keep(it, what && ((count) => waveNoticeOf(what, it, by, count, now())));

  const take = (event: WaveEvent): Promise<void> =>
    alone(async () => {
      const it = await load();
      if (!it) return;
      const next = reduceWave(it, event, now());
      if (next === it) return;
      const what = next.status === it.status ? undefined : next.status === "running" ? "resumed" : next.status;
      await keep(next, what, event.kind === "asked" ? event.by : null);
    });

  const see = async (it: Wave): Promise<void> => {
    const found = await Promise.all(
      // Of one that does not answer nothing is known: neither that it began nor that it did not.
      lookedAt(it).map(async (member) => ({
        tier: member.tier,
        rollout: await rollouts.mine(it, member).catch(() => undefined),
      })),
    );
    for (const { tier, rollout } of found) if (rollout !== undefined) await take({ kind: "seen", tier, rollout });
  };

  const start = async (it: Wave, member: Member): Promise<void> => {
    const { tier } = member;
    try {
      await take({ kind: "seen", tier, rollout: await rollouts.start(it, member) });
    } catch (error) {
      // An answer that was lost is looked for before anything else is decided.
      if (error instanceof Refusal) await take({ kind: "refused", tier, why: error.message });
    }
  };

  const takeBack = async (it: Wave, member: Member): Promise<void> => {
    try {
      await rollouts.takeBack(it, member);
    } catch (error) {
      if (!(error instanceof Refusal)) return;
    }
    await take({ kind: "told", tier: member.tier });
  };

  const busy = async (members: readonly Member[]): Promise<readonly string[]> => {
    const all = members.flatMap(({ tier, along }) => [tier, ...along]);
    const found = await Promise.all(all.map((tier) => rollouts.busy(tier)));
    return found.flatMap((it) => it ?? []);
  };

  /** @throws Refusal where it could not begin now */
  const check = async ({ members }: Pick<WaveStart, "members">): Promise<void> => {
    const before = await load();
    if (before && !isWaveOver(before))
      throw new Refusal(`wave ${before.id} by ${before.by} is ${before.status}: ${before.why}; one goes at a time`);
    const others = await busy(members);
    if (others.length > 0) throw new Refusal(`rollouts are under way there: ${others.slice(0, 10).join("; ")}`);
  };

  const archive = async (it: Wave): Promise<void> => {
    await storage.put(`${past}${String(it.startedAt).padStart(15, "0")}/${it.id}`, it);
    const kept = [...(await storage.list({ prefix: past })).keys()];
    for (const key of kept.slice(0, -mostKept)) await storage.delete(key);
  };

  const act = async (): Promise<void> => {
    const before = await load();
    if (!before || isWaveOver(before)) return;
    await storage.setAlarm(now() + lookMs);
    await see(before);
    await take({ kind: "looked" });
    for (const { kind, member } of dueIn(kept.latest() as Wave, now())) {
      // A person may have decided something else while the one before was done.
      const it = kept.latest() as Wave;
      const due = dueIn(it, now()).some((action) => action.kind === kind && action.member.tier === member.tier);
      if (due) await (kind === "start" ? start : takeBack)(it, member);
    }
  };

  return {
    /** One look at the rollouts, and what follows from it. */
    look: async (): Promise<void> => {
      await act();
      // After what was decided was done.
      const it = kept.latest();
      if (!(await kept.tell()) && (!it || isWaveOver(it))) await storage.setAlarm(now() + lookMs);
    },
    status: load,
    history: async (): Promise<readonly Wave[]> => {
      const kept = [...(await storage.list<Wave>({ prefix: past })).values()];
      return [...kept, ...([await load()].filter(Boolean) as Wave[])].toReversed();
    },
    check: (given: Pick<WaveStart, "members">): Promise<void> => alone(() => check(given)),
    /** @throws Refusal where one goes already, or a tier of it has a rollout under way */
    start: ({ members, concurrent, selection, by, reason }: WaveStart): Promise<Wave> =>
      alone(async () => {
        await check({ members });
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
        await keep(it, "started", by);
        await storage.setAlarm(at);
        return it;
      }),
    /** @throws Refusal */
    ask: async ({ command, all, by, reason, approved }: WaveAsk): Promise<Wave> => {
      const before = await load();
      if (!before) throw new Refusal("there has been no wave");
      await take({ kind: "asked", command, all, by, reason, approved });
      // Also where nothing more is done, there is something to tell.
      await storage.setAlarm(now());
      return kept.latest() as Wave;
    },
  };
};
