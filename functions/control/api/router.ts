/** The admin API: who may ask for what, checked, written down, and handed on. It describes itself at /openapi.json. */

import { OpenAPIHono, type z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { propose, withAudit } from "../audit/record.ts";
import { type ApprovalScope, positionOf } from "../model/approval.ts";
import type { ControlPlan, Role, TierFacts } from "../model/plan.ts";
import { Refusal } from "../model/refusal.ts";
import { releaseOf } from "../model/release.ts";
import type { ReleaseConfig } from "../model/release-config.ts";
import type { Candidate, Rollout, Subject } from "../model/rollout.ts";
import { parseSubject, subjectFacts } from "../model/subject.ts";
import type { RolloutCommand } from "../rollout/reducer.ts";
import { type AuthenticatedOperator, authenticate, hasRole } from "./operators.ts";
import { type ApiTypes, ConflictError, type ControlPorts, problem } from "./ports.ts";
import { routes } from "./schemas.ts";

/** Calls that stop or take back something: they are heard also from an operator whose other calls have run out. */
const stoppingCalls =
  /^\/v1\/(?:tiers\/[^/]+\/(?:rollout\/(?:pause|abort)|overlay|revocations)|wave\/(?:pause|abort))$/;

/** A wave says how hundreds of tiers are released. */
const maxBodyBytes = 262_144;

export const adminApi = (plan: ControlPlan, ports: ControlPorts) => {
  const app = new OpenAPIHono<ApiTypes>({
    defaultHook: ({ success, ...rest }) => {
      if (success) return undefined;
      const { issues } = (rest as unknown as { readonly error: z.ZodError }).error;
      return problem(
        400,
        issues
          .map(({ path, message }) => `${path.join(".") || "it"}: ${message}`)
          .join("; ")
          .slice(0, 2000),
      );
    },
  });
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: { title: "Postern control", version: "1", description: `Rollouts of ${plan.environment}` },
  });
  app.onError((error) => {
    if (error instanceof ConflictError || error instanceof Refusal) return problem(409, error.message);
    // Of a body that is no JSON.
    if (error instanceof HTTPException && error.status < 500) return problem(400, error.message);
    ports.log({ type: "fault", cause: error.message });
    return problem(500, "the log of control says why");
  });
  app.notFound(() => problem(404, "see /openapi.json"));
  app.use("*", async (c, next) => {
    if (c.req.path === "/openapi.json") return next();
    const person = await authenticate(c.req.header("authorization") ?? null, plan, ports.now());
    if (!person)
      return problem(
        401,
        "Authorization: Bearer <EdDSA token of an operator for this environment, five minutes at most>",
      );
    c.set("person", person);
    const required: Role = c.req.method === "GET" ? "viewer" : "operator";
    if (!hasRole(person, required)) return problem(403, `${person.name} is ${person.role}; this takes ${required}`);
    if (c.req.method !== "GET") {
      const { id, until } = person.token;
      if (id === undefined) return problem(401, "a token that writes has a `jti`, and writes once");
      // Whoever has seen the call cannot make it again.
      const token = { by: person.name, id, until, stops: stoppingCalls.test(c.req.path) };
      const outcome = await ports.ledger.spend(token, ports.now());
      if (outcome === "replayed") return problem(401, "this token has written already: sign one for each call");
      if (outcome === "full")
        return problem(
          429,
          `${person.name} has written too often within five minutes; only what stops something is taken`,
        );
    }
    return next();
  });
  // Counted, since a body need not say how long it is.
  app.use("*", bodyLimit({ maxSize: maxBodyBytes, onError: () => problem(400, "a body has 256 KiB at most") }));

  const factsOf = (name: string): TierFacts | undefined => subjectFacts(plan, name);
  const unknownTier = (name: string) =>
    problem(
      404,
      name.includes("/")
        ? `there is no route "${name}" that is cut over`
        : `there is no tier "${name}"; there are ${Object.keys(plan.tiers).join(", ")}`,
    );

  /** What sends users of a core tier onwards takes two people; what stops it takes one. */
  const needsTwoPeople = (facts: TierFacts, what: string): boolean =>
    facts.level === "core" && ["start", "promote", "resume"].includes(what);

  const runOrPropose = async (
    tier: string,
    what: RolloutCall,
    body: CommandBody,
    { name, key }: AuthenticatedOperator,
  ): Promise<Response> => {
    const facts = factsOf(tier);
    if (!facts) return unknownTier(tier);
    if (!needsTwoPeople(facts, what)) return Response.json(await runCommand(ports, tier, facts, what, body, name));
    const bound = await approvalScopeOf(tier, facts, what, body.commit ?? null);
    const whole = what === "start" ? { ...body, release: body.release ?? releaseOf(tier, facts) } : body;
    return propose(ports, { by: name, key, tier, what, body: whole, bound });
  };

  /** @throws Refusal, Declined where there is nothing that could be approved */
  const approvalScopeOf = async (
    tier: string,
    facts: TierFacts,
    what: string,
    commit: string | null,
  ): Promise<ApprovalScope> => {
    if (what === "start") return { versions: await ports.candidates(tier, facts), commit };
    const it = await ports.status(tier);
    if (!it) throw new ConflictError(`there is no rollout of ${tier}`);
    return { versions: it.subjects.map(candidateOf), commit: it.commit ?? null, rollout: positionOf(it) };
  };

  app.openapi(routes.tiers, () => Response.json(plan.tiers));
  app.openapi(routes.status, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(await ports.status(tier)) : unknownTier(tier);
  });
  app.openapi(routes.measured, async (c) => {
    const { tier } = c.req.valid("param");
    const it = factsOf(tier) ? await ports.status(tier) : null;
    return it ? Response.json(await ports.measure(it)) : problem(404, `there is no rollout of ${tier}`);
  });
  app.openapi(routes.history, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(await ports.history(tier)) : unknownTier(tier);
  });
  app.openapi(routes.start, async (c) =>
    runOrPropose(c.req.valid("param").tier, "start", c.req.valid("json"), c.get("person")),
  );
  app.openapi(routes.ask, async (c) => {
    const { tier, command: what } = c.req.valid("param");
    return runOrPropose(tier, what, c.req.valid("json"), c.get("person"));
  });
  app.openapi(routes.label, async (c) => {
    const { tier } = c.req.valid("param");
    const it = factsOf(tier) ? await ports.status(tier) : null;
    return it ? Response.json({ label: await ports.label(it) }) : problem(404, `there is no rollout of ${tier}`);
  });
  app.openapi(routes.audit, async (c) =>
    Response.json(await ports.ledger.lines(c.req.valid("query").tier ?? null, 200)),
  );
  app.openapi(routes.cost, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(await ports.cost(tier)) : unknownTier(tier);
  });
  app.openapi(
    routes.metrics,
    async (c) =>
      new Response(await ports.metrics(c.req.valid("query").tier), {
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      }),
  );
  return app;
};

/** Does what was asked of a rollout, and writes it down. @throws Refusal, Declined */
export const runCommand = async (
  ports: ControlPorts,
  tier: string,
  facts: TierFacts,
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
    const { reason, commit = null, release = releaseOf(tier, facts) } = body;
    return ports.start(tier, facts, { release, by, reason, commit, approved: bound?.versions });
  });
};

const candidateOf = (it: Subject): Candidate => ({ ...it, tag: null, message: null });

/** What people ask of a rollout. */
export type RolloutCall = "start" | RolloutCommand;

export interface CommandBody {
  readonly reason: string;
  readonly release?: ReleaseConfig | undefined;
  readonly commit?: string | undefined;
  /** What a second person approved. */
  readonly bound?: ApprovalScope | undefined;
}
