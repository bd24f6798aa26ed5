/** The scenarios: how a new version behaves, and the required outcome of its rollouts. */

/** How one version behaves. Shares are of requests. */
export interface Behaviour {
  readonly errors: number;
  readonly refusals: number;
  readonly hangs: number;
  /** Times as long for the slowest hundredth. */
  readonly slower: number;
  /** Share of its requests that it reports: 1 is all. */
  readonly reports: number;
}

export type RolloutEnd = "promoted" | "rolled-back" | "paused";

export interface Scenario {
  readonly name: string;
  /** Requests a second, in the mean of a day. */
  readonly rate: number;
  readonly users: number;
  readonly canary: Partial<Behaviour>;
  /** Which rollout of this version it is; default: the first. Later ones have less of the error budget. */
  readonly attempt?: number;
  /** Required: at least, or at most, this share of rollouts ends so. */
  readonly bounds: readonly { readonly end: RolloutEnd; readonly least?: number; readonly most?: number }[];
}

export const healthy: Behaviour = { errors: 0.001, refusals: 0.02, hangs: 0.0005, slower: 1, reports: 1 };

const [rate, users] = [1000, 100_000];
const rolledBack = [{ end: "rolled-back", least: 0.99 }] as const;

export const scenarios: readonly Scenario[] = [
  { name: "no difference", rate, users, canary: {}, bounds: [{ end: "rolled-back", most: 0.01 }] },
  { name: "errors 0.1 % → 1 %", rate, users, canary: { errors: 0.01 }, bounds: rolledBack },
  { name: "errors 0.1 % → 1 %, 5th retry", rate, users, canary: { errors: 0.01 }, attempt: 6, bounds: rolledBack },
  { name: "p99 +30 %", rate, users, canary: { slower: 1.3 }, bounds: rolledBack },
  { name: "refusals 2 % → 5 %", rate, users, canary: { refusals: 0.05 }, bounds: rolledBack },
  { name: "one in fifty hangs", rate, users, canary: { hangs: 0.02 }, bounds: rolledBack },
  { name: "reports nothing", rate, users, canary: { reports: 0 }, bounds: rolledBack },
  { name: "reports a fifth", rate, users, canary: { reports: 0.2 }, bounds: rolledBack },
  {
    name: "no difference, low traffic",
    rate: 2,
    users: 1000,
    canary: {},
    bounds: [
      { end: "rolled-back", most: 0.01 },
      { end: "paused", least: 0.99 },
    ],
  },
];
