/** The admin API's routes for overlays: checks a change against the tier's facts, records it in the audit log and writes it to the feed. */

import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { milliseconds, share } from "../../gateway/core/quantities.ts";
import { maxEntries, maxEntryMs, type OverlayEntry, type StoredFeed } from "../../gateway/overlay/overlay.ts";
import { movedShare } from "../cutover/platform.ts";
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import {
  changeOf,
  driftOf,
  missingTarget,
  nameList,
  type OverlayBody,
  overlayBody,
  withEntry,
} from "../overlay/changes.ts";
import { type AuthenticatedOperator, hasRole } from "./operators.ts";
import { type ApiTypes, ConflictError, type ControlPorts, problem } from "./ports.ts";
import { json, responses, tierName, tierParams } from "./schemas.ts";
import { overlayList, writeFeed } from "./write-feed.ts";

/** Entries of a tier. Some are reserved for closing a route and some for control's own entries, so that neither is locked out. */
const maxWithClose = maxEntries - 5;
const maxWithoutClose = maxEntries - 25;

const entryParams = { params: z.object({ tier: tierName, id: z.string().max(64) }) };
const ifMatch = { headers: z.object({ "if-match": z.string().optional() }) };
const path = "/v1/tiers/{tier}/overlay";
const routes = {
  read: createRoute({ method: "get", path, request: tierParams, responses: responses("the tier's overlay") }),
  add: createRoute({
    method: "post",
    path,
    request: { ...tierParams, ...ifMatch, body: json(overlayBody) },
    responses: responses("the changed overlay; gates apply it within ten seconds"),
  }),
  remove: createRoute({
    method: "delete",
    path: `${path}/{id}`,
    request: { ...entryParams, ...ifMatch },
    responses: responses("the changed overlay"),
  }),
  drift: createRoute({
    method: "get",
    path: "/v1/drift",
    responses: responses("overlay entries and how they differ from the manifests"),
  }),
};

export const addOverlayRoutes = (app: OpenAPIHono<ApiTypes>, plan: ControlPlan, ports: ControlPorts): void => {
  const factsOf = (tier: string): TierFacts | undefined =>
    Object.hasOwn(plan.tiers, tier) ? plan.tiers[tier] : undefined;
  const unknownTier = (tier: string) => problem(404, `there is no tier "${tier}"; tiers are ${nameList(plan.tiers)}`);

  const write = async (
    request: Parameters<typeof writeFeed>[1],
    change: (all: readonly OverlayEntry[]) => readonly OverlayEntry[],
  ) => {
    const after = await writeFeed(ports, request, overlayList, change);
    return after instanceof Response ? after : Response.json(overlayView(after));
  };

  app.openapi(routes.read, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(overlayView(await ports.overlay.read(tier))) : unknownTier(tier);
  });
  app.openapi(routes.add, async (c) => {
    const { tier } = c.req.valid("param");
    const facts = factsOf(tier);
    if (!facts) return unknownTier(tier);
    const it = c.req.valid("json");
    const person = c.get("person");
    const refusal = refuseChange(tier, facts, it, person);
    if (refusal) return refusal;
    const entry: OverlayEntry = {
      ...changeOf(it),
      id: ports.uuid().slice(0, 8),
      until: ports.now() + milliseconds(it.for),
      by: person.name,
      reason: it.reason,
    };
    const ifMatch = c.req.valid("header")["if-match"];
    const request = { tier, ifMatch, by: person.name, what: `overlay ${it.kind}`, reason: it.reason };
    return write(request, (all) => addEntry(tier, facts, all, entry));
  });
  app.openapi(routes.remove, async (c) => {
    const { tier, id } = c.req.valid("param");
    const facts = factsOf(tier);
    if (!facts) return unknownTier(tier);
    const person = c.get("person");
    if (facts.level === "core" && !hasRole(person, "admin"))
      return problem(
        403,
        `removing an overlay entry of a core tier requires the role admin; ${person.name} is ${person.role}`,
      );
    const { entries } = await ports.overlay.read(tier);
    if (!entries.some((it) => it.id === id)) return problem(404, `${tier} has no entry ${id}`);
    const ifMatch = c.req.valid("header")["if-match"];
    const request = { tier, ifMatch, by: person.name, what: "overlay remove", reason: id };
    return write(request, (all) => all.filter((it) => it.id !== id));
  });
  app.openapi(routes.drift, async () => Response.json(await allDrift(plan, ports)));
};

/** What the API returns of the feed's state: the overlay without the revocations. */
const overlayView = ({ revision, entries }: StoredFeed) => ({ revision, entries });

/** @returns a problem if the tier lacks the target, the lifetime is too long, or the role is insufficient */
const refuseChange = (
  tier: string,
  facts: TierFacts,
  it: OverlayBody,
  person: AuthenticatedOperator,
): Response | undefined => {
  const missing = missingTarget(it, facts);
  if (missing) return problem(404, `${tier} has no ${missing}`);
  if (milliseconds(it.for) > maxEntryMs)
    return problem(400, "an entry lasts seven days at most; put a lasting change into the manifest");
  if (it.kind === "weights" && facts.level === "core" && !hasRole(person, "admin"))
    return problem(
      403,
      `changing upstream weights of a core tier requires the role admin; ${person.name} is an operator`,
    );
  return undefined;
};

/** @throws ConflictError if the change needs two people, or the tier has too many entries */
const addEntry = (
  tier: string,
  facts: TierFacts,
  all: readonly OverlayEntry[],
  entry: OverlayEntry,
): readonly OverlayEntry[] => {
  const isCoreCutover = entry.kind === "cutover" && facts.level === "core";
  if (isCoreCutover && share(entry.percent) > movedShare(all, entry.route, facts))
    throw new ConflictError(
      `moving more users of the core tier ${tier} requires two people: npx postern rollout start ${tier}/${entry.route}`,
    );
  const after = withEntry(all, entry);
  const max = entry.kind === "close" ? maxWithClose : maxWithoutClose;
  if (after.length > Math.max(all.length, max)) throw new ConflictError(`${tier} has ${all.length} entries already`);
  return after;
};

/** The overlay entries of all tiers, each with its difference from the manifest. */
const allDrift = ({ tiers }: ControlPlan, { overlay }: ControlPorts) =>
  Promise.all(
    Object.entries(tiers).map(async ([tier, facts]) => {
      const { entries } = await overlay.read(tier);
      return { tier, entries: entries.map((it) => ({ ...it, says: driftOf(it, facts) })) };
    }),
  );
