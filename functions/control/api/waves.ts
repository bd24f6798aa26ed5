/** The admin API of waves. */

import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { everyTier, proposed } from "../audit/record.ts";
import { wavePositionOf } from "../model/approval.ts";
import { reason } from "../model/fields.ts";
import type { ControlPlan } from "../model/plan.ts";
import { release } from "../model/release.ts";
import { askWave, boundWave, membersIn, startWave, twoForCommand, twoForStart } from "../wave/commands.ts";
import type { Desk, Types } from "./ports.ts";
import { answers, json, tierName } from "./schemas.ts";

const mostTiers = 500;
const mostAtOnce = 50;

export const waveStartBody = z.strictObject({
  reason,
  tiers: z.array(tierName).min(1).max(mostTiers).describe("Those that have a new version beside the stable one"),
  releases: z
    .record(tierName, release)
    .default({})
    .describe("By tier; by default what its manifest said when control was deployed"),
  concurrent: z.int().min(1).max(mostAtOnce).default(3).describe("Rollouts at once"),
  selection: z.string().max(500).default("").describe("How the tiers were chosen, for people"),
});
export const waveCommandBody = z.strictObject({
  reason: z.string().max(500).default(""),
  all: z.boolean().default(false).describe("Of abort: also takes back what the wave has promoted"),
});
export const waveCommand = z.enum(["pause", "resume", "abort"]);

const routes = {
  status: createRoute({
    method: "get",
    path: "/v1/wave",
    responses: answers("the wave that is under way, or the last one"),
  }),
  history: createRoute({ method: "get", path: "/v1/waves", responses: answers("the waves, newest first") }),
  check: createRoute({
    method: "post",
    path: "/v1/waves/check",
    request: { body: json(waveStartBody) },
    responses: answers("the tiers in their order; nothing begins"),
  }),
  start: createRoute({
    method: "post",
    path: "/v1/waves",
    request: { body: json(waveStartBody) },
    responses: answers("the wave that has begun"),
  }),
  ask: createRoute({
    method: "post",
    path: "/v1/wave/{command}",
    request: { params: z.object({ command: waveCommand }), body: json(waveCommandBody) },
    responses: answers("the wave after that"),
  }),
};

export const addWaves = (app: OpenAPIHono<Types>, plan: ControlPlan, desk: Desk): void => {
  app.openapi(routes.status, async () => Response.json(await desk.waves.status()));
  app.openapi(routes.history, async () => Response.json(await desk.waves.history()));
  app.openapi(routes.check, async (c) => {
    const members = membersIn(plan, c.req.valid("json"));
    await desk.waves.check({ members });
    return Response.json({ members });
  });
  app.openapi(routes.start, async (c) => {
    const { name, key } = c.get("person");
    const body = c.req.valid("json");
    const members = membersIn(plan, body);
    if (!twoForStart(members)) return Response.json(await startWave(plan, desk, body, name));
    await desk.waves.check({ members });
    const bound = await boundWave(plan, desk, members);
    return proposed(desk, { by: name, key, tier: everyTier, what: "wave start", body, bound });
  });
  app.openapi(routes.ask, async (c) => {
    const { name, key } = c.get("person");
    const { command: what } = c.req.valid("param");
    const body = c.req.valid("json");
    const two = await twoForCommand(desk, what);
    if (!two) return Response.json(await askWave(desk, what, body, name));
    const bound = { versions: [], commit: null, wave: wavePositionOf(two) };
    return proposed(desk, { by: name, key, tier: everyTier, what: `wave ${what}`, body, bound });
  });
};
