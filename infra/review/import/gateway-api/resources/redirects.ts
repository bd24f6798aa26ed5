/** Redirects between schemes: they get a scheme condition, since on their target scheme they would loop. */

import { wildcardCovers } from "./hostnames.ts";
import type { ListenerAddress } from "./resources.ts";
import type { Rule } from "./schema.ts";

export interface SchemeChange {
  readonly scheme: "http" | "https";
  readonly hostname?: string | undefined;
}

/** The redirect of a rule, or of one of its backends, that changes the scheme. */
export const findSchemeChange = ({ filters, backendRefs }: Rule): SchemeChange | undefined => {
  const all = [...filters, ...backendRefs.flatMap((it) => it.filters)];
  const found = all.find(({ requestRedirect: it }) => it?.scheme !== undefined)?.requestRedirect;
  return found?.scheme && { scheme: found.scheme, hostname: found.hostname?.toLowerCase() };
};

/** Adds the scheme as a condition if the redirect stays on its host. */
export const addressFor = (
  change: SchemeChange | undefined,
  address: ListenerAddress,
  hosts: readonly string[],
): ListenerAddress => {
  if (change === undefined || address.scheme !== undefined) return address;
  const { scheme, hostname } = change;
  const staysOnHost = hostname === undefined || hosts.some((it) => it === hostname || wildcardCovers(it, hostname));
  return staysOnHost ? { ...address, scheme: scheme === "https" ? "http" : "https" } : address;
};
