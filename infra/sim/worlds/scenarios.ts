/** The scenarios: how a new version behaves, and the bounds that hold for its rollouts. */
import type { Behaviour } from "../traffic/behaviour.ts";
import type { World } from "./world.ts";

/** At least, or at most, this share of rollouts ends so. */
export interface Bound {
  readonly end: "promoted" | "rolled-back" | "paused";
  readonly least?: number;
  readonly most?: number;
}

export interface Scenario extends World {
  readonly bounds: readonly Bound[];
}

const [rate, clients] = [1000, 100_000];
const rolledBack = [{ end: "rolled-back", least: 0.99 }] as const;
/** Among the authenticated clients at 1 % it takes about an hour to tell this from an attack, longer than a hold and its pause are judged. */
const notPromoted = [{ end: "promoted", most: 0.005 }] as const;

const scenario = (
  name: string,
  canary: Partial<Behaviour>,
  bounds: readonly Bound[],
  { attempt, traffic = { rate, clients } }: { attempt?: number; traffic?: { rate: number; clients: number } } = {},
): Scenario => ({
  ...{ name, bounds, about: name, ...(attempt && { attempt }) },
  ...(bounds === rolledBack
    ? ({ harm: "harmful", wanted: "caught" } as const)
    : bounds === notPromoted
      ? ({ harm: "harmful", wanted: "held" } as const)
      : ({ harm: "harmless", wanted: "kept" } as const)),
  clients: { clients: traffic.clients },
  parts: [{ rate: traffic.rate, canary }],
});

export const scenarios: readonly Scenario[] = [
  scenario("no difference", {}, [
    { end: "rolled-back", most: 0.01 },
    { end: "promoted", least: 0.9 },
  ]),
  scenario("errors 0.1 % → 1 %", { errors: 0.01 }, rolledBack),
  scenario("errors 0.1 % → 1 %, 5th retry", { errors: 0.01 }, rolledBack, { attempt: 6 }),
  scenario("p99 +30 %", { slower: 1.3 }, notPromoted),
  scenario("refusals 2 % → 5 %", { refusals: 0.05 }, rolledBack),
  scenario("one in fifty hangs", { hangs: 0.02 }, rolledBack),
  scenario("one in fifty is a fault of the gate", { faults: 0.02 }, rolledBack),
  scenario("reports nothing", { lost: 1 }, rolledBack),
  scenario("reports a fifth", { lost: 0.8 }, rolledBack),
  scenario(
    "no difference, low traffic",
    {},
    [
      { end: "rolled-back", most: 0.01 },
      { end: "promoted", most: 0.05 },
    ],
    { traffic: { rate: 2, clients: 1000 } },
  ),
];
