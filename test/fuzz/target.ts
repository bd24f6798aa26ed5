/** What is fuzzed, and what is asked of it for each input. */
import type fc from "fast-check";
import type { JWK } from "jose";

/** Where the mesh that all wire targets meet takes requests. */
export interface GatewayAddress {
  readonly port: number;
  /** That it trusts: private, to sign with. */
  readonly keys: readonly JWK[];
}

export interface Target {
  readonly name: string;
  /** Of an input, and what holds for each. */
  readonly about: string;
  /** Whether it sends requests to a running mesh. */
  readonly needs: "mesh" | "nothing";
  /** Prepares one run. @returns a property of one input */
  readonly open: (gateway: GatewayAddress) => Promise<Opened>;
}

export interface Opened {
  readonly property: fc.IAsyncProperty<unknown>;
  readonly close?: () => Promise<void>;
}

/** Says how a target looks at an input. @throws where what is asked of each input does not hold */
export type Check<T> = (input: T) => void | Promise<void>;
