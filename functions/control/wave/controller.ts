/** The controller of an environment's waves, one at a time: stores the state, runs due actions and commands. A crash at any point starts nothing twice. */

import { Refusal } from "../model/refusal.ts";
import { isOnlyWatching, isWaveOver, type Member, type Wave } from "../model/wave.ts";
import { type WaveNoticeKind, waveNotice } from "../notifications/notification.ts";
import { storedState } from "../notifications/stored-state.ts";
import { pollIntervalMs, runDueActions } from "./actions.ts";
import type { WaveCommandRequest, WavePorts, WaveStartRequest } from "./ports.ts";
import { reduceWave, type WaveEvent } from "./reducer.ts";

const maxPast = 20;

const past = "past/";

export const waveController = (ports: WavePorts) => {
  const { storage, rollouts, now } = ports;
  const stored = storedState<Wave>(storage, ports.notify);
  const { runExclusive, load } = stored;
  const latest = () => stored.latest() as Wave;
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

  return {
    reconcile: async (): Promise<void> => {
      await runDueActions({ ports, load, latest, applyEvent });
      const it = stored.latest();
      // Notices are sent after the due actions.
      if (!(await stored.notify()) && (!it || isWaveOver(it))) await storage.setAlarm(now() + pollIntervalMs);
    },
    status: load,
    history: async (): Promise<readonly Wave[]> => {
      const archived = [...(await storage.list<Wave>({ prefix: past })).values()];
      return [...archived, ...([await load()].filter(Boolean) as Wave[])].toReversed();
    },
    check: ({ members }: Pick<WaveStartRequest, "members">): Promise<void> =>
      runExclusive(async () => assertCanStart(await load(), members, rollouts)),
    /** @throws Refusal if a wave or a rollout of one of its tiers is running */
    start: (request: WaveStartRequest): Promise<Wave> =>
      runExclusive(async () => {
        const before = await load();
        await assertCanStart(before, request.members, rollouts);
        if (before && isOnlyWatching(before))
          await save(endedByNext(before, request.by, now()), "promoted", request.by);
        const last = await load();
        if (last) await archive(last, storage);
        const it = newWave(request, ports);
        await save(it, "started", request.by);
        await storage.setAlarm(it.startedAt);
        return it;
      }),
    /** @throws Refusal */
    ask: async ({ command, all, by, reason, approved }: WaveCommandRequest): Promise<Wave> => {
      const before = await load();
      if (!before) throw new Refusal("there is no wave");
      await applyEvent({ kind: "asked", command, all, by, reason, approved });
      // Wakes the controller even if no action is due: the notice has to be sent.
      await storage.setAlarm(now());
      return latest();
    },
  };
};

/** @throws Refusal if a wave could not start now */
const assertCanStart = async (
  before: Wave | undefined,
  members: readonly Member[],
  rollouts: WavePorts["rollouts"],
): Promise<void> => {
  if (before && !isWaveOver(before) && !isOnlyWatching(before))
    throw new Refusal(
      `wave ${before.id} by ${before.by} is ${before.status}: ${before.why}; only one wave can run at a time`,
    );
  const tiers = members.flatMap(({ tier, along }) => [tier, ...along]);
  const running = (await Promise.all(tiers.map((tier) => rollouts.runningRollout(tier)))).flatMap((it) => it ?? []);
  if (running.length > 0) throw new Refusal(`rollouts are running: ${running.slice(0, 10).join("; ")}`);
};

const endedByNext = (it: Wave, by: string, now: number): Wave => ({
  ...it,
  status: "promoted",
  endedAt: now,
  why: `${it.why}; ${by} started the next wave`,
});

const archive = async (it: Wave, storage: WavePorts["storage"]): Promise<void> => {
  await storage.put(`${past}${String(it.startedAt).padStart(15, "0")}/${it.id}`, it);
  const keys = [...(await storage.list({ prefix: past })).keys()];
  for (const key of keys.slice(0, -maxPast)) await storage.delete(key);
};

const newWave = (
  { members, concurrent, selection, by, reason }: WaveStartRequest,
  { now, uuid }: Pick<WavePorts, "now" | "uuid">,
): Wave => {
  const at = now();
  return {
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
};
