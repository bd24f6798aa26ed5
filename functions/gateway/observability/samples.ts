/** What a version of a tier did over a stretch of time: counts of its requests and of their latency, small enough to be sent and kept. */

/** Users are put in this many groups by a hash of the gray key, so that statistics can see how alike one user's requests are. */
export const groups = 32;

/** Latency in logarithmic bins: pairs of bin and count, bins ascending. */
export type Bins = readonly (readonly [bin: number, count: number])[];

/** The requests of one group of users. */
export interface Group {
  readonly requests: number;
  /** Answered 5xx, whoever failed, and deaths; includes `upstreamErrors`. */
  readonly errors: number;
  /** Problems 4xx of the gate itself. */
  readonly refusals: number;
  /** 5xx and failures of the upstream. */
  readonly upstreamErrors: number;
  /** The client left before an answer: how hangs show. */
  readonly abandoned: number;
  /** Of requests that passed in a warm isolate. */
  readonly latency: Bins;
}

/** What one version did. A group with no request may be absent; the key is its number. */
export interface Sample {
  readonly groups: Readonly<Record<string, Group>>;
  /** Requests of cold isolates: counted in the groups, though not in their latency. */
  readonly cold: number;
}

/** Each bin is this much wider than the one before: an error of 2.5 % at most, less than any release may tolerate. */
const growth = 1.05;
const perBin = Math.log(growth);
/** Ends at 18 minutes; bin 0 holds all that took a millisecond or less, since the edge's clock sees no finer. */
export const maxBin = 285;

/** The bin of a latency; what is negative or no number counts as none at all. */
export const binOf = (ms: number): number => (ms > 1 ? Math.min(maxBin, Math.ceil(Math.log(ms) / perBin - 1e-9)) : 0);

/** The most milliseconds that a bin holds. */
export const msOf = (bin: number): number => Math.exp(bin * perBin);
