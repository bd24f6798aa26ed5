/** The Durable Object of an environment's notifications. */
import type { ControlPlan } from "../model/plan.ts";
import type { World } from "../model/runtime.ts";
import { notices, type Tested } from "../notifications/dispatcher.ts";
import type { Notice } from "../notifications/notification.ts";
import type { NoticeCalls, Notices } from "../wiring/bindings.ts";
import { CalledByName, type ObjectClass } from "./called-by-name.ts";

export const noticesObject = (plan: ControlPlan, world: World): ObjectClass<NoticeCalls> =>
  class extends CalledByName implements NoticeCalls {
    readonly #notices = notices({
      outside: { fetch: world.fetch, now: world.now, timeout: (ms) => AbortSignal.timeout(ms) },
      random: world.random,
      uuid: world.uuid,
      sql: this.ctx.storage.sql,
      wake: (at) => this.ctx.storage.setAlarm(at),
      plan,
      secrets: { webhook: this.env.POSTERN_WEBHOOK_SECRET, github: this.env.GITHUB_TOKEN },
    });

    take(notice: Notice): Promise<void> {
      return this.#notices.take(notice);
    }

    status(): ReturnType<Notices["status"]> {
      return this.#notices.status();
    }

    test(actor: string): Promise<readonly Tested[]> {
      return this.#notices.test(actor);
    }

    retry(): Promise<number> {
      return this.#notices.retry();
    }

    override alarm(): Promise<void> {
      return this.#notices.look();
    }
  };
