/**
 * Clusters: parties that are one voice in a rollout's statistics. What one client does in a thousand requests, with as many gray
 * keys as it likes, is the evidence of one cluster.
 */

import { Consumer, getFact } from "../core/facts.ts";
import { hashPosition } from "../core/pipeline.ts";
import type { Caller, Context } from "../core/types.ts";
import { addressBlockOf } from "../http/client-network.ts";
import { broughtKeyMark, keptKeyMark } from "../proxy/forwarding.ts";

export const clusterKinds = ["anonymous", "authenticated", "dealt"] as const;

/**
 * `authenticated`: the consumer. `anonymous`: the client's network. `dealt`: the front generated the gray key for this one
 * request, so its version was drawn for it alone, and no client could choose it. A browser keeps its key, so its first request
 * counts like those that follow.
 */
export type ClusterKind = (typeof clusterKinds)[number];

/** 14 bits of a hash identify nobody. */
export const clustersPerKind = 2 ** 14;

/** The first number of each kind. */
export const firstOf = {
  anonymous: 0,
  authenticated: clustersPerKind,
  dealt: 2 * clustersPerKind,
} as const satisfies Readonly<Record<ClusterKind, number>>;

/** Numbers of clusters are below this. */
export const maxClusters = clusterKinds.length * clustersPerKind;

export const kindOf = (cluster: number): ClusterKind =>
  clusterKinds[Math.floor(cluster / clustersPerKind)] ?? "anonymous";

/**
 * Whether a report counts a cluster. A report with too many cells leaves out whole clusters: it counts one in `every`, a power
 * of two, so that a smaller part is always within a larger one. Beyond the numbers of a kind it counts none.
 */
export const isCounted = (cluster: number, every: number): boolean => every <= clustersPerKind && cluster % every === 0;

/**
 * The number of a request's cluster. It is the same in every tier and in the front, so that one party is one voice also where
 * several are judged together.
 */
export const clusterOf: ClusterOf = (context) =>
  isDealt(context.caller) ? networkCluster(context.caller.ip, true) : partyClusterOf(context);

/** The cluster where nothing was dealt: a cutover assigns a request without a gray key by its address, not by chance. */
export const partyClusterOf: ClusterOf = (context) => {
  const consumer = getFact(context, Consumer);
  return consumer ? numberOf("authenticated", consumer.id) : networkCluster(context.caller.ip, false);
};

/**
 * The cluster for the version of the front.
 * @param cluster for the version of the gate
 */
export const frontClusterOf = (context: Parameters<ClusterOf>[0], cluster: number): number =>
  context.caller.gateOnlyHeaders?.includes(broughtKeyMark) ? partyClusterOf(context) : cluster;

export type ClusterOf = (context: Pick<Context, "caller" | "facts">) => number;

/** The cluster of a request whose consumer is unknown. @param dealt whether the front generated its gray key */
export const networkCluster = (ip: string | null, dealt: boolean): number =>
  numberOf(dealt ? "dealt" : "anonymous", addressBlockOf(ip));

/**
 * Whether the front generated the gray key for this request alone. Without a front the platform draws a version too, but not always: a
 * client may send the platform's own version key or override, which choose one, and whether a Worker sees these
 * headers is the platform's affair. So such a request counts by its party.
 */
const isDealt = ({ grayKey, gateOnlyHeaders }: Caller): boolean =>
  grayKey === null && gateOnlyHeaders !== undefined && !gateOnlyHeaders.includes(keptKeyMark);

const numberOf = (kind: ClusterKind, key: string): number =>
  firstOf[kind] + Math.floor(hashPosition(key) * clustersPerKind);

/** Four hexadecimal digits, as log lines have it. */
export const clusterName = (cluster: number): string => cluster.toString(16).padStart(4, "0");
