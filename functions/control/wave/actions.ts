/** Runs the due actions of a wave: observes the tiers' rollouts, starts the next ones and aborts others. */
import { Refusal } from "../model/refusal.ts";
import { isWaveOver, type Member, type Wave } from "../model/wave.ts";
import type { WavePorts } from "./ports.ts";
import { dueActions, observedMembers, type WaveEvent } from "./reducer.ts";

/** Interval between observations of the tiers' rollouts. */
export const pollIntervalMs = 5000;

export interface WaveActionContext {
  readonly ports: Pick<WavePorts, "rollouts" | "storage" | "now">;
  readonly load: () => Promise<Wave | undefined>;
  /** The current state; loaded before. */
  readonly latest: () => Wave;
  readonly applyEvent: (event: WaveEvent) => Promise<void>;
}

/** Observes the rollouts and runs the due actions. */
export const runDueActions = async (context: WaveActionContext): Promise<void> => {
  const { ports, load, latest, applyEvent } = context;
  const { storage, now } = ports;
  const before = await load();
  if (!before || isWaveOver(before)) return;
  await storage.setAlarm(now() + pollIntervalMs);
  await observeRollouts(context, before);
  await applyEvent({ kind: "looked" });
  for (const { kind, member } of dueActions(latest(), now())) {
    // A person's command may have changed the state during the previous action.
    const it = latest();
    const isStillDue = dueActions(it, now()).some(
      (action) => action.kind === kind && action.member.tier === member.tier,
    );
    if (isStillDue) await (kind === "start" ? startRollout : abortRollout)(context, it, member);
  }
};

const observeRollouts = async ({ ports: { rollouts }, applyEvent }: WaveActionContext, it: Wave): Promise<void> => {
  const found = await Promise.all(
    // Without an answer it is unknown whether the rollout has started.
    observedMembers(it).map(async (member) => ({
      tier: member.tier,
      rollout: await rollouts.find(it, member).catch(() => undefined),
    })),
  );
  for (const { tier, rollout } of found) if (rollout !== undefined) await applyEvent({ kind: "seen", tier, rollout });
};

const startRollout = async (
  { ports: { rollouts }, applyEvent }: WaveActionContext,
  it: Wave,
  member: Member,
): Promise<void> => {
  const { tier } = member;
  try {
    await applyEvent({ kind: "seen", tier, rollout: await rollouts.start(it, member) });
  } catch (error) {
    // If the answer was lost, the next observation shows whether it has started.
    if (error instanceof Refusal) await applyEvent({ kind: "refused", tier, why: error.message });
  }
};

const abortRollout = async (
  { ports: { rollouts }, applyEvent }: WaveActionContext,
  it: Wave,
  member: Member,
): Promise<void> => {
  try {
    await rollouts.abort(it, member);
  } catch (error) {
    if (!(error instanceof Refusal)) return;
  }
  await applyEvent({ kind: "told", tier: member.tier });
};
