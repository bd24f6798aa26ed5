/** The platform as rollouts use it: reads deployments and versions, and changes the split. */
import type { Candidate, Deployment } from "./rollout.ts";

export interface PlatformFailure {
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  readonly code: number | null;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
}

export type PlatformAnswer<T> = { readonly ok: true; readonly result: T } | ({ readonly ok: false } & PlatformFailure);

export interface Platform {
  /** Newest first. */
  readonly deployments: (worker: string) => Promise<PlatformAnswer<readonly Deployment[]>>;
  readonly split: (
    worker: string,
    versions: Deployment["versions"],
    message: string,
  ) => Promise<PlatformAnswer<{ readonly id: string }>>;
  /** A version's tag, which is the digest of the build, and its message. */
  readonly version: (worker: string, version: string) => Promise<PlatformAnswer<Pick<Candidate, "tag" | "message">>>;
}

/** What the platform runs of a Worker now, whoever deployed it. */
export interface LiveSplit {
  readonly worker: string;
  /** Null if the platform did not answer. */
  readonly versions: Deployment["versions"] | null;
  readonly message: string | null;
  readonly author: string | null;
  /** Why the platform did not answer. */
  readonly fault: string | null;
}
