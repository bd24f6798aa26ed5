/**
 * The clients of a tier are unlike each other: a few send most of the requests, some fail or are refused far more often than
 * others, each is near or far. Half of those with a gray key are authenticated; others are known by their network, and some share
 * one with hundreds. Each rollout assigns them to versions anew, and they stay there; clients without a key are dealt per request.
 */
import { clusterKinds, clustersPerKind } from "../../../functions/gateway/observability/clusters.ts";
import { type AliasTable, aliasTableOf } from "./alias.ts";
import type { Random } from "./random.ts";

/** How unevenly clients send requests. */
export interface Tail {
  /** A Pareto distribution's shape. */
  readonly shape: number;
  /** No client sends more than this many times the mean. */
  readonly most: number;
}

export interface Population {
  readonly clients: number;
  readonly tail?: Tail;
  /** Share of the clients with a key that are authenticated; default: half. */
  readonly authenticated?: number;
  /** Share of the requests without a key; default: a tenth. */
  readonly keyless?: number;
  /** Their keys have the lowest positions in every rollout, so they get each new version first. Default: by chance. */
  readonly first?: true;
  /** Set for attackers. Their own failures are no harm. */
  readonly attack?: Attack;
}

export interface Attack {
  /** Number of their networks, or as usual among clients. */
  readonly networks: number | "own";
  /** Whether they try keys until they have what they want. */
  readonly keys: "chosen" | "own";
  /** Keys that are known to have this version; others send nothing. Without it, each key has the version it is given. */
  readonly known?: "stable" | "canary";
}

/** The busiest fifth of clients send about two thirds of the requests; a limit per client stops what sends far more. */
const usualTail: Tail = { shape: 1.3, most: 100 };
/** Of the anonymous clients; a network has this many of them. */
const shareBehindNat = 0.1;
const clientsPerNat = 200;

export const distances = 5;
const [anonymous, authenticatedKind] = [clusterKinds.indexOf("anonymous"), clusterKinds.indexOf("authenticated")];
export const dealtKind = clusterKinds.indexOf("dealt");

/** One entry a client. */
export interface Clients {
  readonly count: number;
  /** Requests, as a share of all. */
  readonly activity: Float64Array;
  readonly draw: AliasTable;
  /** Times as likely to fail, to be refused, as the mean client. */
  readonly failing: Float64Array;
  readonly refused: Float64Array;
  /** 0 is near, `distances - 1` far. */
  readonly distance: Uint8Array;
  /** Index in `clusterKinds`. */
  readonly kind: Uint8Array;
  readonly cluster: Uint32Array;
  readonly of: Population;
}

export const clientsOf = (of: Population, random: Random): Clients => {
  const { clients: count, attack } = of;
  const { uniform, happens } = random;
  const kind = kindsOf(of);
  const activity = activityOf(of, kind, random);
  // One client in ten has half of all failures, one in five has half of all refusals.
  const failing = Float64Array.from({ length: count }, () => (attack ? 1 : happens(0.1) ? 5 : 5 / 9));
  const refused = Float64Array.from({ length: count }, () => (attack ? 1 : happens(0.2) ? 2.5 : 2.5 / 4));
  const distance = Uint8Array.from({ length: count }, () => Math.floor(((uniform() + uniform()) / 2) * distances));
  const cluster = clustersOf(of, kind, random);
  return { count, activity, draw: aliasTableOf(activity), failing, refused, distance, kind, cluster, of };
};

/** Of each kind there are as many as its share says, spread evenly. */
const kindsOf = ({ clients, authenticated = 0.5, keyless = 0.1 }: Population): Uint8Array => {
  const isNth = (index: number, share: number) => Math.floor((index + 1) * share) > Math.floor(index * share);
  let keyed = 0;
  return Uint8Array.from({ length: clients }, (_, index) => {
    if (isNth(index, keyless)) return dealtKind;
    return isNth(keyed++, authenticated) ? authenticatedKind : anonymous;
  });
};

/** Clients without a key send their share exactly, if there are any. Attackers send evenly. */
const activityOf = (
  { clients, tail, keyless = 0.1, attack }: Population,
  kind: Uint8Array,
  { uniform }: Random,
): Float64Array => {
  const { shape, most } = tail ?? usualTail;
  const mean = shape / (shape - 1);
  const activity = Float64Array.from({ length: clients }, () =>
    attack ? 1 : Math.min(most * mean, (1 - uniform()) ** (-1 / shape)),
  );
  const sums = [0, 0];
  for (const [client, it] of activity.entries()) {
    const of = kind[client] === dealtKind ? 1 : 0;
    sums[of] = (sums[of] ?? 0) + it;
  }
  const [keyed = 0, dealtSum = 0] = sums;
  const part = dealtSum === 0 ? 0 : keyed === 0 ? 1 : keyless;
  return activity.map((it, client) =>
    kind[client] === dealtKind ? (it * part) / dealtSum : (it * (1 - part)) / keyed,
  );
};

const clustersOf = ({ attack }: Population, kind: Uint8Array, { uniform }: Random): Uint32Array => {
  const hash = () => Math.floor(uniform() * clustersPerKind);
  const anonymousClients = kind.reduce((sum, it) => sum + (it === anonymous ? 1 : 0), 0);
  const behindNat = Math.floor(anonymousClients * shareBehindNat);
  const nats = Array.from({ length: Math.ceil(behindNat / clientsPerNat) }, hash);
  const chosen = typeof attack?.networks === "number" ? Array.from({ length: attack.networks }, hash) : undefined;
  let ordinal = 0;
  return Uint32Array.from(kind, (it, client) => {
    const own = hash();
    const network =
      it === anonymous ? (chosen?.[client % chosen.length] ?? nats[networkOf(ordinal++, behindNat)]) : own;
    return it * clustersPerKind + (network ?? own);
  });
};

const networkOf = (ordinal: number, behindNat: number): number =>
  ordinal < behindNat ? Math.floor(ordinal / clientsPerNat) : -1;

/**
 * A position in [0, 1) for each client. Clients below the canary's share get the canary, so raising the share moves nobody back.
 * Chosen keys whose version is known were tried until enough of them had it.
 */
export const assignPositions = ({ count, of: { first, attack } }: Clients, { uniform }: Random): Float64Array => {
  const positions = new Float64Array(count);
  const known = attack?.keys === "chosen" ? attack.known : undefined;
  if (first || known) return positions.fill(known === "stable" ? 1 : 0);
  for (let client = 0; client < count; client++) positions[client] = uniform();
  return positions;
};
