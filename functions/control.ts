/** The control Worker: the admin API, rollouts and telemetry. It holds no deploy token. */

import { WorkerEntrypoint } from "cloudflare:workers";
import { addNoticeRoutes } from "./control/api/notifications.ts";
import { addOverlayRoutes } from "./control/api/overlays.ts";
import { addProposalRoutes } from "./control/api/proposals.ts";
import { addRevocationRoutes } from "./control/api/revocations.ts";
import { adminApi } from "./control/api/router.ts";
import { addWaveRoutes } from "./control/api/waves.ts";
import type { ControlPlan } from "./control/model/plan.ts";
import type { World } from "./control/model/runtime.ts";
import { ledgerObject } from "./control/objects/ledger.ts";
import { noticesObject } from "./control/objects/notices.ts";
import { rolloutsObject } from "./control/objects/rollouts.ts";
import { telemetryObject } from "./control/objects/telemetry.ts";
import { wavesObject } from "./control/objects/waves.ts";
import type { Bindings } from "./control/wiring/bindings.ts";
import { type IngestProps, ingest } from "./control/wiring/ingest.ts";
import { controlPorts } from "./control/wiring/ports.ts";
import { bypassCache } from "./gateway/http/uncached.ts";

const runtime: World = {
  fetch: (url, init) => fetch(url, { ...init, cf: bypassCache }),
  now: () => Date.now(),
  random: () => Math.random(),
  uuid: () => crypto.randomUUID(),
  log: (line) => console.log(JSON.stringify(line)),
};

const buildAdminApi = (plan: ControlPlan, env: Bindings) => {
  const ports = controlPorts(plan, env, runtime);
  const app = adminApi(plan, ports);
  addProposalRoutes(app, plan, ports);
  addOverlayRoutes(app, plan, ports);
  addRevocationRoutes(app, plan, ports);
  addWaveRoutes(app, plan, ports);
  addNoticeRoutes(app, ports);
  return app;
};

/** The entrypoints and objects of control. */
export const control = (plan: ControlPlan) => ({
  /** Receives reports of gates, fronts and the tail. Reached only by bindings, whose `props` identify the sender. */
  Ingest: class extends WorkerEntrypoint<Bindings, IngestProps> {
    override fetch(request: Request): Promise<Response> {
      return ingest(request, this.ctx.props, plan, this.env, runtime);
    }
  } as Entrypoint,
  Telemetry: telemetryObject(plan, runtime),
  Ledger: ledgerObject(),
  Rollouts: rolloutsObject(plan, runtime),
  Waves: wavesObject(plan, runtime),
  Notices: noticesObject(plan, runtime),
  api: {
    fetch: (request: Request, env: Bindings): Response | Promise<Response> => buildAdminApi(plan, env).fetch(request),
  },
});

type Entrypoint = new (
  context: ExecutionContext<IngestProps>,
  env: Bindings,
) => { fetch(request: Request): Promise<Response> };
