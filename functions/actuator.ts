/**
 * The actuator Worker: holds the deploy token and splits the versions of the Workers on its allow-list. Only control
 * calls it.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { handleActuatorCall } from "./control/actuator/calls.ts";
import type { ActuatorPlan } from "./control/model/plan.ts";
import { bypassCache } from "./gateway/http/uncached.ts";

interface Secrets {
  readonly CLOUDFLARE_API_TOKEN: string;
}

type Entrypoint = new (context: ExecutionContext, env: Secrets) => { fetch(request: Request): Promise<Response> };

/** @returns the entrypoint that control is bound to */
export const actuator = (plan: ActuatorPlan): Entrypoint =>
  class extends WorkerEntrypoint<Secrets> {
    override fetch(request: Request): Promise<Response> {
      return handleActuatorCall(request, plan, {
        send: (url, init) => fetch(url, { ...init, cf: bypassCache }),
        token: this.env.CLOUDFLARE_API_TOKEN,
        timeout: (ms) => AbortSignal.timeout(ms),
      });
    }
  };
