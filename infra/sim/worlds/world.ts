/** What a world of the simulation is: clients, routes, times and attackers, as parts of one traffic. */
import type { Behaviour } from "../traffic/behaviour.ts";
import type { Population } from "../traffic/clients.ts";

/** Some requests of some clients, all with one behaviour under each version. */
export interface Part {
  /** Default: the clients of the world. Parts of one population share its clients: they are routes, or times of the day. */
  readonly of?: Population;
  /** Requests a second. */
  readonly rate: number;
  /** Its route; latency is compared by route. Default: the one that most requests have. */
  readonly route?: string;
  /** How stable differs from the usual; the canary does too. */
  readonly both?: Partial<Behaviour>;
  /** How the canary differs from stable. */
  readonly canary?: Partial<Behaviour>;
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

/** How a rollout goes. Defaults are those of a manifest. */
export interface Release {
  readonly steps?: readonly string[];
  readonly bake?: string;
  readonly watch?: string | { readonly for: string; readonly "hold-back": string };
  /** Which rollout of the version it is; default: the first. Later ones have less of the error budget. */
  readonly attempt?: number;
}

export interface World extends Release {
  readonly name: string;
  /** What it is, and what is wanted of it, in a sentence or two. */
  readonly about: string;
  readonly harm: "harmless" | "harmful";
  readonly wanted: Wanted;
  readonly clients: Population;
  readonly parts: readonly Part[];
  /** Nine in ten of those that are to finish do so in this time. */
  readonly withinMinutes?: number;
}

/**
 * `kept`: never rolled back. `finished`: never rolled back, and promoted without a person. `caught`: rolled back.
 * `held`: rolled back or paused, but not promoted. `open`: nothing is promised.
 */
export type Wanted = "kept" | "finished" | "caught" | "held" | "open";

/** Whether an interval that begins then belongs to the part. Times before the start are those of stable's past. */
export const isActive = (
  { when }: Pick<Part, "when">,
  share: number,
  sinceSplit: number,
  sinceStart: number,
): boolean => {
  if (!when) return true;
  if (when.share !== undefined && when.share !== share) return false;
  const { from = 0, until = Number.POSITIVE_INFINITY, every = Number.POSITIVE_INFINITY } = when;
  const since = when.since === "split" ? sinceSplit : sinceStart;
  if (since < 0) return from === 0 && when.since === "start";
  const passed = since % every;
  return passed >= from && passed < until;
};
