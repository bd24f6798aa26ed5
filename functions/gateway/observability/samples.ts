/** Samples of a version over a period: counts of requests and latencies, small enough to send and store. */

/**
 * The number of user groups. Users are grouped by a hash of the gray key, so that statistics can account for the
 * correlation of one user's requests.
 */
export const groups = 32;

/** Latency in logarithmic bins: pairs of bin and count, bins ascending. */
export type Bins = readonly (readonly [bin: number, count: number])[];

/** The requests of one group of users. */
export interface Group {
  readonly requests: number;
  /** Responses 5xx from anyone, and crashes; includes `upstreamErrors`. */
  readonly errors: number;
  /** 4xx problems of the gate itself. */
  readonly refusals: number;
  /** 5xx responses and failures of the upstream. */
  readonly upstreamErrors: number;
  /** The client disconnected before the response, as happens when a version hangs. */
  readonly abandoned: number;
  /** Of successful requests in warm isolates. */
  readonly latency: Bins;
}

/** Sample of one version, by group number. Groups without requests may be absent. */
export interface Sample {
  readonly groups: Readonly<Record<string, Group>>;
  /** Requests in cold isolates: included in the groups, but not in their latency. */
  readonly cold: number;
}

/** The growth factor of bins: an error of at most 2.5 %, less than any release may tolerate. */
const growth = 1.05;
const perBin = Math.log(growth);
/** The last bin, up to 18 minutes. Bin 0 holds everything up to a millisecond, the resolution of the edge's clock. */
export const maxBin = 285;

/** The bin of a latency. Negative values and NaN are in bin 0. */
export const binOf = (ms: number): number => (ms > 1 ? Math.min(maxBin, Math.ceil(Math.log(ms) / perBin - 1e-9)) : 0);

/** The upper bound of a bin in milliseconds. */
export const msOf = (bin: number): number => Math.exp(bin * perBin);

export const addToBin = (bins: Map<number, number>, bin: number): void => {
  bins.set(bin, (bins.get(bin) ?? 0) + 1);
};

/** What was counted, as a report has it. */
export const withBins = <T extends { readonly latency: Map<number, number> }>(
  it: T,
): Omit<T, "latency"> & { latency: Bins } => ({
  ...it,
  latency: [...it.latency].toSorted(([a], [b]) => a - b),
});
