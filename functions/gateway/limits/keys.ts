/** What requests are counted under. */

import { referenceReader } from "../core/references.ts";
import type { Context } from "../core/types.ts";
import { networkOf } from "../http/client-network.ts";
import { sha256 } from "../http/hash.ts";

/** The reference that a key stands for; undefined where it is none. */
export const referenceOf = (it: string): string | undefined =>
  it === "consumer" ? "{consumer.id}" : it.includes(".") ? `{${it}}` : undefined;

/** Whose request it is: in braces, so that its windows stay on one shard. */
export const limitKeyOf = (
  by: readonly string[],
): ((request: Request, context: Context) => string | Promise<string>) => {
  const parts = by.map((it) => {
    const text = referenceOf(it);
    // As it is: how a header would write it is no matter of counting.
    const value = text === undefined ? undefined : referenceReader(text.slice(1, -1));
    return (request: Request, context: Context): string =>
      value ? (value(request, context) ?? "") : builtinValue(it, context);
  });
  // A header may hold a credential: a store is told its hash.
  const hashed = by.some((it) => it.includes("."));
  return (request, context) => {
    const text = by.map((it, index) => `${it}=${encoded(parts[index]?.(request, context) ?? "")}`).join("&");
    if (hashed) return sha256(text).then((it) => `{${by.join("&")}=${it}}`);
    return text.length > maxKeyLength ? sha256(text).then((it) => `{#${it}}`) : `{${text}}`;
  };
};

/** In characters. What is longer is counted under its hash, since a store takes no key of any length. */
const maxKeyLength = 200;

/** Different values stay different, also those that are no Unicode: a claim may hold half of a surrogate pair. */
const encoded = (value: string): string => (value.isWellFormed() ? encodeURIComponent(value) : JSON.stringify(value));

const builtinValue = (key: string, { caller, route }: Context): string => {
  if (key === "ip") return networkOf(caller.ip);
  return key === "route" ? route.name : route.tier;
};
