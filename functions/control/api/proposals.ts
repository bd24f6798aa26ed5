/** What waits for a second person, and what comes of it when one approves. */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { everyTier, shownProposal } from "../audit/record.ts";
import type { Proposal } from "../model/approval.ts";
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import type { Rollout } from "../model/rollout.ts";
import { bodyIn, bound } from "../model/stored-proposal.ts";
import { factsIn } from "../model/subject.ts";
import type { Wave } from "../model/wave.ts";
import { askWave, startWave } from "../wave/commands.ts";
import { mayAct } from "./operators.ts";
import { type Desk, problem, type Types } from "./ports.ts";
import { perform } from "./router.ts";
import { command, commandBody, routes, startBody } from "./schemas.ts";
import { waveCommand, waveCommandBody, waveStartBody } from "./waves.ts";

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
    const both = `${taken.by} and ${person.name}`;
    const done = facts ? await approvedRollout(desk, facts, taken, both) : await approvedWave(plan, desk, taken, both);
    return done ? Response.json(done) : problem(409, `proposal ${id} was written by another release: propose it anew`);
  });
};

/** @returns undefined where another release wrote the proposal */
const approvedRollout = async (
  desk: Desk,
  facts: TierFacts,
  taken: Proposal,
  by: string,
): Promise<Rollout | undefined> => {
  const what = rolloutCall.safeParse(taken.what).data;
  const body = what && bodyIn(taken, rolloutBodies[what === "start" ? what : "command"]);
  return what && body && perform(desk, taken.tier, facts, what, body, by);
};

const rolloutCall = z.enum(["start", ...command.options]);
const rolloutBodies = { start: startBody.extend({ bound }), command: commandBody.extend({ bound }) };

/** As `approvedRollout` does, of a wave. */
const approvedWave = async (plan: ControlPlan, desk: Desk, taken: Proposal, by: string): Promise<Wave | undefined> => {
  if (taken.what === "wave start") {
    const body = bodyIn(taken, waveStartBody.extend({ bound }));
    return body && startWave(plan, desk, body, by, body.bound);
  }
  const what = waveCommand.safeParse(taken.what.replace("wave ", "")).data;
  const body = what && bodyIn(taken, waveCommandBody.extend({ bound }));
  return what && body && askWave(desk, what, body, by, body.bound);
};
