/**
 * The state Worker: owns counters and nonces, so that gates can be split and rolled back freely. Reached only by
 * bindings.
 */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import type { StateProps } from "./gateway/core/ports/state.ts";
import { handleRequest, objectNameOf } from "./state/contract.ts";
import { countersOn } from "./state/counters.ts";

interface Bindings {
  readonly COUNTERS: DurableObjectNamespace<Counters>;
}

/** The entrypoint for gates. The binding's `props` name the tier, so a request cannot choose it. */
export class State extends WorkerEntrypoint<Bindings, StateProps> {
  override fetch(request: Request): Promise<Response> {
    const name = objectNameOf(new URL(request.url), this.ctx.props);
    return this.env.COUNTERS.getByName(name).fetch(request);
  }
}

/** How often an object deletes expired cells. */
const sweepMs = 60_000;

/** One shard of one tier. Its storage is synchronous, so each request is atomic. */
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
