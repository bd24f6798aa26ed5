/** The state Workers: one for each core tier, one for all other tiers, and the gates' bindings to them. */
import { type StateProps, stateBinding } from "../../../functions/gateway/core/ports/state.ts";
import { common, requiredBindings, workerName } from "../lower/platform.ts";
import type { CheckedTier } from "../model/checked.ts";

export const needsState = (tier: CheckedTier): boolean => requiredBindings(tier).some(({ kind }) => kind === "state");

/** Durable Objects per tier, over which keys are sharded; each handles about a thousand requests a second. */
const shards = { core: 16, standard: 4, "best-effort": 1 } as const;

/** A core tier has its own state Worker. */
const stateWorker = ({ manifest: { tier, level } }: CheckedTier, environment: string): string =>
  workerName(level === "core" ? `state-${tier}` : "state-shared", environment);

export const stateService = (tier: CheckedTier, environment: string) => {
  const { tier: name, level } = tier.manifest;
  const props: StateProps = { tier: name, shards: shards[level] };
  return { binding: stateBinding(name), service: stateWorker(tier, environment), entrypoint: "State", props };
};

/** The distinct state Workers that these tiers need. */
export const stateWorkers = (tiers: readonly CheckedTier[], environment: string): string[] =>
  [...new Set(tiers.filter(needsState).map((tier) => stateWorker(tier, environment)))].sort();

export const stateConfig = (name: string) => ({
  name,
  main: "state.js",
  ...common,
  durable_objects: { bindings: [{ name: "COUNTERS", class_name: "Counters" }] },
  migrations: [{ tag: "v1", new_sqlite_classes: ["Counters"] }],
});
export type StateConfig = ReturnType<typeof stateConfig>;
