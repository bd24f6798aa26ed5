/** The Durable Object of an environment's notifications. */
import type { ControlPlan } from "../model/plan.ts";
import type { World } from "../model/runtime.ts";
import { type ChannelTest, noticeDispatcher } from "../notifications/dispatcher.ts";
import type { Notice } from "../notifications/notification.ts";
import type { NoticeCalls, Notices } from "../wiring/bindings.ts";
import { CalledByName, type ObjectClass } from "./called-by-name.ts";

export const noticesObject = (plan: ControlPlan, runtime: World): ObjectClass<NoticeCalls> =>
  class extends CalledByName implements NoticeCalls {
    readonly #notices = noticeDispatcher({
      http: { fetch: runtime.fetch, now: runtime.now, timeout: (ms) => AbortSignal.timeout(ms) },
      random: runtime.random,
      uuid: runtime.uuid,
      sql: this.ctx.storage.sql,
      setAlarm: (at) => this.ctx.storage.setAlarm(at),
      plan,
      secrets: {
        webhook: this.env.POSTERN_WEBHOOK_SECRET,
        webhookUrl: this.env.POSTERN_WEBHOOK_URL,
        github: this.env.GITHUB_TOKEN,
      },
    });

    take(notice: Notice): Promise<void> {
      return this.#notices.take(notice);
    }

    status(): ReturnType<Notices["status"]> {
      return this.#notices.status();
    }

    test(actor: string): Promise<readonly ChannelTest[]> {
      return this.#notices.test(actor);
    }

    retry(): Promise<number> {
      return this.#notices.retry();
    }

    override alarm(): Promise<void> {
      return this.#notices.deliver();
    }
  };
