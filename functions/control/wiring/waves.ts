/** The waves object of an environment: connects the controller to the tiers' rollouts and the ledger. */

import { withAudit } from "../audit/record.ts";
import type { ControlPlan } from "../model/plan.ts";
import { Refusal } from "../model/refusal.ts";
import { rolloutSettings } from "../model/release.ts";
import { isUnderWay, isWatched, type Rollout } from "../model/rollout.ts";
import type { World } from "../model/runtime.ts";
import { rolloutObjectName } from "../model/shared-gates.ts";
import { objectOf } from "../rpc/objects.ts";
import { throwRefusal } from "../rpc/refusals.ts";
import { waveController } from "../wave/controller.ts";
import { summaryOf } from "../wave/summary.ts";
import type { Bindings, Waves } from "./bindings.ts";
import { notifier } from "./notify.ts";
import { plannedRelease } from "./traffic.ts";

/** Name of the waves object; there is one per environment. */
export const wavesObjectName = "waves";

/** Name of the ledger object; there is one per environment. */
export const ledgerObjectName = "ledger";

export const environmentWaves = (
  { tiers }: ControlPlan,
  env: Bindings,
  storage: DurableObjectStorage,
  { now, uuid }: World,
): Waves => {
  const rolloutsOf = (tier: string) => objectOf(env.ROLLOUTS, rolloutObjectName({ tiers }, tier));
  const ledger = objectOf(env.LEDGER, ledgerObjectName);
  return waveController({
    storage,
    notify: notifier(env),
    now,
    uuid,
    rollouts: {
      runningRollout: async (tier) => {
        const it = await rolloutsOf(tier).status();
        return isUnderWay(it) && !isWatched(it) ? `${tier}, by ${it.by}` : undefined;
      },
      find: async ({ id }, { tier }) => {
        const isMine = (it: Rollout | undefined) => it?.wave === id;
        const newest = await rolloutsOf(tier).status();
        // People may have started newer rollouts since.
        const it = isMine(newest) ? newest : newest && (await rolloutsOf(tier).history()).find(isMine);
        return it ? summaryOf(it) : null;
      },
      start: async ({ id, by, reason }, { tier, release, approved }) => {
        const facts = Object.hasOwn(tiers, tier) ? tiers[tier] : undefined;
        if (!facts) throw new Refusal(`the tier "${tier}" no longer exists in control's plan`);
        const why = `wave ${id}: ${reason}`;
        const entry = { by, what: "start", tier, reason: why, before: "null", asked: JSON.stringify({ wave: id }) };
        const it = await withAudit({ ledger, now }, entry, async () => {
          // A version that was taken back before is tried again: a person chose the tier.
          const settings = {
            ...rolloutSettings(await plannedRelease(env, { tiers }, tier, release, now())),
            tier,
            facts,
            by,
            reason: why,
            wave: id,
            retry: true,
            approved,
          };
          return throwRefusal(await rolloutsOf(tier).start(settings));
        });
        return summaryOf(it);
      },
      abort: async ({ id, why }, { tier }) => {
        // The reason names the operator.
        const by = `wave ${id}`;
        const entry = { by, what: "abort", tier, reason: why, before: "null", asked: JSON.stringify({ wave: id }) };
        await withAudit({ ledger, now }, entry, async () =>
          throwRefusal(await rolloutsOf(tier).ask("abort", by, why, id)),
        );
      },
    },
  });
};
