/** The Worker of the control plane: the admin API, rollouts, telemetry. It holds no deploy token. */

import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { addNotices } from "./control/api/notifications.ts";
import { addOverlay } from "./control/api/overlays.ts";
import { addProposals } from "./control/api/proposals.ts";
import { addRevocations } from "./control/api/revocations.ts";
import { adminApi } from "./control/api/router.ts";
import { addWaves } from "./control/api/waves.ts";
import { type Ledger as LedgerCalls, ledgerOn } from "./control/audit/ledger.ts";
import type { Collector } from "./control/exporters/otlp/push.ts";
import type { ControlPlan } from "./control/model/plan.ts";
import type { World } from "./control/model/world.ts";
import { notices } from "./control/notifications/dispatcher.ts";
import { refusing } from "./control/rpc/refusals.ts";
import type { Store } from "./control/telemetry/store.ts";
import type { Bindings, Notices as NoticesCalls, Rollouts, Waves } from "./control/wiring/bindings.ts";
import { type IngestProps, ingest } from "./control/wiring/ingest.ts";
import { deskOf } from "./control/wiring/ports.ts";
import { rolloutsOf } from "./control/wiring/rollouts.ts";
import { telemetryOn } from "./control/wiring/telemetry.ts";
import { wavesOf } from "./control/wiring/waves.ts";
import { uncached } from "./gateway/http/uncached.ts";

const world: World = {
  fetch: (url, init) => fetch(url, { ...init, cf: uncached }),
  now: () => Date.now(),
  random: () => Math.random(),
  uuid: () => crypto.randomUUID(),
  log: (line) => console.log(JSON.stringify(line)),
};

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

const collectorOf = ({ otlp }: ControlPlan, env: Bindings): Collector | null =>
  otlp && { ...otlp, headers: otlp.secret ? env.OTLP_HEADERS : undefined, send: world.fetch };

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
  /** What one tier's gates counted. */
  Telemetry: class extends DurableObject<Bindings> {
    readonly #telemetry = telemetryOn(plan, {
      ...world,
      storage: this.ctx.storage,
      collector: collectorOf(plan, this.env),
    });

    invoke<K extends keyof Store>(name: K, given: Parameters<Store[K]>): Promise<ReturnType<Store[K]>> {
      return this.#telemetry.invoke(name, given);
    }

    override alarm(): Promise<void> {
      return this.#telemetry.alarm();
    }
  } as ObjectClass,
  Ledger: LedgerObject as ObjectClass,
  /** The rollouts of one tier. */
  Rollouts: class extends DurableObject<Bindings> {
    readonly #rollouts = rolloutsOf(plan, this.env, this.ctx.storage, world);

    invoke(name: keyof Rollouts, given: readonly unknown[]): Promise<unknown> {
      return refusing(() => (this.#rollouts[name] as (...all: readonly unknown[]) => Promise<unknown>)(...given));
    }

    override async alarm(): Promise<void> {
      await this.#rollouts.look();
    }
  } as ObjectClass,
  /** The waves over tiers, of the environment. */
  Waves: class extends DurableObject<Bindings> {
    readonly #waves = wavesOf(plan, this.env, this.ctx.storage, world);

    invoke(name: keyof Waves, given: readonly unknown[]): Promise<unknown> {
      return refusing(() => (this.#waves[name] as (...all: readonly unknown[]) => Promise<unknown>)(...given));
    }

    override async alarm(): Promise<void> {
      await this.#waves.look();
    }
  } as ObjectClass,
  /** What is told to the world. */
  Notices: class extends DurableObject<Bindings> {
    readonly #notices = notices({
      outside: { fetch: world.fetch, now: world.now, timeout: (ms) => AbortSignal.timeout(ms) },
      random: world.random,
      uuid: world.uuid,
      sql: this.ctx.storage.sql,
      wake: (at) => this.ctx.storage.setAlarm(at),
      plan,
      secrets: { webhook: this.env.POSTERN_WEBHOOK_SECRET, github: this.env.GITHUB_TOKEN },
    });

    async invoke(name: keyof NoticesCalls, given: readonly unknown[]): Promise<unknown> {
      return (this.#notices[name] as (...all: readonly unknown[]) => unknown)(...given);
    }

    override async alarm(): Promise<void> {
      await this.#notices.look();
    }
  } as ObjectClass,
  api: {
    fetch: (request: Request, env: Bindings): Response | Promise<Response> => whole(plan, env).fetch(request),
  },
});

type Entrypoint = new (
  context: ExecutionContext<IngestProps>,
  env: Bindings,
) => { fetch(request: Request): Promise<Response> };
type ObjectClass = new (context: DurableObjectState, env: Bindings) => object;
