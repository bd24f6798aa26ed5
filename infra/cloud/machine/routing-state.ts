/** What every router knows: who is live, where it runs, and who listens. Written by the fleet, read by the routers. */
import type { Share } from "./split.ts";

export interface VersionLocation {
  /** `127.0.0.1:<port>`, where its machine takes calls of other machines. */
  readonly address: string;
  readonly machine: string;
  /** Its isolates: names of workerd's services. */
  readonly services: readonly string[];
}

export interface RoutingState {
  /** A later one has a higher number; they may arrive in another order. */
  readonly number: number;
  /** Current deployments, by Worker. */
  readonly live: Readonly<Record<string, readonly Share[]>>;
  /** Versions of those deployments, by id. */
  readonly places: Readonly<Record<string, VersionLocation>>;
  /** Where the objects of a Worker are. */
  readonly homes: Readonly<Record<string, VersionLocation>>;
  /** Workers whose objects are about to have another owner: calls wait for it. */
  readonly moving: readonly string[];
  /** Workers that somebody tails. */
  readonly tailedWorkers: readonly string[];
}

/** What a service binding says of its target. */
export interface ServiceProps {
  readonly worker: string;
  readonly entrypoint?: string | undefined;
  readonly props?: Readonly<Record<string, unknown>> | undefined;
}

/** What a version's tail says of it. */
export interface TailProps {
  readonly worker: string;
  readonly version: string;
  readonly consumers: readonly string[];
}

/** Delays that production has, in milliseconds. */
export interface Realism {
  /** A value of KV that was read, or found missing, is remembered for so long. */
  readonly kvMs: number;
  /** An object is so far away. */
  readonly objectMs: number;
  /** All isolates and objects begin anew so often. */
  readonly evictMs: number;
}
