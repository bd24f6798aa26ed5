/**
 * Finds the Worker that a request from outside is for: by a zone's routes, by its workers.dev address, or by the address of
 * one version.
 */
import type { Account, Version, Worker } from "../account/account.ts";

export interface HostMatch {
  readonly worker: Worker;
  /** Set where the address is of one version. The split does not apply then. */
  readonly version?: Version | undefined;
}

/** The account's subdomain of workers.dev. */
export const subdomain = "local";
/** Browsers and curl resolve `<worker>.localhost` without a name server, so it stands for the longer one. */
const devDomains = [`.${subdomain}.workers.dev`, ".localhost"];

/**
 * @param host of the Host header, with or without a port
 * @param path of the URL
 */
export const matchHost = ({ workers }: Account, host: string, path: string): HostMatch | undefined => {
  const name = host.toLowerCase().replace(/\.?(?::\d+)?$/, "");
  for (const domain of devDomains)
    if (name.endsWith(domain)) {
      const found = byLabel(workers, name.slice(0, -domain.length));
      if (found) return found;
    }
  const worker = byRoute(workers, name, path);
  return worker && { worker };
};

const byLabel = (workers: Account["workers"], label: string): HostMatch | undefined => {
  const worker = workers.get(label);
  if (worker) return worker.subdomain.enabled ? { worker } : undefined;
  for (const it of workers.values())
    if (label.endsWith(`-${it.name}`) && it.subdomain.previews_enabled) {
      const version = byPrefix(it, label.slice(0, -it.name.length - 1));
      if (version) return { worker: it, version };
    }
  return undefined;
};

/** By the first eight digits of its id. By an alias, the newest version that has it. */
const byPrefix = ({ versions }: Worker, prefix: string): Version | undefined =>
  versions.findLast(({ id, annotations }) => id.slice(0, 8) === prefix || annotations["workers/alias"] === prefix);

const byRoute = (workers: Account["workers"], host: string, path: string): Worker | undefined => {
  let best: { readonly worker: Worker; readonly weight: number } | undefined;
  for (const worker of workers.values())
    for (const { pattern } of worker.routes) {
      const weight = routeWeight(pattern, host, path);
      if (weight !== undefined && (!best || weight > best.weight)) best = { worker, weight };
    }
  return best?.worker;
};

/**
 * The weight of a route that matches, so that the most specific wins. A pattern's `*` is at the beginning of the host, at
 * the end of the path, or both.
 * https://developers.cloudflare.com/workers/configuration/routing/routes/#matching-behavior
 */
export const routeWeight = (pattern: string, host: string, path: string): number | undefined => {
  const [, hostPattern = "", patternPath = ""] = /^(?:https?:\/\/)?([^/]*)(\/.*)?$/.exec(pattern) ?? [];
  const patternHost = hostPattern.toLowerCase();
  const isExactHost = !patternHost.startsWith("*");
  const isExactPath = !patternPath.endsWith("*");
  const literalPath = isExactPath ? patternPath || "/" : patternPath.slice(0, -1);
  const hostMatches = isExactHost ? host === patternHost : host.endsWith(patternHost.slice(1));
  const pathMatches = isExactPath ? path === literalPath : path.startsWith(literalPath);
  if (!hostMatches || !pathMatches) return undefined;
  // An exact host outweighs every path, and an exact path outweighs every prefix.
  return (isExactHost ? 1e12 : 0) + patternHost.length * 1e9 + (isExactPath ? 1e6 : 0) + literalPath.length;
};
