/** The overlay, as operators write it: checked against what control knows of the tier, written down, and handed to the feed. */

import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { milliseconds, share } from "../../gateway/core/quantities.ts";
import { type Entry, type Kept, longestEntryMs, mostEntries } from "../../gateway/overlay/overlay.ts";
import { movedOf } from "../cutover/platform.ts";
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import { changeOf, laid, missing, names, saysOf, written } from "../overlay/changes.ts";
import { mayAct } from "./operators.ts";
import { Declined, type Desk, problem, type Types } from "./ports.ts";
import { answers, inTier, json, tierName } from "./schemas.ts";
import { laying, overlays } from "./write-feed.ts";

/** Of a tier's entries, so that a route can be closed whatever else has been laid over the tier; the rest is left to control's own. */
const mostClosing = mostEntries - 5;
const mostOthers = mostEntries - 25;

const inEntry = { params: z.object({ tier: tierName, id: z.string().max(64) }) };
const ifMatch = { headers: z.object({ "if-match": z.string().optional() }) };
const path = "/v1/tiers/{tier}/overlay";
const routes = {
  read: createRoute({ method: "get", path, request: inTier, responses: answers("what is laid over the tier") }),
  add: createRoute({
    method: "post",
    path,
    request: { ...inTier, ...ifMatch, body: json(written) },
    responses: answers("the overlay after that; gates follow within ten seconds"),
  }),
  remove: createRoute({
    method: "delete",
    path: `${path}/{id}`,
    request: { ...inEntry, ...ifMatch },
    responses: answers("the overlay after that"),
  }),
  drift: createRoute({
    method: "get",
    path: "/v1/drift",
    responses: answers("what overlays say that manifests do not"),
  }),
};

export const addOverlay = (app: OpenAPIHono<Types>, plan: ControlPlan, desk: Desk): void => {
  const factsOf = (tier: string): TierFacts | undefined =>
    Object.hasOwn(plan.tiers, tier) ? plan.tiers[tier] : undefined;
  const noTier = (tier: string) => problem(404, `there is no tier "${tier}"; there are ${names(plan.tiers)}`);

  const write = async (asked: Parameters<typeof laying>[1], change: (all: readonly Entry[]) => readonly Entry[]) => {
    const after = await laying(desk, asked, overlays, change);
    return after instanceof Response ? after : Response.json(laidOver(after));
  };

  app.openapi(routes.read, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(laidOver(await desk.overlay.read(tier))) : noTier(tier);
  });
  app.openapi(routes.add, async (c) => {
    const { tier } = c.req.valid("param");
    const facts = factsOf(tier);
    if (!facts) return noTier(tier);
    const it = c.req.valid("json");
    const unknown = missing(it, facts);
    if (unknown) return problem(404, `${tier} has no ${unknown}`);
    const forMs = milliseconds(it.for);
    if (forMs > longestEntryMs)
      return problem(400, "an entry lasts seven days at most; what lasts longer belongs into the manifest");
    const by = c.get("person").name;
    const entry: Entry = {
      ...changeOf(it),
      id: desk.uuid().slice(0, 8),
      until: desk.now() + forMs,
      by,
      reason: it.reason,
    };
    const ifMatch = c.req.valid("header")["if-match"];
    const asked = { tier, ifMatch, by, what: `overlay ${it.kind}`, reason: it.reason };
    if (it.kind === "weights" && facts.level === "core" && !mayAct(c.get("person"), "admin"))
      return problem(403, `users of a core tier are moved among its upstreams by an admin; ${by} is an operator`);
    return write(asked, (all) => {
      if (entry.kind === "cutover" && facts.level === "core" && share(entry.percent) > movedOf(all, entry.route, facts))
        throw new Declined(
          `more users of ${tier} are moved by two people: postern rollout start ${tier}/${entry.route}`,
        );
      const after = laid(all, entry);
      const most = entry.kind === "close" ? mostClosing : mostOthers;
      if (after.length > Math.max(all.length, most)) throw new Declined(`${tier} has ${all.length} entries already`);
      return after;
    });
  });
  app.openapi(routes.remove, async (c) => {
    const { tier, id } = c.req.valid("param");
    const facts = factsOf(tier);
    if (!facts) return noTier(tier);
    const person = c.get("person");
    if (facts.level === "core" && !mayAct(person, "admin"))
      return problem(
        403,
        `what was closed or tightened in a core tier is taken off by an admin; ${person.name} is ${person.role}`,
      );
    const { entries } = await desk.overlay.read(tier);
    if (!entries.some((it) => it.id === id)) return problem(404, `${tier} has no entry ${id}`);
    const ifMatch = c.req.valid("header")["if-match"];
    const asked = { tier, ifMatch, by: person.name, what: "overlay remove", reason: id };
    return write(asked, (all) => all.filter((it) => it.id !== id));
  });
  app.openapi(routes.drift, async () =>
    Response.json(
      await Promise.all(
        Object.entries(plan.tiers).map(async ([tier, facts]) => {
          const { entries } = await desk.overlay.read(tier);
          return { tier, entries: entries.map((it) => ({ ...it, says: saysOf(it, facts) })) };
        }),
      ),
    ),
  );
};

/** The feed has more to tell. */
const laidOver = ({ revision, entries }: Kept) => ({ revision, entries });
