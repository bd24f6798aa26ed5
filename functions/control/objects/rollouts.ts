/** The Durable Object of one tier's rollouts. */
import type { RolloutPosition } from "../model/approval.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { Candidate, Rollout, Start } from "../model/rollout.ts";
import type { World } from "../model/runtime.ts";
import type { Command } from "../rollout/reducer.ts";
import { type Refused, refusing } from "../rpc/refusals.ts";
import type { RolloutCalls } from "../wiring/bindings.ts";
import { rolloutsOf } from "../wiring/rollouts.ts";
import { CalledByName, type ObjectClass } from "./called-by-name.ts";

export const rolloutsObject = (plan: ControlPlan, world: World): ObjectClass<RolloutCalls> =>
  class extends CalledByName implements RolloutCalls {
    readonly #rollouts = rolloutsOf(plan, this.env, this.ctx.storage, world);

    status(): Promise<Rollout | undefined> {
      return this.#rollouts.status();
    }

    history(): Promise<Rollout[]> {
      return this.#rollouts.history();
    }

    candidates(given: Pick<Start, "tier" | "facts">): Promise<readonly Candidate[] | Refused> {
      return refusing(() => this.#rollouts.candidates(given));
    }

    start(given: Start): Promise<Rollout | Refused> {
      return refusing(() => this.#rollouts.start(given));
    }

    ask(
      command: Command,
      by: string,
      reason: string,
      wave?: string,
      approved?: RolloutPosition,
    ): Promise<Rollout | Refused> {
      return refusing(() => this.#rollouts.ask(command, by, reason, wave, approved));
    }

    override alarm(): Promise<void> {
      return this.#rollouts.look();
    }
  };
