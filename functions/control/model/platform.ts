/** What a rollout asks of the platform: which versions are live, what they are, and another split of them. */
import type { Candidate, Deployment } from "./rollout.ts";

export interface PlatformFailure {
  /** 0 where nothing answered. */
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
  /** What is known of a version: its tag, which is the digest of what was built, and its message. */
  readonly version: (worker: string, version: string) => Promise<PlatformAnswer<Pick<Candidate, "tag" | "message">>>;
}
