/** Middleware of the admin API: authenticates the operator, checks his role, and accepts each write token once. */
import type { Context, MiddlewareHandler } from "hono";
import type { ControlPlan, Role } from "../model/plan.ts";
import { type AuthenticatedOperator, authenticate, hasRole } from "./operators.ts";
import { type ApiTypes, type ControlPorts, problem } from "./ports.ts";

/** Calls that stop or revoke something. They are accepted even from an operator who has used up his quota of writes. */
const stoppingCalls =
  /^\/v1\/(?:tiers\/[^/]+\/(?:rollout\/(?:pause|abort)|overlay|revocations)|wave\/(?:pause|abort))$/;

export const requireOperator =
  (plan: ControlPlan, ports: Pick<ControlPorts, "ledger" | "now">): MiddlewareHandler<ApiTypes> =>
  async (c, next) => {
    if (c.req.path === "/openapi.json") return next();
    const person = await authenticate(c.req.header("authorization") ?? null, plan, ports.now());
    if (!person)
      return problem(
        401,
        "send Authorization: Bearer <operator's EdDSA token for this environment, valid for five minutes at most>",
      );
    c.set("person", person);
    const isRead = c.req.method === "GET";
    const required: Role = isRead ? "viewer" : "operator";
    if (!hasRole(person, required)) return problem(403, `${person.name} is ${person.role}; this requires ${required}`);
    return (isRead ? undefined : await refuseWrite(c, person, ports)) ?? next();
  };

/** @returns a problem if the token cannot be used for this write; otherwise records it as used */
const refuseWrite = async (
  c: Context<ApiTypes>,
  { name, token: { id, until } }: AuthenticatedOperator,
  { ledger, now }: Pick<ControlPorts, "ledger" | "now">,
): Promise<Response | undefined> => {
  if (id === undefined) return problem(401, "a token for a write needs a `jti`, and can be used for one write");
  // Prevents replay: a captured token cannot write again.
  const outcome = await ledger.spend({ by: name, id, until, stops: stoppingCalls.test(c.req.path) }, now());
  if (outcome === "replayed")
    return problem(401, "this token has already been used for a write: sign a new one for each call");
  if (outcome === "full")
    return problem(
      429,
      `${name} has made too many writes within five minutes; only calls that stop or revoke something are accepted`,
    );
  return undefined;
};
