/** What a world of the simulation is: users, routes, times and attackers, as parts of one traffic. */
import { type Behaviour, healthy } from "./scenarios.ts";
import type { Tail } from "./users.ts";

/** How one version treats the requests of one part. Shares are of requests. */
export interface WorldBehaviour extends Behaviour {
  /** Times as long for all requests. */
  readonly times: number;
  /** The service answers 404. Gates count such a request, and neither as failed nor with its latency. */
  readonly notFound: number;
  /** Users get no response, and no gate reports the request. */
  readonly lost: number;
  /** Share of the requests that clients send at all. */
  readonly sent: number;
}

export const usual: WorldBehaviour = { ...healthy, times: 1, notFound: 0, lost: 0, sent: 1 };

export interface Population {
  readonly users: number;
  readonly tail?: Tail;
  /** They get each new version first: the same keys have the lowest positions in every rollout. Default: by chance. */
  readonly first?: true;
  /** Set for attackers. Their own failures are no harm. */
  readonly attack?: {
    /** Chosen keys count in all groups evenly; others belong to real users. */
    readonly keys: "chosen" | "own";
    /** Keys that are known to have this version; others send nothing. Without it, each key has the version it is given. */
    readonly known?: "stable" | "canary";
  };
}

/** Some requests of some users, all with one behaviour under each version. */
export interface Part {
  /** Default: the users of the world. Parts of one population share its users: they are routes, or times of the day. */
  readonly of?: Population;
  /** Requests a second. */
  readonly rate: number;
  /** How stable differs from the usual; the canary does too. */
  readonly both?: Partial<WorldBehaviour>;
  /** How the canary differs from stable. */
  readonly canary?: Partial<WorldBehaviour>;
  /** Default: always. */
  readonly when?: Period;
}

/** Seconds, `until` excluded. */
export interface Period {
  readonly since: "start" | "split";
  readonly from?: number;
  readonly until?: number;
  /** The period comes again after so many seconds. */
  readonly every?: number;
  /** Only while this share of the users has the new version. */
  readonly share?: number;
}

export interface World {
  readonly name: string;
  /** What it is, in a sentence. */
  readonly about: string;
  readonly release: "harmless" | "harmful";
  /**
   * `kept`: never rolled back. `finished`: never rolled back, and promoted without a person. `caught`: rolled back.
   * `held`: rolled back or paused, but not promoted.
   */
  readonly wanted: "kept" | "finished" | "caught" | "held";
  readonly users: number;
  /** How unevenly they send; default: as in all scenarios. */
  readonly tail?: Tail;
  /** Default: that of a manifest. */
  readonly bake?: string;
  readonly parts: readonly Part[];
}

/** Whether an interval that begins then belongs to the part. */
export const isActive = ({ when }: Part, share: number, sinceSplit: number, sinceStart: number): boolean => {
  if (!when) return true;
  if (when.share !== undefined && when.share !== share) return false;
  const { from = 0, until = Number.POSITIVE_INFINITY, every = Number.POSITIVE_INFINITY } = when;
  const passed = (when.since === "split" ? sinceSplit : sinceStart) % every;
  return passed >= from && passed < until;
};
