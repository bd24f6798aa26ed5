/** The Worker of the control plane: the admin API, rollouts, telemetry. It holds no deploy token. */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import type { ControlPlan } from "./control/plan.ts";

const absent = (): Response => new Response(null, { status: 404 });

/** Takes what gates, the front and the tail counted. Only bindings reach it. */
export class Ingest extends WorkerEntrypoint {
  override fetch(): Response {
    return absent();
  }
}

/** What one tier's gates counted. */
export class Telemetry extends DurableObject {
  override fetch(): Response {
    return absent();
  }
}

/** The rollouts of one tier, and under the name of no tier the trains of many. */
export class Rollouts extends DurableObject {
  override fetch(): Response {
    return absent();
  }
}

/** Who did what, and what waits for a second person. */
export class Ledger extends DurableObject {
  override fetch(): Response {
    return absent();
  }
}

/** The entrypoints and objects of control. */
export const control = (_: ControlPlan) => ({ Ingest, Telemetry, Rollouts, Ledger, api: { fetch: absent } });
