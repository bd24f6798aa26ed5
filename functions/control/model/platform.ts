/** What a rollout asks of the platform: which versions are live, what they are, and another split of them. */
import type { Candidate, Deployment } from "./rollout.ts";

export interface PlatformFault {
  /** 0 where nothing answered. */
  readonly status: number;
  readonly code: number | null;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
}

export type Answer<T> = { readonly ok: true; readonly result: T } | ({ readonly ok: false } & PlatformFault);

export interface Platform {
  /** Newest first. */
  readonly deployments: (worker: string) => Promise<Answer<readonly Deployment[]>>;
  readonly split: (
    worker: string,
    versions: Deployment["versions"],
    message: string,
  ) => Promise<Answer<{ readonly id: string }>>;
  /** What is known of a version: its tag, which is the digest of what was built, and its message. */
  readonly version: (worker: string, version: string) => Promise<Answer<Pick<Candidate, "tag" | "message">>>;
}
