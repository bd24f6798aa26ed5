/** The waves with the real rollouts around them. */

import { audited } from "../audit/record.ts";
import type { ControlPlan } from "../model/plan.ts";
import { Refusal } from "../model/refusal.ts";
import { fromManifest } from "../model/release.ts";
import { isOver, type Rollout } from "../model/rollout.ts";
import { rolloutsKept } from "../model/shared-gates.ts";
import type { Seen } from "../model/wave.ts";
import type { World } from "../model/runtime.ts";
import { objectOf } from "../rpc/objects.ts";
import { granted } from "../rpc/refusals.ts";
import { waves } from "../wave/controller.ts";
import type { Bindings, Waves } from "./bindings.ts";
import { tellOf } from "./notify.ts";

/** The one object of an environment's waves. */
export const theWaves = "waves";

export const wavesOf = (
  { tiers }: ControlPlan,
  env: Bindings,
  storage: DurableObjectStorage,
  { now, uuid }: World,
): Waves => {
  const of = (tier: string) => objectOf(env.ROLLOUTS, rolloutsKept({ tiers }, tier));
  const ledger = objectOf(env.LEDGER, "ledger");
  return waves({
    storage,
    tell: tellOf(env),
    now,
    uuid,
    rollouts: {
      busy: async (tier) => {
        const it = await of(tier).status();
        return it && !isOver(it) ? `${tier}, by ${it.by}` : undefined;
      },
      mine: async ({ id }, { tier }) => {
        const isMine = (it: Rollout | undefined) => it?.wave === id;
        const newest = await of(tier).status();
        // After it others may have been begun, by people.
        const it = isMine(newest) ? newest : newest && (await of(tier).history()).find(isMine);
        return it ? seenOf(it) : null;
      },
      start: async ({ id, by, reason }, { tier, release, approved }) => {
        const facts = Object.hasOwn(tiers, tier) ? tiers[tier] : undefined;
        if (!facts) throw new Refusal(`control knows no tier "${tier}" any more`);
        const why = `wave ${id}: ${reason}`;
        const line = { by, what: "start", tier, reason: why, before: "null", asked: JSON.stringify({ wave: id }) };
        const it = await audited({ ledger, now }, line, async () => {
          const given = { ...fromManifest(release), tier, facts, by, reason: why, wave: id, approved };
          return granted(await of(tier).start(given));
        });
        return seenOf(it);
      },
      takeBack: async ({ id, why }, { tier }) => {
        // Who asked for it stands in the reason.
        const by = `wave ${id}`;
        const line = { by, what: "abort", tier, reason: why, before: "null", asked: JSON.stringify({ wave: id }) };
        await audited({ ledger, now }, line, async () => granted(await of(tier).ask("abort", by, why, id)));
      },
    },
  });
};

const seenOf = ({ id, status, goal, why }: Rollout): Seen => ({ id, status, share: goal.share, why });
