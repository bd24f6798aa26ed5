/** The Worker of the control plane: the admin API, rollouts, telemetry. It holds no deploy token. */

import { WorkerEntrypoint } from "cloudflare:workers";
import { addNotices } from "./control/api/notifications.ts";
import { addOverlay } from "./control/api/overlays.ts";
import { addProposals } from "./control/api/proposals.ts";
import { addRevocations } from "./control/api/revocations.ts";
import { adminApi } from "./control/api/router.ts";
import { addWaves } from "./control/api/waves.ts";
import type { ControlPlan } from "./control/model/plan.ts";
import type { World } from "./control/model/runtime.ts";
import { ledgerObject } from "./control/objects/ledger.ts";
import { noticesObject } from "./control/objects/notices.ts";
import { rolloutsObject } from "./control/objects/rollouts.ts";
import { telemetryObject } from "./control/objects/telemetry.ts";
import { wavesObject } from "./control/objects/waves.ts";
import type { Bindings } from "./control/wiring/bindings.ts";
import { type IngestProps, ingest } from "./control/wiring/ingest.ts";
import { deskOf } from "./control/wiring/ports.ts";
import { uncached } from "./gateway/http/uncached.ts";

const world: World = {
  fetch: (url, init) => fetch(url, { ...init, cf: uncached }),
  now: () => Date.now(),
  random: () => Math.random(),
  uuid: () => crypto.randomUUID(),
  log: (line) => console.log(JSON.stringify(line)),
};

const whole = (plan: ControlPlan, env: Bindings) => {
  const desk = deskOf(plan, env, world);
  const app = adminApi(plan, desk);
  addProposals(app, plan, desk);
  addOverlay(app, plan, desk);
  addRevocations(app, plan, desk);
  addWaves(app, plan, desk);
  addNotices(app, desk);
  return app;
};

/** The entrypoints and objects of control. */
export const control = (plan: ControlPlan) => ({
  /** Takes what gates, fronts and the tail counted. Only bindings reach it, and their `props` say who each of them is. */
  Ingest: class extends WorkerEntrypoint<Bindings, IngestProps> {
    override fetch(request: Request): Promise<Response> {
      return ingest(request, this.ctx.props, plan, this.env, world);
    }
  } as Entrypoint,
  Telemetry: telemetryObject(plan, world),
  Ledger: ledgerObject(),
  Rollouts: rolloutsObject(plan, world),
  Waves: wavesObject(plan, world),
  Notices: noticesObject(plan, world),
  api: {
    fetch: (request: Request, env: Bindings): Response | Promise<Response> => whole(plan, env).fetch(request),
  },
});

type Entrypoint = new (
  context: ExecutionContext<IngestProps>,
  env: Bindings,
) => { fetch(request: Request): Promise<Response> };
