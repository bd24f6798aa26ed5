/** The Durable Object of an environment's waves over tiers. */
import type { ControlPlan } from "../model/plan.ts";
import type { Wave } from "../model/wave.ts";
import type { World } from "../model/runtime.ts";
import { type Refused, refusing } from "../rpc/refusals.ts";
import type { WaveAsk, WaveStart } from "../wave/controller.ts";
import type { WaveCalls } from "../wiring/bindings.ts";
import { wavesOf } from "../wiring/waves.ts";
import { CalledByName, type ObjectClass } from "./called-by-name.ts";

export const wavesObject = (plan: ControlPlan, world: World): ObjectClass<WaveCalls> =>
  class extends CalledByName implements WaveCalls {
    readonly #waves = wavesOf(plan, this.env, this.ctx.storage, world);

    status(): Promise<Wave | undefined> {
      return this.#waves.status();
    }

    history(): Promise<readonly Wave[]> {
      return this.#waves.history();
    }

    check(given: Pick<WaveStart, "members">): ReturnType<WaveCalls["check"]> {
      return refusing(() => this.#waves.check(given));
    }

    start(given: WaveStart): Promise<Wave | Refused> {
      return refusing(() => this.#waves.start(given));
    }

    ask(given: WaveAsk): Promise<Wave | Refused> {
      return refusing(() => this.#waves.ask(given));
    }

    override alarm(): Promise<void> {
      return this.#waves.look();
    }
  };
