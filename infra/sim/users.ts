/**
 * The users of one rollout, who are far from alike: a few send most of the requests, some fail or are refused far oftener
 * than others, each is near or far. Each is on one version, and in one group.
 */
import { groups } from "../../functions/gateway/telemetry-samples.ts";
import type { Chance } from "./chance.ts";

/** A Pareto distribution's shape: with 1.3 the busiest of 10,000 users sends one request in a hundred or so. */
const tail = 1.3;
/** No single user sends more than this many times the mean: beyond, limits per user stop it. */
const busiest = 300;

export interface Users {
  readonly count: number;
  /** Where a user stands among all: the canary's are those below its share. */
  readonly place: Float64Array;
  readonly group: Uint8Array;
  /** Requests, as a share of all. */
  readonly activity: Float64Array;
  /** Times as likely to fail, to be refused, as the mean request. */
  readonly failing: Float64Array;
  readonly refused: Float64Array;
  /** 0 is near, `distances - 1` far. */
  readonly distance: Uint8Array;
}

export const distances = 5;

export const usersOf = (count: number, { uniform, happens }: Chance): Users => {
  const users = {
    count,
    place: Float64Array.from({ length: count }, uniform),
    group: Uint8Array.from({ length: count }, () => Math.floor(uniform() * groups)),
    activity: Float64Array.from({ length: count }, () =>
      Math.min(busiest / (tail / (tail - 1)), (1 - uniform()) ** (-1 / tail)),
    ),
    // One in ten has half of all failures, one in ten has half of all refusals.
    failing: Float64Array.from({ length: count }, () => (happens(0.1) ? 5 : 5 / 9)),
    refused: Float64Array.from({ length: count }, () => (happens(0.1) ? 5 : 5 / 9)),
    distance: Uint8Array.from({ length: count }, () => Math.floor(((uniform() + uniform()) / 2) * distances)),
  };
  const all = users.activity.reduce((sum, it) => sum + it, 0);
  return { ...users, activity: users.activity.map((it) => it / all) };
};

/** What one version has of a group's users at a split. */
export interface Crowd {
  /** Share of all requests. */
  activity: number;
  /** Of its requests, times the mean. */
  failing: number;
  refused: number;
  /** Of its requests, by distance. */
  readonly distance: Float64Array;
}

/** One for each group. */
export const crowdsOf = (users: Users, isMine: (place: number) => boolean): Crowd[] => {
  const crowds = Array.from({ length: groups }, () => ({
    activity: 0,
    failing: 0,
    refused: 0,
    distance: new Float64Array(distances),
  }));
  for (let user = 0; user < users.count; user++) {
    if (!isMine(users.place[user] ?? 0)) continue;
    const crowd = crowds[users.group[user] ?? 0];
    const activity = users.activity[user] ?? 0;
    const distance = users.distance[user] ?? 0;
    if (!crowd) continue;
    crowd.activity += activity;
    crowd.failing += activity * (users.failing[user] ?? 0);
    crowd.refused += activity * (users.refused[user] ?? 0);
    crowd.distance[distance] = (crowd.distance[distance] ?? 0) + activity;
  }
  for (const crowd of crowds) {
    if (crowd.activity === 0) continue;
    crowd.failing /= crowd.activity;
    crowd.refused /= crowd.activity;
  }
  return crowds;
};
