/** The Worker that owns the counters, so that gates can be split and rolled back freely. Only a binding reaches it. */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import type { StateProps } from "./gateway/core/ports/state.ts";
import { handleRequest, objectNameOf } from "./state/contract.ts";
import { countersOn } from "./state/counters.ts";

interface Bindings {
  readonly COUNTERS: DurableObjectNamespace<Counters>;
}

/** What gates are bound to. `props` say which tier asks; they are the binding's, not the caller's. */
export class State extends WorkerEntrypoint<Bindings, StateProps> {
  override fetch(request: Request): Promise<Response> {
    const name = objectNameOf(new URL(request.url), this.ctx.props);
    return this.env.COUNTERS.getByName(name).fetch(request);
  }
}

/** How often an object forgets what has ended. */
const sweepMs = 60_000;

/** One shard of one tier. Its storage is synchronous, so a question is answered whole before the next. */
export class Counters extends DurableObject<Bindings> {
  readonly #counters = countersOn(this.ctx.storage.sql);
  #awake = false;

  override async fetch(request: Request): Promise<Response> {
    if (!this.#awake) {
      this.#awake = true;
      await this.ctx.storage.setAlarm(Date.now() + sweepMs);
    }
    return handleRequest(request, this.#counters, () => Date.now());
  }

  override async alarm(): Promise<void> {
    this.#awake = this.#counters.sweep(Date.now()) > 0;
    if (this.#awake) await this.ctx.storage.setAlarm(Date.now() + sweepMs);
  }
}

export default { fetch: () => new Response(null, { status: 404 }) };
