/**
 * Clusters: parties that are one voice in a rollout's statistics. What one client does in a thousand requests, with as many gray
 * keys as it likes, is the evidence of one cluster.
 */
export const clusterKinds = ["anonymous", "authenticated", "dealt"] as const;

/**
 * `authenticated`: the consumer. `anonymous`: the client's network. `dealt`: the front generated the gray key for this one
 * request, so its version was drawn for it alone, and no client could choose it.
 */
export type ClusterKind = (typeof clusterKinds)[number];

/** 14 bits of a hash identify nobody. */
export const clustersPerKind = 2 ** 14;

/** Numbers of clusters are below this. */
export const maxClusters = clusterKinds.length * clustersPerKind;

export const kindOf = (cluster: number): ClusterKind =>
  clusterKinds[Math.floor(cluster / clustersPerKind)] ?? "anonymous";
