/** The admin API's routes for rollouts. Commands that need a second person become proposals. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { propose, withAudit } from "../audit/record.ts";
import { type ApprovalScope, positionOf } from "../model/approval.ts";
import type { ControlPlan, ReleaseFacts } from "../model/plan.ts";
import { releaseOf } from "../model/release.ts";
import type { ReleaseConfig } from "../model/release-config.ts";
import type { Candidate, Rollout, Subject } from "../model/rollout.ts";
import { evidencePath } from "../model/rollout-state.ts";
import { parseSubject, subjectFacts } from "../model/subject.ts";
import type { RolloutCommand } from "../rollout/commands.ts";
import { promotionWarning } from "../rollout/promotion.ts";
import { reportOf } from "../rollout/report.ts";
import type { AuthenticatedOperator } from "./operators.ts";
import { type ApiTypes, ConflictError, type ControlPorts, problem } from "./ports.ts";
import { routes } from "./schemas.ts";

export const addRolloutRoutes = (app: OpenAPIHono<ApiTypes>, plan: ControlPlan, ports: ControlPorts): void => {
  const factsOf = (name: string): ReleaseFacts | undefined => subjectFacts(plan, name);
  const unknownSubject = (name: string) => unknownSubjectProblem(plan, name);
  const rolloutOf = async (tier: string): Promise<Rollout | null> => (factsOf(tier) ? ports.status(tier) : null);
  const noRollout = (tier: string) => problem(404, `there is no rollout of ${tier}`);

  app.openapi(routes.status, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(await ports.status(tier)) : unknownSubject(tier);
  });
  app.openapi(routes.measured, async (c) => {
    const { tier } = c.req.valid("param");
    const it = await rolloutOf(tier);
    return it ? Response.json(await ports.measure(it)) : noRollout(tier);
  });
  app.openapi(routes.live, async (c) => {
    const { tier } = c.req.valid("param");
    const facts = factsOf(tier);
    return facts ? Response.json(await ports.live(tier, facts)) : unknownSubject(tier);
  });
  app.openapi(routes.traffic, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(await ports.traffic(tier)) : unknownSubject(tier);
  });
  app.openapi(routes.history, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(await ports.history(tier)) : unknownSubject(tier);
  });
  app.openapi(routes.evidence, async (c) => {
    const { tier, id } = c.req.valid("param");
    if (!factsOf(tier)) return unknownSubject(tier);
    const it = (await ports.history(tier)).find((one) => one.id === id);
    if (!it) return problem(404, `there is no rollout "${id}" of ${tier}; control keeps the last fifty`);
    return Response.json(reportOf(it, plan.environment, `https://${plan.host}${evidencePath(it)}`));
  });
  app.openapi(routes.start, async (c) => {
    const { tier } = c.req.valid("param");
    const facts = factsOf(tier);
    if (!facts) return unknownSubject(tier);
    return runOrPropose(ports, tier, facts, "start", c.req.valid("json"), c.get("person"));
  });
  app.openapi(routes.ask, async (c) => {
    const { tier, command } = c.req.valid("param");
    const facts = factsOf(tier);
    if (!facts) return unknownSubject(tier);
    return runOrPropose(ports, tier, facts, command, c.req.valid("json"), c.get("person"));
  });
  app.openapi(routes.label, async (c) => {
    const { tier } = c.req.valid("param");
    const it = await rolloutOf(tier);
    return it ? Response.json({ label: await ports.label(it) }) : noRollout(tier);
  });
};

/** @param name a tier, or a tier and a route */
export const unknownSubjectProblem = ({ tiers }: Pick<ControlPlan, "tiers">, name: string): Response =>
  problem(
    404,
    name.includes("/")
      ? `there is no route "${name}" with a cutover`
      : `there is no tier "${name}"; tiers are ${Object.keys(tiers).join(", ")}`,
  );

/** For a core tier, commands that expose more users require two people; commands that stop require one. */
const needsTwoPeople = (facts: ReleaseFacts, what: string): boolean =>
  facts.level === "core" && ["start", "promote", "resume"].includes(what);

const runOrPropose = async (
  ports: ControlPorts,
  tier: string,
  facts: ReleaseFacts,
  what: RolloutCall,
  body: CommandBody,
  { name, key }: AuthenticatedOperator,
): Promise<Response> => {
  if (!needsTwoPeople(facts, what)) return Response.json(await runCommand(ports, tier, facts, what, body, name));
  const scope = await approvalScopeOf(ports, tier, facts, what, body);
  const whole =
    what === "start" ? { ...body, release: await ports.planned(tier, body.release ?? releaseOf(tier, facts)) } : body;
  return propose(ports, { by: name, key, tier, what, body: whole, scope });
};

/** @throws Refusal; ConflictError if the tier has no rollout */
const approvalScopeOf = async (
  ports: ControlPorts,
  tier: string,
  facts: ReleaseFacts,
  what: string,
  { commit, retry = false }: CommandBody,
): Promise<ApprovalScope> => {
  if (what === "start") return { versions: await ports.candidates(tier, facts, retry), commit: commit ?? null };
  const it = await ports.status(tier);
  if (!it) throw new ConflictError(`there is no rollout of ${tier}`);
  const warning = what === "promote" ? promotionWarning(it) : undefined;
  return { versions: it.subjects.map(candidateOf), commit: it.commit ?? null, rollout: positionOf(it), warning };
};

/** Runs a command on a rollout and records it in the audit log. @throws Refusal, ConflictError */
export const runCommand = async (
  ports: ControlPorts,
  tier: string,
  facts: ReleaseFacts,
  what: RolloutCall,
  { bound, ...body }: CommandBody,
  by: string,
): Promise<Rollout> => {
  const before = await ports.status(tier);
  const subject = parseSubject(tier);
  const entry = {
    by,
    what: subject.route === null ? what : `${what} ${subject.route}`,
    tier: subject.tier,
    reason: body.reason,
    before: JSON.stringify(before?.why ?? null),
    asked: JSON.stringify({ ...body, ...(bound && { bound }) }),
  };
  return withAudit(ports, entry, async () => {
    if (what !== "start") return ports.command(tier, what, by, body.reason, bound?.rollout);
    const { reason, commit = null, retry = false, release = releaseOf(tier, facts) } = body;
    return ports.start(tier, facts, { release, by, reason, commit, retry, approved: bound?.versions });
  });
};

const candidateOf = (it: Subject): Candidate => ({ ...it, tag: null, message: null });

/** Commands of operators on a rollout. */
export type RolloutCall = "start" | RolloutCommand;

export interface CommandBody {
  readonly reason: string;
  readonly release?: ReleaseConfig | undefined;
  readonly commit?: string | undefined;
  /** For a start: also a version that came back from the last rollout. */
  readonly retry?: boolean | undefined;
  /** The scope that a second person approved. */
  readonly bound?: ApprovalScope | undefined;
}
