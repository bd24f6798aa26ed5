/** The Worker of the control plane: the admin API, rollouts, telemetry. It holds no deploy token. */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { adminApi } from "./control/api.ts";
import type { Bindings, Rollouts, World } from "./control/bindings.ts";
import { deskOf, type Refused } from "./control/desk.ts";
import { type Ledger as LedgerCalls, ledgerOn } from "./control/ledger.ts";
import { addOverlay } from "./control/overlay.ts";
import type { ControlPlan } from "./control/plan.ts";
import { Refusal } from "./control/rollout/reducer.ts";
import { rolloutsOf } from "./control/rollout/wiring.ts";
import { ingest } from "./control/telemetry/ingest.ts";
import { type Store, storeOn } from "./control/telemetry/store.ts";

const world: World = {
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  random: () => Math.random(),
  uuid: () => crypto.randomUUID(),
  log: (line) => console.log(JSON.stringify(line)),
};

const sweepMs = 60_000;

/** What one tier's gates counted. */
class TelemetryObject extends DurableObject<Bindings> {
  readonly #store = storeOn(this.ctx.storage.sql);

  async invoke<K extends keyof Store>(name: K, given: Parameters<Store[K]>): Promise<ReturnType<Store[K]>> {
    if (name === "take" && (await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + sweepMs);
    return (this.#store[name] as (...all: unknown[]) => ReturnType<Store[K]>)(...given);
  }

  override async alarm(): Promise<void> {
    this.#store.sweep(Date.now());
    await this.ctx.storage.setAlarm(Date.now() + sweepMs);
  }
}

/** Who did what, and what waits for a second person. */
class LedgerObject extends DurableObject<Bindings> {
  readonly #ledger = ledgerOn(this.ctx.storage.sql);

  async invoke<K extends keyof LedgerCalls>(
    name: K,
    given: Parameters<LedgerCalls[K]>,
  ): Promise<ReturnType<LedgerCalls[K]>> {
    return (this.#ledger[name] as (...all: unknown[]) => ReturnType<LedgerCalls[K]>)(...given);
  }
}

const whole = (plan: ControlPlan, env: Bindings) => {
  const desk = deskOf(plan, env, world);
  const app = adminApi(plan, desk);
  addOverlay(app, plan, desk);
  return app;
};

/** The entrypoints and objects of control. */
export const control = (plan: ControlPlan) => ({
  /** Takes what gates and the tail counted. Only bindings reach it. */
  Ingest: class extends WorkerEntrypoint<Bindings> {
    override fetch(request: Request): Promise<Response> {
      return ingest(request, plan, this.env.TELEMETRY, world);
    }
  } as Entrypoint,
  Telemetry: TelemetryObject as ObjectClass,
  Ledger: LedgerObject as ObjectClass,
  /** The rollouts of one tier. */
  Rollouts: class extends DurableObject<Bindings> {
    readonly #rollouts = rolloutsOf(plan, this.env, this.ctx.storage, world);

    async invoke(name: keyof Rollouts, given: readonly unknown[]): Promise<unknown> {
      try {
        return await (this.#rollouts[name] as (...all: readonly unknown[]) => Promise<unknown>)(...given);
      } catch (error) {
        if (error instanceof Refusal) return { refused: error.message } satisfies Refused;
        throw error;
      }
    }

    override async alarm(): Promise<void> {
      await this.#rollouts.look();
    }
  } as ObjectClass,
  api: {
    fetch: (request: Request, env: Bindings): Response | Promise<Response> => whole(plan, env).fetch(request),
  },
});

type Entrypoint = new (context: ExecutionContext, env: Bindings) => { fetch(request: Request): Promise<Response> };
type ObjectClass = new (context: DurableObjectState, env: Bindings) => object;
