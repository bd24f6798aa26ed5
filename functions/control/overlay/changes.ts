/** What operators may lay over a tier, and how it stands to the manifest. */

import { z } from "@hono/zod-openapi";
import { milliseconds, perWindow, share } from "../../gateway/core/quantities.ts";
import type { Change, Entry } from "../../gateway/overlay/overlay.ts";
import { duration, percent, reason } from "../model/fields.ts";
import type { TierFacts } from "../model/plan.ts";

/** A text that is no such quantity does not fit either. */
const fits =
  (test: (text: string) => boolean) =>
  (text: string): boolean => {
    try {
      return test(text);
    } catch {
      return false;
    }
  };

/** As a manifest's `closed` has it: a client that is told more waits for ever. */
const longestRetryMs = 24 * 86_400_000;
const retryAfter = duration.refine(
  fits((text) => milliseconds(text) <= longestRetryMs),
  "24 days at most",
);
const aShare = percent.refine(
  fits((text) => share(text) <= 1),
  "a share is at most 100%",
);
const name = z.string().max(100);
const limit = z.string().refine(
  fits((text) => perWindow(text).count > 0),
  "a limit is written 10/s",
);
const weights = z
  .record(name, z.int().min(0).max(10_000))
  .refine((all) => Object.values(all).some((weight) => weight > 0), "all weights are 0");

export const written = z.union([
  z.strictObject({
    kind: z.literal("close"),
    route: name.nullable(),
    retryAfter: retryAfter.optional(),
    detail: z.string().max(200).optional(),
    for: duration,
    reason,
  }),
  z.strictObject({ kind: z.literal("limit"), filter: name, limit, for: duration, reason }),
  z.strictObject({ kind: z.literal("enforce"), filter: name, for: duration, reason }),
  z.strictObject({ kind: z.literal("cutover"), route: name, percent: aShare, for: duration, reason }),
  z.strictObject({ kind: z.literal("weights"), route: name, weights, for: duration, reason }),
]);
export type Written = z.output<typeof written>;

export const changeOf = (it: Written): Change => {
  if (it.kind === "limit") return { kind: it.kind, filter: it.filter, limit: it.limit };
  if (it.kind === "enforce") return { kind: it.kind, filter: it.filter };
  if (it.kind === "cutover") return { kind: it.kind, route: it.route, percent: it.percent };
  if (it.kind === "weights") return { kind: it.kind, route: it.route, weights: it.weights };
  const { retryAfter, detail } = it;
  return {
    kind: "close",
    route: it.route,
    closed: { ...(retryAfter !== undefined && { "retry-after": retryAfter }), ...(detail !== undefined && { detail }) },
  };
};

/** Of a route's share and of its weights there is one entry each. */
export const laid = (all: readonly Entry[], entry: Entry): readonly Entry[] => {
  const place = placeOf(entry);
  return [...(place === undefined ? all : all.filter((it) => placeOf(it) !== place)), entry];
};

const placeOf = (it: Entry): string | undefined =>
  it.kind === "cutover" || it.kind === "weights" ? `${it.kind} ${it.route}` : undefined;

/** What the change is meant for, where the tier has none of it. */
export const missing = (it: Change | Written, { routes, filters }: TierFacts): string | undefined => {
  if (it.kind === "close" || it.kind === "cutover" || it.kind === "weights") {
    if (it.route === null) return undefined;
    const route = Object.hasOwn(routes, it.route) ? routes[it.route] : undefined;
    if (!route) return `route "${it.route}"; it has ${names(routes)}`;
    if (it.kind === "cutover") return route.cutover ? undefined : `\`cutover\` on its route "${it.route}"`;
    if (it.kind === "close") return undefined;
    const members = (route.weights ?? []).map(([upstream]) => upstream);
    const same = members.length === Object.keys(it.weights).length && members.every((one) => one in it.weights);
    return same
      ? undefined
      : `such weights on its route "${it.route}"; all of these have one: ${members.join(", ") || "none"}`;
  }
  if (it.kind === "drain") return undefined;
  const filter = Object.hasOwn(filters, it.filter) ? filters[it.filter] : undefined;
  if (!filter) return `filter "${it.filter}"; it has ${names(filters)}`;
  if (it.kind === "enforce") {
    if (filter.mode !== "shadow") return `shadowed filter "${it.filter}"`;
    return filter.enforceable
      ? undefined
      : `filter "${it.filter}" that an overlay may enforce: \`${filter.use}\` does more than refuse, so a release enforces it`;
  }
  return filter.limit ? undefined : `filter "${it.filter}" with a limit`;
};

/** How an entry stands to the manifest that control knows. */
export const saysOf = (it: Entry, facts: TierFacts): string => {
  if (it.kind === "drain") return "no manifest says such a thing; it is gone in minutes";
  const unknown = missing(it, facts);
  if (unknown !== undefined) return `has no effect any more: the tier has no ${unknown}`;
  return isWritten(it, facts) ? "the manifest says the same" : `differs from the manifest${remedyOf(it)}`;
};

/** The manifest says the same, so that nothing changes when the entry is gone. */
export const isWritten = (it: Change, { routes }: Pick<TierFacts, "routes">): boolean => {
  if (!("route" in it) || it.route === null) return false;
  const route = routes[it.route];
  if (it.kind === "close") return route?.closed === true;
  if (it.kind === "cutover") return route?.cutover !== undefined && share(route.cutover.percent) === share(it.percent);
  return route?.weights?.every(([upstream, weight]) => it.weights[upstream] === weight) ?? false;
};

const remedyOf = (it: Entry): string =>
  it.kind === "cutover" ? `; write \`percent: ${it.percent}\` into the \`cutover\` of ${it.route}` : "";

export const names = (all: object): string => Object.keys(all).join(", ") || "none";
