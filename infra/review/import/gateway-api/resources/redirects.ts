/** Redirects from one scheme to the other: on the scheme that they lead to, they would lead to themselves. */

import { covers } from "./hostnames.ts";
import type { Door } from "./resources.ts";
import type { Rule } from "./schema.ts";

export interface Change {
  readonly scheme: "http" | "https";
  readonly hostname?: string | undefined;
}

/** Where a rule changes the scheme, by a filter of its own or of its backends. */
export const changesScheme = ({ filters, backendRefs }: Rule): Change | undefined => {
  const all = [...filters, ...backendRefs.flatMap((it) => it.filters)];
  const found = all.find(({ requestRedirect: it }) => it?.scheme !== undefined)?.requestRedirect;
  return found?.scheme && { scheme: found.scheme, hostname: found.hostname?.toLowerCase() };
};

/** The scheme is asked for where the redirect stays on its host, whatever else is known of the listener. */
export const doorOf = (change: Change | undefined, door: Door, hosts: readonly string[]): Door => {
  if (change === undefined || door.scheme !== undefined) return door;
  const { scheme, hostname } = change;
  const stays = hostname === undefined || hosts.some((it) => it === hostname || covers(it, hostname));
  return stays ? { ...door, scheme: scheme === "https" ? "http" : "https" } : door;
};
