/** A target of the fuzzer, and the property of each input. */
import type fc from "fast-check";
import type { JWK } from "jose";

/** Address of the gateway that all wire targets call. */
export interface GatewayAddress {
  readonly port: number;
  /** That it trusts: private, to sign with. */
  readonly keys: readonly JWK[];
}

export interface Target {
  readonly name: string;
  /** Of an input, and what holds for each. */
  readonly about: string;
  /** Whether it sends requests to a running gateway. */
  readonly needs: "gateway" | "nothing";
  /** Prepares one run. @returns a property of one input */
  readonly open: (gateway: GatewayAddress) => Promise<Opened>;
}

export interface Opened {
  readonly property: fc.IAsyncProperty<unknown>;
  readonly close?: () => Promise<void>;
}

/** Checks an input. @throws where the property does not hold */
export type Check<T> = (input: T) => void | Promise<void>;
