/** The admin API: authenticates operators, checks their roles, records each change in the audit log and runs it. Its OpenAPI document is at /openapi.json. */

import { OpenAPIHono, type z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import type { ControlPlan } from "../model/plan.ts";
import { Refusal } from "../model/refusal.ts";
import { requireOperator } from "./authentication.ts";
import { type ApiTypes, ConflictError, type ControlPorts, problem } from "./ports.ts";
import { addRolloutRoutes, unknownSubjectProblem } from "./rollouts.ts";
import { routes } from "./schemas.ts";

/** A wave's body holds the releases of hundreds of tiers. */
const maxBodyBytes = 262_144;

export const adminApi = (plan: ControlPlan, ports: ControlPorts) => {
  const app = new OpenAPIHono<ApiTypes>({
    defaultHook: ({ success, ...rest }) =>
      success ? undefined : invalidRequest((rest as unknown as { readonly error: z.ZodError }).error),
  });
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: { title: "Postern control", version: "1", description: `Control plane of ${plan.environment}` },
  });
  app.onError((error) => {
    if (error instanceof ConflictError || error instanceof Refusal) return problem(409, error.message);
    // The body is not JSON.
    if (error instanceof HTTPException && error.status < 500) return problem(400, error.message);
    ports.log({ type: "fault", cause: error.message });
    return problem(500, "see the log of control");
  });
  app.notFound(() => problem(404, "see /openapi.json"));
  app.use("*", requireOperator(plan, ports));
  // Counts the bytes: a body may come without a length.
  app.use("*", bodyLimit({ maxSize: maxBodyBytes, onError: () => problem(400, "the body exceeds 256 KiB") }));
  addRolloutRoutes(app, plan, ports);
  app.openapi(routes.tiers, () => Response.json(plan.tiers));
  app.openapi(routes.audit, async (c) => {
    const { tier = null, before } = c.req.valid("query");
    return Response.json(await ports.ledger.lines(tier, auditPageSize, before));
  });
  app.openapi(routes.check, async () => Response.json(await ports.check()));
  app.openapi(routes.cost, async (c) => {
    const { tier } = c.req.valid("param");
    return Object.hasOwn(plan.tiers, tier) ? Response.json(await ports.cost(tier)) : unknownSubjectProblem(plan, tier);
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

/** An answer has a size limit; the ledger has one for its texts. */
const auditPageSize = 200;

const invalidRequest = ({ issues }: z.ZodError): Response =>
  problem(
    400,
    issues
      .map(({ path, message }) => `${path.join(".") || "body"}: ${message}`)
      .join("; ")
      .slice(0, 2000),
  );
