/** What a rollout asks of the platform: which versions are live, what they are, and another split of them. */
import type { PlatformFault } from "../rollout/reducer.ts";
import type { Candidate, Deployment } from "./rollout.ts";

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
