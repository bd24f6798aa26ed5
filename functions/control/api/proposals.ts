/** What waits for a second person, and what comes of it when one approves. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import { boundIn, everyTier, shownProposal } from "../audit/record.ts";
import type { ControlPlan } from "../model/plan.ts";
import { factsIn } from "../model/subject.ts";
import { approvedWave } from "../wave/commands.ts";
import { mayAct } from "./operators.ts";
import { type Desk, problem, type Types } from "./ports.ts";
import { type Asked, perform } from "./router.ts";
import { routes } from "./schemas.ts";

export const addProposals = (app: OpenAPIHono<Types>, plan: ControlPlan, desk: Desk): void => {
  app.openapi(routes.proposals, async () =>
    Response.json(await Promise.all((await desk.ledger.proposals(desk.now())).map(shownProposal))),
  );
  app.openapi(routes.approve, async (c) => {
    const person = c.get("person");
    const { id } = c.req.valid("param");
    const found = (await desk.ledger.proposals(desk.now())).find((it) => it.id === id);
    if (!found) return problem(404, `no proposal ${id} waits; it may have been an hour`);
    if (found.by === person.name || found.key === person.key)
      return problem(403, "a second person approves it, not the one who proposed it");
    // Their word counts as it would now.
    const first = Object.hasOwn(plan.operators, found.by) ? plan.operators[found.by] : undefined;
    if (!first || first.key !== found.key || !mayAct(first, "operator"))
      return problem(403, `${found.by}, who proposed it, may not any more: propose it anew`);
    const { fingerprint } = await shownProposal(found);
    if (c.req.valid("json").fingerprint !== fingerprint)
      return problem(409, `that is not what proposal ${id} says: read it again before you approve it`);
    const facts = factsIn(plan, found.tier);
    const wave = found.tier === everyTier;
    // Two who approve at once: the list gives it to one of them.
    const taken = (facts || wave) && (await desk.ledger.take(id, desk.now()));
    if (!taken) return problem(404, `no proposal ${id} waits`);
    if (!boundIn(taken)) return problem(409, `proposal ${id} names no version: propose it anew`);
    const body = JSON.parse(taken.body);
    const both = `${taken.by} and ${person.name}`;
    if (!facts) return Response.json(await approvedWave(plan, desk, taken.what, body, both));
    return Response.json(await perform(desk, taken.tier, facts, taken.what, body as Asked, both));
  });
};
