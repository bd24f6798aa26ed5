/** Computes the keys by which requests are counted. */

import { referenceReader } from "../core/references.ts";
import type { Context } from "../core/types.ts";
import { networkOf } from "../http/client-network.ts";
import { sha256 } from "../http/hash.ts";

/** The reference of a key; undefined for a built-in key. */
export const referenceOf = (it: string): string | undefined =>
  it === "consumer" ? "{consumer.id}" : it.includes(".") ? `{${it}}` : undefined;

/** Compiles the key of requests. In braces, so that all windows of a key are on one shard. */
export const limitKeyOf = (
  by: readonly string[],
): ((request: Request, context: Context) => string | Promise<string>) => {
  const parts = by.map((it) => {
    const text = referenceOf(it);
    // The raw value, without the encoding of headers.
    const value = text === undefined ? undefined : referenceReader(text.slice(1, -1));
    return (request: Request, context: Context): string =>
      value ? (value(request, context) ?? "") : builtinValue(it, context);
  });
  // A header may hold a credential, so the store gets a hash.
  const hashed = by.some((it) => it.includes("."));
  return (request, context) => {
    const text = by.map((it, index) => `${it}=${encoded(parts[index]?.(request, context) ?? "")}`).join("&");
    if (hashed) return sha256(text).then((it) => `{${by.join("&")}=${it}}`);
    return text.length > maxKeyLength ? sha256(text).then((it) => `{#${it}}`) : `{${text}}`;
  };
};

/** In characters. Longer keys are hashed, since stores limit the length. */
const maxKeyLength = 200;

/**
 * Different values get different keys, also when they are not well-formed Unicode: a claim may hold a lone surrogate.
 */
const encoded = (value: string): string => (value.isWellFormed() ? encodeURIComponent(value) : JSON.stringify(value));

const builtinValue = (key: string, { caller, route }: Context): string => {
  if (key === "ip") return networkOf(caller.ip);
  return key === "route" ? route.name : route.tier;
};
