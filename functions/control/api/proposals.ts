/** The admin API's routes for proposals: lists them and runs a command when a second person approves. */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { allTiers, proposalView } from "../audit/record.ts";
import type { Proposal } from "../model/approval.ts";
import type { ControlPlan, ReleaseFacts } from "../model/plan.ts";
import type { Rollout } from "../model/rollout.ts";
import { bound, parseBody } from "../model/stored-proposal.ts";
import { subjectFacts } from "../model/subject.ts";
import type { Wave } from "../model/wave.ts";
import { commandWave, startWave } from "../wave/commands.ts";
import { hasRole } from "./operators.ts";
import { type ApiTypes, type ControlPorts, problem } from "./ports.ts";
import { runCommand } from "./rollouts.ts";
import { command, commandBody, routes, startBody } from "./schemas.ts";
import { waveCommand, waveCommandBody, waveStartBody } from "./waves.ts";

export const addProposalRoutes = (app: OpenAPIHono<ApiTypes>, plan: ControlPlan, ports: ControlPorts): void => {
  app.openapi(routes.proposals, async () =>
    Response.json(await Promise.all((await ports.ledger.proposals(ports.now())).map(proposalView))),
  );
  app.openapi(routes.approve, async (c) => {
    const person = c.get("person");
    const { id } = c.req.valid("param");
    const proposal = (await ports.ledger.proposals(ports.now())).find((it) => it.id === id);
    if (!proposal) return problem(404, `no proposal ${id} is waiting; a proposal expires after an hour`);
    if (proposal.by === person.name || proposal.key === person.key)
      return problem(403, "a second person must approve it, not the proposer");
    // The proposer must still be allowed to run the command.
    const proposer = Object.hasOwn(plan.operators, proposal.by) ? plan.operators[proposal.by] : undefined;
    if (!proposer || proposer.key !== proposal.key || !hasRole(proposer, "operator"))
      return problem(403, `${proposal.by}, who proposed it, is no longer allowed to: propose it again`);
    const { fingerprint } = await proposalView(proposal);
    if (c.req.valid("json").fingerprint !== fingerprint)
      return problem(409, `the fingerprint does not match proposal ${id}: read it again before you approve it`);
    const facts = subjectFacts(plan, proposal.tier);
    const isWave = proposal.tier === allTiers;
    // Concurrent approvals: only one takes the proposal.
    const claimed = (facts || isWave) && (await ports.ledger.take(id, ports.now()));
    if (!claimed) return problem(404, `no proposal ${id} is waiting`);
    const both = `${claimed.by} and ${person.name}`;
    const done = facts
      ? await runApprovedRollout(ports, facts, claimed, both)
      : await runApprovedWave(plan, ports, claimed, both);
    return done ? Response.json(done) : problem(409, `proposal ${id} was written by another release: propose it again`);
  });
};

/** @returns undefined if another release wrote the proposal */
const runApprovedRollout = async (
  ports: ControlPorts,
  facts: ReleaseFacts,
  proposal: Proposal,
  by: string,
): Promise<Rollout | undefined> => {
  const what = rolloutCall.safeParse(proposal.what).data;
  const body = what && parseBody(proposal, rolloutBodies[what === "start" ? what : "command"]);
  return what && body && runCommand(ports, proposal.tier, facts, what, body, by);
};

const rolloutCall = z.enum(["start", ...command.options]);
const rolloutBodies = { start: startBody.extend({ bound }), command: commandBody.extend({ bound }) };

/** @returns undefined if another release wrote the proposal */
const runApprovedWave = async (
  plan: ControlPlan,
  ports: ControlPorts,
  proposal: Proposal,
  by: string,
): Promise<Wave | undefined> => {
  if (proposal.what === "wave start") {
    const body = parseBody(proposal, waveStartBody.extend({ bound }));
    return body && startWave(plan, ports, body, by, body.bound);
  }
  const what = waveCommand.safeParse(proposal.what.replace("wave ", "")).data;
  const body = what && parseBody(proposal, waveCommandBody.extend({ bound }));
  return what && body && commandWave(ports, what, body, by, body.bound);
};
