/** Overlay changes that operators can make to a tier, and how they differ from its manifest. */

import { z } from "@hono/zod-openapi";
import { milliseconds, requestsPerWindow, share } from "../../gateway/core/quantities.ts";
import type { OverlayChange, OverlayEntry } from "../../gateway/overlay/overlay.ts";
import { duration, percent, reason } from "../model/fields.ts";
import type { TierFacts } from "../model/plan.ts";

/** Turns a test that may throw into a predicate; a malformed text fails it. */
const passes =
  (test: (text: string) => boolean) =>
  (text: string): boolean => {
    try {
      return test(text);
    } catch {
      return false;
    }
  };

/** The same bound as `closed` of a manifest has: with more a client would wait forever. */
const maxRetryAfterMs = 24 * 86_400_000;
const retryAfter = duration.refine(
  passes((text) => milliseconds(text) <= maxRetryAfterMs),
  "24 days at most",
);
const shareText = percent.refine(
  passes((text) => share(text) <= 1),
  "a share is at most 100%",
);
const name = z.string().max(100);
const limit = z.string().refine(
  passes((text) => requestsPerWindow(text).count > 0),
  "write a limit as 10/s",
);
const weights = z
  .record(name, z.int().min(0).max(10_000))
  .refine((all) => Object.values(all).some((weight) => weight > 0), "all weights are 0");

export const overlayBody = z.union([
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
  z.strictObject({ kind: z.literal("cutover"), route: name, percent: shareText, for: duration, reason }),
  z.strictObject({ kind: z.literal("weights"), route: name, weights, for: duration, reason }),
]);
export type OverlayBody = z.output<typeof overlayBody>;

export const changeOf = (it: OverlayBody): OverlayChange => {
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

/** Adds an entry. A route has at most one cutover entry and one weights entry; a new one replaces it. */
export const withEntry = (all: readonly OverlayEntry[], entry: OverlayEntry): readonly OverlayEntry[] => {
  const slot = slotOf(entry);
  return [...(slot === undefined ? all : all.filter((it) => slotOf(it) !== slot)), entry];
};

const slotOf = (it: OverlayEntry): string | undefined =>
  it.kind === "cutover" || it.kind === "weights" ? `${it.kind} ${it.route}` : undefined;

/** @returns what the change refers to but the tier lacks; undefined if the target exists */
export const missingTarget = (it: OverlayChange | OverlayBody, { routes, filters }: TierFacts): string | undefined => {
  if (it.kind === "close" || it.kind === "cutover" || it.kind === "weights") {
    if (it.route === null) return undefined;
    const route = Object.hasOwn(routes, it.route) ? routes[it.route] : undefined;
    if (!route) return `route "${it.route}"; it has ${nameList(routes)}`;
    if (it.kind === "cutover") return route.cutover ? undefined : `\`cutover\` on its route "${it.route}"`;
    if (it.kind === "close") return undefined;
    const members = (route.weights ?? []).map(([upstream]) => upstream);
    const isSame =
      members.length === Object.keys(it.weights).length && members.every((upstream) => upstream in it.weights);
    return isSame
      ? undefined
      : `such weights on its route "${it.route}"; give one for each of: ${members.join(", ") || "none"}`;
  }
  if (it.kind === "drain" || it.kind === "measure" || it.kind === "epochs") return undefined;
  const filter = Object.hasOwn(filters, it.filter) ? filters[it.filter] : undefined;
  if (!filter) return `filter "${it.filter}"; it has ${nameList(filters)}`;
  if (it.kind === "enforce") {
    if (filter.mode !== "shadow") return `shadowed filter "${it.filter}"`;
    return filter.enforceable
      ? undefined
      : `filter "${it.filter}" that an overlay may enforce: \`${filter.use}\` does more than refuse, so a release enforces it`;
  }
  return filter.limit ? undefined : `filter "${it.filter}" with a limit`;
};

/** Describes how an entry differs from the manifest. */
export const driftOf = (it: OverlayEntry, facts: TierFacts): string => {
  if (it.kind === "drain" || it.kind === "measure" || it.kind === "epochs")
    return "temporary; a manifest has no such setting";
  const unknown = missingTarget(it, facts);
  if (unknown !== undefined) return `has no effect any more: the tier has no ${unknown}`;
  return isInManifest(it, facts) ? "same as the manifest" : `differs from the manifest${remedyOf(it)}`;
};

/** Whether the manifest has the same setting, so that nothing changes when the entry expires. */
export const isInManifest = (it: OverlayChange, { routes }: Pick<TierFacts, "routes">): boolean => {
  if (!("route" in it) || it.route === null) return false;
  const route = routes[it.route];
  if (it.kind === "close") return route?.closed === true;
  if (it.kind === "cutover") return route?.cutover !== undefined && share(route.cutover.percent) === share(it.percent);
  return route?.weights?.every(([upstream, weight]) => it.weights[upstream] === weight) ?? false;
};

const remedyOf = (it: OverlayEntry): string =>
  it.kind === "cutover" ? `; write \`percent: ${it.percent}\` into the \`cutover\` of ${it.route}` : "";

export const nameList = (all: object): string => Object.keys(all).join(", ") || "none";
