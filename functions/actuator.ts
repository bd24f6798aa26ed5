/** The Worker that holds the deploy token, and does no more with it than splits of the Workers on its list. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { ActuatorPlan } from "./control/plan.ts";

const absent = (): Response => new Response(null, { status: 404 });

type Entrypoint = new (context: ExecutionContext, env: object) => { fetch(request: Request): Promise<Response> };

/** @returns the entrypoint that control is bound to */
export const actuator = (_: ActuatorPlan): Entrypoint =>
  class extends WorkerEntrypoint {
    override async fetch(): Promise<Response> {
      return absent();
    }
  };
