/** Turns what a service says of its own address into the address that the client knows. */
import type { Context } from "../core/types.ts";
import { hostOf } from "../http/hosts.ts";

/** What becomes of references to the service in the headers of its response. */
export type LocationMode = "rewrite" | "keep";

/** Where a service says where to go: RFC 9110, 10.2.2 and 8.7, and what browsers read besides. */
export const locationFields: ReadonlySet<string> = new Set(["location", "content-location", "refresh"]);

/**
 * Rewrites a reference to the service. Foreign ones, and those that a client resolves to the right place by itself, stay as
 * they are, byte for byte.
 *
 * @param field one of `locationFields`
 * @param value what the service said in it
 * @param upstreamUrl what the service was asked for: an absolute URL
 * @returns the new value, or undefined where the old one stays
 */
export const rewriteReference = (
  field: string,
  value: string,
  upstreamUrl: string,
  { url }: Pick<Context, "url">,
): string | undefined => {
  const [before, reference, after] = field === "refresh" ? splitRefresh(value) : ["", value, ""];
  const found = reference && publicReference(reference, upstreamUrl, url);
  return found ? before + found + after : undefined;
};

/** `5; url='https://…'` (HTML, shared declarative refresh steps): what stands before the URL, the URL, and what stands behind. */
const splitRefresh = (value: string): readonly [string, string, string] => {
  const [before = ""] = /^\s*[\d.]+(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?["']?/i.exec(value) ?? [];
  const rest = value.slice(before.length);
  const quote = /["']$/.exec(before)?.[0];
  const end = quote === undefined ? -1 : rest.indexOf(quote);
  const reference = end < 0 ? rest.trimEnd() : rest.slice(0, end);
  return before === "" ? [value, "", ""] : [before, reference, rest.slice(reference.length)];
};

/** @returns undefined where the reference is foreign, malformed, or leads to the right place already */
const publicReference = (reference: string, upstreamUrl: string, url: Context["url"]): string | undefined => {
  const service = new URL(upstreamUrl);
  const target = URL.parse(reference, upstreamUrl);
  if (!target || !isOwn(target, service)) return undefined;
  const path = publicPath(target.pathname, service.pathname, url.pathname);
  const whole = url.origin + path + target.search + target.hash;
  const asIs = URL.parse(reference, url.origin + url.pathname + url.search);
  if (asIs?.href === URL.parse(whole)?.href) return undefined;
  // A path that begins with two slashes would be read as a host.
  const isAbsolute = path.startsWith("//") || URL.canParse(reference) || /^[\\/]{2}/.test(reference);
  return isAbsolute ? whole : path + target.search + target.hash;
};

/** The same host, with or without the dot of a fully qualified name, and the same port. A service behind whatever ends TLS for it may name another scheme. */
const isOwn = (target: URL, service: URL): boolean =>
  /^https?:$/.test(target.protocol) &&
  hostOf(target) === hostOf(service) &&
  (target.port === service.port || portOf(target) === portOf(service));

const portOf = ({ port, protocol }: URL): string => port || (protocol === "https:" ? "443" : "80");

/**
 * The public path of a service's path, by what this request's own two paths have in common: `/wallet/v1/accounts/7` that was
 * asked for as `/api/accounts/7` says that `/api` is `/wallet/v1`. What lies elsewhere at the service has no public path that
 * could be known, and keeps its own.
 */
const publicPath = (path: string, upstreamUrl: string, requestPath: string): string => {
  if (path === upstreamUrl) return requestPath;
  const [servicePrefix, publicPrefix] = prefixes(upstreamUrl, requestPath);
  // A service that knows the public prefix has written it already.
  if (servicePrefix === "" && publicPrefix !== "" && isUnder(path, publicPrefix)) return path;
  return isUnder(path, servicePrefix) ? publicPrefix + path.slice(servicePrefix.length) || "/" : path;
};

const isUnder = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`);

/** What stands before the segments that both end in. Where they end in none, one may hold the other whole; else all of both. */
const prefixes = (upstreamUrl: string, requestPath: string): readonly [theirs: string, ours: string] => {
  const [a, b] = [upstreamUrl.split("/"), requestPath.split("/")];
  let same = 0;
  while (same + 1 < Math.min(a.length, b.length) && a.at(-1 - same) === b.at(-1 - same)) same++;
  if (same > 0) return [a.slice(0, -same).join("/"), b.slice(0, -same).join("/")];
  const within = upstreamUrl === "/" ? -1 : `${requestPath}/`.indexOf(`${upstreamUrl}/`);
  if (within >= 0) return ["", requestPath.slice(0, within)];
  return [upstreamUrl.replace(/\/$/, ""), requestPath.replace(/\/$/, "")];
};
