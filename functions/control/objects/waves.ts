/** The Durable Object of an environment's waves over tiers. */
import type { ControlPlan } from "../model/plan.ts";
import type { World } from "../model/runtime.ts";
import type { Wave } from "../model/wave.ts";
import { type Refused, returnRefusal } from "../rpc/refusals.ts";
import type { WaveCommandRequest, WaveStartRequest } from "../wave/ports.ts";
import type { WaveCalls } from "../wiring/bindings.ts";
import { environmentWaves } from "../wiring/waves.ts";
import { CalledByName, type ObjectClass } from "./called-by-name.ts";

export const wavesObject = (plan: ControlPlan, runtime: World): ObjectClass<WaveCalls> =>
  class extends CalledByName implements WaveCalls {
    readonly #waves = environmentWaves(plan, this.env, this.ctx.storage, runtime);

    status(): Promise<Wave | undefined> {
      return this.#waves.status();
    }

    history(): Promise<readonly Wave[]> {
      return this.#waves.history();
    }

    check(request: Pick<WaveStartRequest, "members">): ReturnType<WaveCalls["check"]> {
      return returnRefusal(() => this.#waves.check(request));
    }

    start(request: WaveStartRequest): Promise<Wave | Refused> {
      return returnRefusal(() => this.#waves.start(request));
    }

    ask(request: WaveCommandRequest): Promise<Wave | Refused> {
      return returnRefusal(() => this.#waves.ask(request));
    }

    override alarm(): Promise<void> {
      return this.#waves.reconcile();
    }
  };
