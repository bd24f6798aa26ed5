/** What every router knows: which versions are live, where they run, and who tails them. The fleet writes it. */
import type { Share } from "./split.ts";

export interface VersionLocation {
  /** `127.0.0.1:<port>`, where other machines call this one. */
  readonly address: string;
  readonly machine: string;
  /** Names of workerd's services, one for each isolate. */
  readonly services: readonly string[];
}

export interface RoutingState {
  /** A later state has a higher number. States may arrive in another order. */
  readonly number: number;
  /** Current deployments, by Worker. */
  readonly live: Readonly<Record<string, readonly Share[]>>;
  /** Locations of those versions, by id. */
  readonly locations: Readonly<Record<string, VersionLocation>>;
  /** Locations of the machines that own the objects, by Worker. */
  readonly objectOwners: Readonly<Record<string, VersionLocation>>;
  /** Workers whose objects are about to change their owner. Calls wait for it. */
  readonly moving: readonly string[];
  /** Workers with a tail. */
  readonly tailedWorkers: readonly string[];
}

/** The target of a service binding. */
export interface ServiceProps {
  readonly worker: string;
  readonly entrypoint?: string | undefined;
  readonly props?: Readonly<Record<string, unknown>> | undefined;
}

/** The version that a tail observes. */
export interface TailProps {
  readonly worker: string;
  readonly version: string;
  readonly consumers: readonly string[];
}

/** Delays of production, in milliseconds. */
export interface Realism {
  /** How long a value of KV, or that it is missing, is cached. */
  readonly kvMs: number;
  /** The latency of a call to an object. */
  readonly objectMs: number;
  /** How often all isolates and objects are restarted. */
  readonly evictMs: number;
}
