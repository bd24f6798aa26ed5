/** Turns what a service says of its own address into the address that the client knows. */
import type { Context } from "../core/types.ts";
import { hostOf } from "../http/hosts.ts";

/** What becomes of references to the service in the headers of its response. */
export type Locations = "rewrite" | "keep";

/** Where a service says where to go: RFC 9110, 10.2.2 and 8.7, and what browsers read besides. */
export const locationFields: ReadonlySet<string> = new Set(["location", "content-location", "refresh"]);

/**
 * Rewrites a reference to the service. Foreign ones, and those that a client resolves to the right place by itself, stay as
 * they are, byte for byte.
 *
 * @param field one of `locationFields`
 * @param value what the service said in it
 * @param asked what the service was asked for: an absolute URL
 * @returns the new value, or undefined where the old one stays
 */
export const relocated = (
  field: string,
  value: string,
  asked: string,
  { url }: Pick<Context, "url">,
): string | undefined => {
  const [before, reference, after] = field === "refresh" ? partsOfRefresh(value) : ["", value, ""];
  const found = reference && publicOf(reference, asked, url);
  return found ? before + found + after : undefined;
};

/** `5; url='https://…'` (HTML, shared declarative refresh steps): what stands before the URL, the URL, and what stands behind. */
const partsOfRefresh = (said: string): readonly [string, string, string] => {
  const [before = ""] = /^\s*[\d.]+(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?["']?/i.exec(said) ?? [];
  const rest = said.slice(before.length);
  const quote = /["']$/.exec(before)?.[0];
  const end = quote === undefined ? -1 : rest.indexOf(quote);
  const reference = end < 0 ? rest.trimEnd() : rest.slice(0, end);
  return before === "" ? [said, "", ""] : [before, reference, rest.slice(reference.length)];
};

/** @returns undefined where the reference is foreign, malformed, or leads to the right place already */
const publicOf = (reference: string, asked: string, url: Context["url"]): string | undefined => {
  const service = new URL(asked);
  const place = URL.parse(reference, asked);
  if (!place || !isOwn(place, service)) return undefined;
  const path = pathFor(place.pathname, service.pathname, url.pathname);
  const whole = url.origin + path + place.search + place.hash;
  const asIs = URL.parse(reference, url.origin + url.pathname + url.search);
  if (asIs?.href === URL.parse(whole)?.href) return undefined;
  // A path that begins with two slashes would be read as a host.
  const isAbsolute = path.startsWith("//") || URL.canParse(reference) || /^[\\/]{2}/.test(reference);
  return isAbsolute ? whole : path + place.search + place.hash;
};

/** The same host, with or without the dot of a fully qualified name, and the same port. A service behind whatever ends TLS for it may name another scheme. */
const isOwn = (place: URL, service: URL): boolean =>
  /^https?:$/.test(place.protocol) &&
  hostOf(place) === hostOf(service) &&
  (place.port === service.port || portOf(place) === portOf(service));

const portOf = ({ port, protocol }: URL): string => port || (protocol === "https:" ? "443" : "80");

/**
 * The public path of a service's path, by what this request's own two paths have in common: `/wallet/v1/accounts/7` that was
 * asked for as `/api/accounts/7` says that `/api` is `/wallet/v1`. What lies elsewhere at the service has no public path that
 * could be known, and keeps its own.
 */
const pathFor = (path: string, asked: string, given: string): string => {
  if (path === asked) return given;
  const [theirs, ours] = prefixes(asked, given);
  // A service that knows the public prefix has written it already.
  if (theirs === "" && ours !== "" && isUnder(path, ours)) return path;
  return isUnder(path, theirs) ? ours + path.slice(theirs.length) || "/" : path;
};

const isUnder = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`);

/** What stands before the segments that both end in. Where they end in none, one may hold the other whole; else all of both. */
const prefixes = (asked: string, given: string): readonly [theirs: string, ours: string] => {
  const [a, b] = [asked.split("/"), given.split("/")];
  let same = 0;
  while (same + 1 < Math.min(a.length, b.length) && a.at(-1 - same) === b.at(-1 - same)) same++;
  if (same > 0) return [a.slice(0, -same).join("/"), b.slice(0, -same).join("/")];
  const within = asked === "/" ? -1 : `${given}/`.indexOf(`${asked}/`);
  if (within >= 0) return ["", given.slice(0, within)];
  return [asked.replace(/\/$/, ""), given.replace(/\/$/, "")];
};
