/**
 * The simulated users of a tier are heterogeneous: a few send most of the requests, some fail or are refused far more often
 * than others, each is near or far. Each rollout assigns them to versions anew, and they stay there.
 */
import { groups } from "../../functions/gateway/observability/samples.ts";
import type { Random } from "./random.ts";

/** How unevenly users send requests. */
export interface Tail {
  /** A Pareto distribution's shape. */
  readonly shape: number;
  /** No user sends more than this many times the mean. */
  readonly most: number;
}

/** The busiest fifth of users send about two thirds of the requests; a limit per user stops what sends far more. */
const usualTail: Tail = { shape: 1.3, most: 100 };

export const distances = 5;

/** One entry a user. */
export interface Users {
  readonly count: number;
  /** Requests, as a share of all. */
  readonly activity: Float64Array;
  /** Times as likely to fail, to be refused, as the mean user. */
  readonly failing: Float64Array;
  readonly refused: Float64Array;
  /** 0 is near, `distances - 1` far. */
  readonly distance: Uint8Array;
  /** By a hash of its key. */
  readonly group: Uint8Array;
}

export const usersOf = (count: number, { uniform, happens }: Random, { shape, most } = usualTail): Users => {
  const mean = shape / (shape - 1);
  const activity = Float64Array.from({ length: count }, () => Math.min(most * mean, (1 - uniform()) ** (-1 / shape)));
  const all = activity.reduce((sum, it) => sum + it, 0);
  // One user in ten has half of all failures, one in five has half of all refusals.
  const failing = Float64Array.from({ length: count }, () => (happens(0.1) ? 5 : 5 / 9));
  const refused = Float64Array.from({ length: count }, () => (happens(0.2) ? 2.5 : 2.5 / 4));
  const distance = Uint8Array.from({ length: count }, () => Math.floor(((uniform() + uniform()) / 2) * distances));
  const group = Uint8Array.from({ length: count }, () => Math.floor(uniform() * groups));
  return { count, activity: activity.map((it) => it / all), failing, refused, distance, group };
};

/** A position in [0, 1) for each user. Users below the canary's share get the canary, so raising the share moves nobody back. */
export const assignPositions = ({ count }: Users, { uniform }: Random): Float64Array => {
  const positions = new Float64Array(count);
  for (let user = 0; user < count; user++) positions[user] = uniform();
  return positions;
};

/** A version's part of a group's users at a split. */
export interface GroupShare {
  /** Share of all requests. */
  activity: number;
  /** The same, weighted by how much oftener they fail or are refused. */
  failing: number;
  refused: number;
  /** The same, by distance. */
  readonly distance: Float64Array;
}

/** One for each group. */
export const groupSharesOf = (
  users: Users,
  positions: Float64Array,
  share: number,
): { stable: GroupShare[]; canary: GroupShare[] } => {
  const shares = { stable: emptyShares(), canary: emptyShares() };
  for (let user = 0; user < users.count; user++) {
    const version = (positions[user] ?? 0) < share ? shares.canary : shares.stable;
    const group = version[users.group[user] ?? 0];
    const activity = users.activity[user] ?? 0;
    const distance = users.distance[user] ?? 0;
    if (!group) continue;
    group.activity += activity;
    group.failing += activity * (users.failing[user] ?? 0);
    group.refused += activity * (users.refused[user] ?? 0);
    group.distance[distance] = (group.distance[distance] ?? 0) + activity;
  }
  return shares;
};

const emptyShares = (): GroupShare[] =>
  Array.from({ length: groups }, () => ({
    activity: 0,
    failing: 0,
    refused: 0,
    distance: new Float64Array(distances),
  }));
