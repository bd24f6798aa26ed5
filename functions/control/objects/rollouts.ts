/** The Durable Object of one tier's rollouts. */
import type { RolloutPosition } from "../model/approval.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { LiveSplit } from "../model/platform.ts";
import type { Candidate, Rollout, RolloutStart } from "../model/rollout.ts";
import type { World } from "../model/runtime.ts";
import type { ReleaseRequest } from "../rollout/candidates.ts";
import type { RolloutCommand } from "../rollout/commands.ts";
import { type Refused, returnRefusal } from "../rpc/refusals.ts";
import type { RolloutCalls } from "../wiring/bindings.ts";
import { tierRollouts } from "../wiring/rollouts.ts";
import { CalledByName, type ObjectClass } from "./called-by-name.ts";

export const rolloutsObject = (plan: ControlPlan, runtime: World): ObjectClass<RolloutCalls> =>
  class extends CalledByName implements RolloutCalls {
    readonly #rollouts = tierRollouts(plan, this.env, this.ctx.storage, runtime);

    status(): Promise<Rollout | undefined> {
      return this.#rollouts.status();
    }

    history(): Promise<Rollout[]> {
      return this.#rollouts.history();
    }

    live(workers: readonly string[]): Promise<LiveSplit[]> {
      return this.#rollouts.live(workers);
    }

    candidates(request: ReleaseRequest): Promise<readonly Candidate[] | Refused> {
      return returnRefusal(() => this.#rollouts.candidates(request));
    }

    start(request: RolloutStart): Promise<Rollout | Refused> {
      return returnRefusal(() => this.#rollouts.start(request));
    }

    ask(
      command: RolloutCommand,
      by: string,
      reason: string,
      wave?: string,
      approved?: RolloutPosition,
    ): Promise<Rollout | Refused> {
      return returnRefusal(() => this.#rollouts.ask(command, by, reason, wave, approved));
    }

    override alarm(): Promise<void> {
      return this.#rollouts.reconcile();
    }
  };
