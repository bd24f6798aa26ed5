/** The admin API's routes for waves: releases of many tiers, one rollout each. */

import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { allTiers, propose } from "../audit/record.ts";
import { wavePositionOf } from "../model/approval.ts";
import { reason } from "../model/fields.ts";
import type { ControlPlan } from "../model/plan.ts";
import { release } from "../model/release.ts";
import {
  commandWave,
  membersFor,
  startNeedsTwoPeople,
  startWave,
  waveScope,
  waveThatNeedsTwoPeople,
} from "../wave/commands.ts";
import type { ApiTypes, ControlPorts } from "./ports.ts";
import { json, responses, tierName } from "./schemas.ts";

const maxTiers = 500;
const maxConcurrent = 50;

export const waveStartBody = z.strictObject({
  reason,
  tiers: z.array(tierName).min(1).max(maxTiers).describe("Tiers that have a new version beside the stable one"),
  releases: z
    .record(tierName, release)
    .default({})
    .describe("By tier; default: the manifest's `release` when control was last deployed"),
  concurrent: z.int().min(1).max(maxConcurrent).default(3).describe("Concurrent rollouts"),
  selection: z.string().max(500).default("").describe("How the tiers were selected, for display"),
});
export const waveCommandBody = z.strictObject({
  reason: z.string().max(500).default(""),
  all: z.boolean().default(false).describe("For abort: also rolls back tiers that the wave has promoted"),
});
export const waveCommand = z.enum(["pause", "resume", "abort"]);

const routes = {
  status: createRoute({
    method: "get",
    path: "/v1/wave",
    responses: responses("the current wave, or the last one"),
  }),
  history: createRoute({ method: "get", path: "/v1/waves", responses: responses("the waves, newest first") }),
  check: createRoute({
    method: "post",
    path: "/v1/waves/check",
    request: { body: json(waveStartBody) },
    responses: responses("the tiers in their order; starts nothing"),
  }),
  start: createRoute({
    method: "post",
    path: "/v1/waves",
    request: { body: json(waveStartBody) },
    responses: responses("the started wave"),
  }),
  ask: createRoute({
    method: "post",
    path: "/v1/wave/{command}",
    request: { params: z.object({ command: waveCommand }), body: json(waveCommandBody) },
    responses: responses("the changed wave"),
  }),
};

export const addWaveRoutes = (app: OpenAPIHono<ApiTypes>, plan: ControlPlan, ports: ControlPorts): void => {
  app.openapi(routes.status, async () => Response.json(await ports.waves.status()));
  app.openapi(routes.history, async () => Response.json(await ports.waves.history()));
  app.openapi(routes.check, async (c) => {
    const members = membersFor(plan, c.req.valid("json"));
    await ports.waves.check({ members });
    return Response.json({ members });
  });
  app.openapi(routes.start, async (c) => {
    const { name, key } = c.get("person");
    const body = c.req.valid("json");
    const members = membersFor(plan, body);
    if (!startNeedsTwoPeople(members)) return Response.json(await startWave(plan, ports, body, name));
    await ports.waves.check({ members });
    const scope = await waveScope(plan, ports, members);
    return propose(ports, { by: name, key, tier: allTiers, what: "wave start", body, scope });
  });
  app.openapi(routes.ask, async (c) => {
    const { name, key } = c.get("person");
    const { command: what } = c.req.valid("param");
    const body = c.req.valid("json");
    const wave = await waveThatNeedsTwoPeople(ports, what);
    if (!wave) return Response.json(await commandWave(ports, what, body, name));
    const scope = { versions: [], commit: null, wave: wavePositionOf(wave) };
    return propose(ports, { by: name, key, tier: allTiers, what: `wave ${what}`, body, scope });
  });
};
