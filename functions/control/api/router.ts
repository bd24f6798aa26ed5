/** The admin API: who may ask for what, checked, written down, and handed on. It describes itself at /openapi.json. */

import { OpenAPIHono, type z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { audited, proposed } from "../audit/record.ts";
import { type Bound, positionOf } from "../model/approval.ts";
import type { ControlPlan, Role, TierFacts } from "../model/plan.ts";
import { Refusal } from "../model/refusal.ts";
import { releaseOf } from "../model/release.ts";
import type { Candidate, Rollout, Subject } from "../model/rollout.ts";
import { factsIn, subjectIn } from "../model/subject.ts";
import type { WrittenRelease } from "../model/written-release.ts";
import type { Command } from "../rollout/reducer.ts";
import { mayAct, type Person, personOf } from "./operators.ts";
import { Declined, type Desk, problem, type Types } from "./ports.ts";
import { routes } from "./schemas.ts";

/** Calls that stop or take back something: they are heard also from an operator whose other calls have run out. */
const stoppingCalls =
  /^\/v1\/(?:tiers\/[^/]+\/(?:rollout\/(?:pause|abort)|overlay|revocations)|wave\/(?:pause|abort))$/;

/** A wave says how hundreds of tiers are released. */
const mostBodyBytes = 262_144;

export const adminApi = (plan: ControlPlan, desk: Desk) => {
  const app = new OpenAPIHono<Types>({
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
    if (error instanceof Declined || error instanceof Refusal) return problem(409, error.message);
    // Of a body that is no JSON.
    if (error instanceof HTTPException && error.status < 500) return problem(400, error.message);
    desk.log({ type: "fault", cause: error.message });
    return problem(500, "the log of control says why");
  });
  app.notFound(() => problem(404, "see /openapi.json"));
  app.use("*", async (c, next) => {
    if (c.req.path === "/openapi.json") return next();
    const person = await personOf(c.req.header("authorization") ?? null, plan, desk.now());
    if (!person)
      return problem(
        401,
        "Authorization: Bearer <EdDSA token of an operator for this environment, five minutes at most>",
      );
    c.set("person", person);
    const least: Role = c.req.method === "GET" ? "viewer" : "operator";
    if (!mayAct(person, least)) return problem(403, `${person.name} is ${person.role}; this takes ${least}`);
    if (c.req.method !== "GET") {
      const { id, until } = person.token;
      if (id === undefined) return problem(401, "a token that writes has a `jti`, and writes once");
      // Whoever has seen the call cannot make it again.
      const token = { by: person.name, id, until, stops: stoppingCalls.test(c.req.path) };
      const outcome = await desk.ledger.spend(token, desk.now());
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
  app.use("*", bodyLimit({ maxSize: mostBodyBytes, onError: () => problem(400, "a body has 256 KiB at most") }));

  const factsOf = (name: string): TierFacts | undefined => factsIn(plan, name);
  const noTier = (name: string) =>
    problem(
      404,
      name.includes("/")
        ? `there is no route "${name}" that is cut over`
        : `there is no tier "${name}"; there are ${Object.keys(plan.tiers).join(", ")}`,
    );

  /** What sends users of a core tier onwards takes two people; what stops it takes one. */
  const twoFor = (facts: TierFacts, what: string): boolean =>
    facts.level === "core" && ["start", "promote", "resume"].includes(what);

  const asked = async (tier: string, what: RolloutCall, body: Asked, { name, key }: Person): Promise<Response> => {
    const facts = factsOf(tier);
    if (!facts) return noTier(tier);
    if (!twoFor(facts, what)) return Response.json(await perform(desk, tier, facts, what, body, name));
    const bound = await boundTo(tier, facts, what, body.commit ?? null);
    const whole = what === "start" ? { ...body, release: body.release ?? releaseOf(tier, facts) } : body;
    return proposed(desk, { by: name, key, tier, what, body: whole, bound });
  };

  /** @throws Refusal, Declined where there is nothing that could be approved */
  const boundTo = async (tier: string, facts: TierFacts, what: string, commit: string | null): Promise<Bound> => {
    if (what === "start") return { versions: await desk.candidates(tier, facts), commit };
    const it = await desk.status(tier);
    if (!it) throw new Declined(`there is no rollout of ${tier}`);
    return { versions: it.subjects.map(withoutNotes), commit: it.commit ?? null, rollout: positionOf(it) };
  };

  app.openapi(routes.tiers, () => Response.json(plan.tiers));
  app.openapi(routes.status, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(await desk.status(tier)) : noTier(tier);
  });
  app.openapi(routes.measured, async (c) => {
    const { tier } = c.req.valid("param");
    const it = factsOf(tier) ? await desk.status(tier) : null;
    return it ? Response.json(await desk.measured(it)) : problem(404, `there is no rollout of ${tier}`);
  });
  app.openapi(routes.history, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(await desk.history(tier)) : noTier(tier);
  });
  app.openapi(routes.start, async (c) =>
    asked(c.req.valid("param").tier, "start", c.req.valid("json"), c.get("person")),
  );
  app.openapi(routes.ask, async (c) => {
    const { tier, command: what } = c.req.valid("param");
    return asked(tier, what, c.req.valid("json"), c.get("person"));
  });
  app.openapi(routes.label, async (c) => {
    const { tier } = c.req.valid("param");
    const it = factsOf(tier) ? await desk.status(tier) : null;
    return it ? Response.json({ label: await desk.label(it) }) : problem(404, `there is no rollout of ${tier}`);
  });
  app.openapi(routes.audit, async (c) =>
    Response.json(await desk.ledger.lines(c.req.valid("query").tier ?? null, 200)),
  );
  app.openapi(routes.cost, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(await desk.cost(tier)) : noTier(tier);
  });
  app.openapi(
    routes.metrics,
    async (c) =>
      new Response(await desk.metrics(c.req.valid("query").tier), {
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      }),
  );
  return app;
};

/** Does what was asked of a rollout, and writes it down. @throws Refusal, Declined */
export const perform = async (
  desk: Desk,
  tier: string,
  facts: TierFacts,
  what: RolloutCall,
  { bound, ...body }: Asked,
  by: string,
): Promise<Rollout> => {
  const before = await desk.status(tier);
  const subject = subjectIn(tier);
  const line = {
    by,
    what: subject.route === null ? what : `${what} ${subject.route}`,
    tier: subject.tier,
    reason: body.reason,
    before: JSON.stringify(before?.why ?? null),
    asked: JSON.stringify({ ...body, ...(bound && { bound }) }),
  };
  return audited(desk, line, async () => {
    if (what !== "start") return desk.ask(tier, what, by, body.reason, bound?.rollout);
    const { reason, commit = null, release = releaseOf(tier, facts) } = body;
    return desk.start(tier, facts, { release, by, reason, commit, approved: bound?.versions });
  });
};

const withoutNotes = (it: Subject): Candidate => ({ ...it, tag: null, message: null });

/** What people ask of a rollout. */
export type RolloutCall = "start" | Command;

export interface Asked {
  readonly reason: string;
  readonly release?: WrittenRelease | undefined;
  readonly commit?: string | undefined;
  /** What a second person approved. */
  readonly bound?: Bound | undefined;
}
