/** Assumes the listeners of a Gateway that is not in the input, from the routes that refer to them. */

import { findSchemeChange } from "./redirects.ts";
import type { HttpRouteResource } from "./resources.ts";
import type { Listener, Parent } from "./schema.ts";

/** Gateway sections on which a route redirects to HTTPS. */
export const redirectedSections = (routes: readonly HttpRouteResource[]): ReadonlySet<string> =>
  new Set(
    routes
      .filter(({ spec }) => spec.rules.some((rule) => findSchemeChange(rule)?.scheme === "https"))
      .flatMap(({ resource, spec }) => spec.parentRefs.map((it) => sectionKey(it, it.namespace ?? resource.namespace))),
  );

const sectionKey = ({ name, sectionName, port }: Parent, namespace: string): string =>
  JSON.stringify([namespace, name, sectionName, port]);

/**
 * The listener that a reference names, if its scheme can be inferred: a redirect to HTTPS is on HTTP, and ports and
 * names follow the usual conventions.
 */
export const assumedListener = (
  parent: Parent,
  namespace: string,
  redirected: ReadonlySet<string>,
): Listener | undefined => {
  const { sectionName, port } = parent;
  if (sectionName === undefined && port === undefined) return undefined;
  const isRedirected = redirected.has(sectionKey(parent, namespace));
  const protocol = isRedirected ? "HTTP" : (protocolOfPort(port) ?? protocolOfName(sectionName));
  if (protocol === undefined) return undefined;
  return {
    name: sectionName ?? String(port),
    port: port ?? (protocol === "HTTP" ? 80 : 443),
    protocol,
    hostname: undefined,
    allowedRoutes: { namespaces: { from: "All" } },
  };
};

const protocolOfPort = (port: number | undefined): string | undefined => {
  if (port === 80 || port === 8080) return "HTTP";
  return port === 443 || port === 8443 ? "HTTPS" : undefined;
};

const protocolOfName = (name = ""): string | undefined => {
  if (/https|tls|secure$/i.test(name) && !/insecure/i.test(name)) return "HTTPS";
  return /^(?:http|web)(?:-|$)|insecure/i.test(name) ? "HTTP" : undefined;
};
