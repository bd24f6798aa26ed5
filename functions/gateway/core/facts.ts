/** The facts that filters leave for each other, and how to read and write one. */
import type { Context, Fact } from "./types.ts";

/** A business consumer of the API: whose key or token this is. */
export interface ConsumerFact {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

export const Consumer: Fact<ConsumerFact> = { label: "consumer" };
/** The verified claims of a token. */
export const Claims: Fact<Readonly<Record<string, unknown>>> = { label: "claims" };
/** The most bytes that the request's body may have, in place of the tier's default. */
export const BodyLimit: Fact<number> = { label: "body-limit" };
/** The request's whole body, where a filter had to read it. It goes to the upstream from here. */
export const Body: Fact<Uint8Array> = { label: "body" };
/** Since when the gate waits for more of the request's body, in milliseconds since the epoch; undefined while it does not. */
export const BodyAwaited: Fact<number | undefined> = { label: "body-awaited" };
/** The path, the query and the host that the upstream is asked for, where a filter or the route says so. */
export const Target: Fact<{
  readonly path?: string | undefined;
  readonly search?: string | undefined;
  readonly host?: string | undefined;
}> = { label: "target" };
/** The WebSocket subprotocol that a handshake is answered with where the service names none. */
export const Subprotocol: Fact<string> = { label: "subprotocol" };

export const setFact = <T>(context: Context, fact: Fact<T>, value: T): void => {
  context.facts.set(fact, value);
};

export const getFact = <T>(context: Context, fact: Fact<T>): T | undefined => context.facts.get(fact) as T | undefined;
