/** Rewrites references to a service's own address into public ones. */
import type { Context } from "../core/types.ts";
import { hostOf } from "../http/hosts.ts";

/** Whether references to the service in response headers are rewritten. */
export type LocationMode = "rewrite" | "keep";

/** Headers with references: RFC 9110, 10.2.2 and 8.7, and `Refresh`, which browsers read. */
export const locationFields: ReadonlySet<string> = new Set(["location", "content-location", "refresh"]);

/**
 * Rewrites a reference to the service. Foreign references, and those that a client resolves correctly, stay byte for
 * byte.
 *
 * @param field one of `locationFields`
 * @param value of the field
 * @param upstreamUrl absolute URL of the upstream request
 * @returns the new value; undefined when the old one stays
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

/**
 * Splits `5; url='https://…'` (HTML, shared declarative refresh steps) into the text before the URL, the URL, and the
 * text behind it.
 */
const splitRefresh = (value: string): readonly [string, string, string] => {
  const [before = ""] = /^\s*[\d.]+(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?["']?/i.exec(value) ?? [];
  const rest = value.slice(before.length);
  const quote = /["']$/.exec(before)?.[0];
  const end = quote === undefined ? -1 : rest.indexOf(quote);
  const reference = end < 0 ? rest.trimEnd() : rest.slice(0, end);
  return before === "" ? [value, "", ""] : [before, reference, rest.slice(reference.length)];
};

/** @returns undefined when the reference is foreign, malformed or already public */
const publicReference = (reference: string, upstreamUrl: string, url: Context["url"]): string | undefined => {
  const service = new URL(upstreamUrl);
  const target = URL.parse(reference, upstreamUrl);
  if (!target || !isOwn(target, service)) return undefined;
  const path = publicPath(target.pathname, service.pathname, url.pathname);
  const whole = url.origin + path + target.search + target.hash;
  const asIs = URL.parse(reference, url.origin + url.pathname + url.search);
  if (asIs?.href === URL.parse(whole)?.href) return undefined;
  // A path that starts with two slashes would be parsed as a host.
  const isAbsolute = path.startsWith("//") || URL.canParse(reference) || /^[\\/]{2}/.test(reference);
  return isAbsolute ? whole : path + target.search + target.hash;
};

/**
 * Whether a URL has the service's host, with or without a trailing dot, and port. The scheme may differ, since TLS
 * may end ahead of the service.
 */
const isOwn = (target: URL, service: URL): boolean =>
  /^https?:$/.test(target.protocol) &&
  hostOf(target) === hostOf(service) &&
  (target.port === service.port || portOf(target) === portOf(service));

const portOf = ({ port, protocol }: URL): string => port || (protocol === "https:" ? "443" : "80");

/**
 * Maps a path of the service to a public path by what this request's two paths have in common: if
 * `/wallet/v1/accounts/7` was requested as `/api/accounts/7`, then `/api` is `/wallet/v1`. A path elsewhere at the
 * service has no known public path and stays.
 */
const publicPath = (path: string, upstreamUrl: string, requestPath: string): string => {
  if (path === upstreamUrl) return requestPath;
  const [servicePrefix, publicPrefix] = prefixes(upstreamUrl, requestPath);
  // The service already uses the public prefix.
  if (servicePrefix === "" && publicPrefix !== "" && isUnder(path, publicPrefix)) return path;
  return isUnder(path, servicePrefix) ? publicPrefix + path.slice(servicePrefix.length) || "/" : path;
};

const isUnder = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`);

/**
 * The prefixes ahead of the segments that both paths share at the end. Without shared segments, one path may contain
 * the other; else the prefixes are the whole paths.
 */
const prefixes = (upstreamUrl: string, requestPath: string): readonly [theirs: string, ours: string] => {
  const [a, b] = [upstreamUrl.split("/"), requestPath.split("/")];
  let same = 0;
  while (same + 1 < Math.min(a.length, b.length) && a.at(-1 - same) === b.at(-1 - same)) same++;
  if (same > 0) return [a.slice(0, -same).join("/"), b.slice(0, -same).join("/")];
  const within = upstreamUrl === "/" ? -1 : `${requestPath}/`.indexOf(`${upstreamUrl}/`);
  if (within >= 0) return ["", requestPath.slice(0, within)];
  return [upstreamUrl.replace(/\/$/, ""), requestPath.replace(/\/$/, "")];
};
