/** Facts: typed values that one filter records in the context and another reads. */
import type { Context, Fact } from "./types.ts";

/** The consumer of the API that owns the key or token. */
export interface ConsumerFact {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

export const Consumer: Fact<ConsumerFact> = { label: "consumer" };
/** The verified claims of a token. */
export const Claims: Fact<Readonly<Record<string, unknown>>> = { label: "claims" };
/** The largest request body in bytes; replaces the tier's default. */
export const BodyLimit: Fact<number> = { label: "body-limit" };
/** The complete request body, when a filter has read it. The upstream is sent these bytes. */
export const Body: Fact<Uint8Array> = { label: "body" };
/**
 * Since when the gate has been waiting for more of the request body, in milliseconds since the epoch; undefined when
 * it is not waiting.
 */
export const BodyAwaited: Fact<number | undefined> = { label: "body-awaited" };
/** Path, query and host of the upstream request, when a filter or the route sets them. */
export const Target: Fact<{
  readonly path?: string | undefined;
  readonly search?: string | undefined;
  readonly host?: string | undefined;
}> = { label: "target" };
/** The WebSocket subprotocol of the handshake's response when the service selects none. */
export const Subprotocol: Fact<string> = { label: "subprotocol" };

export const setFact = <T>(context: Context, fact: Fact<T>, value: T): void => {
  context.facts.set(fact, value);
};

export const getFact = <T>(context: Pick<Context, "facts">, fact: Fact<T>): T | undefined =>
  context.facts.get(fact) as T | undefined;
