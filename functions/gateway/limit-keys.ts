/** What requests are counted under. */
import { sha256 } from "./hash.ts";
import { template } from "./references.ts";
import type { Context } from "./types.ts";

/** The reference that a key stands for; undefined where it is none. */
export const referenceOf = (it: string): string | undefined =>
  it === "consumer" ? "{consumer.id}" : it.includes(".") ? `{${it}}` : undefined;

/** Whose request it is: in braces, so that its windows stay on one shard. */
export const keyOf = (by: readonly string[]): ((request: Request, context: Context) => string | Promise<string>) => {
  const parts = by.map((it) => {
    const text = referenceOf(it);
    const value = text === undefined ? undefined : template(text, "header");
    return (request: Request, context: Context): string =>
      value ? (value(request, context) ?? "") : plain(it, context);
  });
  // A header may hold a credential: a store is told its hash.
  const hashed = by.some((it) => it.includes("."));
  return (request, context) => {
    const text = by.map((it, index) => `${it}=${encoded(parts[index]?.(request, context) ?? "")}`).join("&");
    if (hashed) return sha256(text).then((it) => `{${by.join("&")}=${it}}`);
    return text.length > longestKey ? sha256(text).then((it) => `{#${it}}`) : `{${text}}`;
  };
};

/** In characters. What is longer is counted under its hash, since a store takes no key of any length. */
const longestKey = 200;

/** Different values stay different, also those that are no Unicode: a claim may hold half of a surrogate pair. */
const encoded = (value: string): string => (value.isWellFormed() ? encodeURIComponent(value) : JSON.stringify(value));

const plain = (key: string, { caller, route }: Context): string => {
  if (key === "ip") return network(caller.ip);
  return key === "route" ? route.name : route.tier;
};

/** An IPv6 client has a whole /64 to write from, so that is whom a limit means. */
const network = (ip: string | null): string => {
  if (ip === null) return "";
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(ip)) return ip;
  const groups = groupsOf(ip);
  if (!groups) return "";
  const [high, low] = groups.slice(6).map((group) => Number.parseInt(group, 16)) as [number, number];
  // An IPv4 client that came by an IPv6 socket (RFC 4291, 2.5.5.2).
  if (groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff") return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  return groups.slice(0, 4).join(":");
};

/** The eight of an IPv6 address. The platform's own parser says what is one and how it is written, and is there already. */
const groupsOf = (ip: string): readonly string[] | undefined => {
  const address = `http://[${ip}]`;
  if (!/^[\da-f:.]+$/i.test(ip) || !URL.canParse(address)) return undefined;
  const [head = [], tail] = new URL(address).hostname
    .slice(1, -1)
    .split("::")
    .map((part) => (part === "" ? [] : part.split(":")));
  return tail ? [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail] : head;
};
