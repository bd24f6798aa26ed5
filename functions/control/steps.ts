/** The `release` of a manifest as a rollout takes it. */
import { milliseconds, share } from "../gateway/quantities.ts";
import type { Rollout, Step } from "./rollout/state.ts";

/** What a manifest may write of a step: `10%`, or with more to it. */
export type WrittenStep =
  | string
  | { readonly share: string; readonly bake?: string | undefined; readonly hold?: boolean | undefined };

export interface WrittenRelease {
  readonly steps: readonly WrittenStep[];
  readonly bake: string;
  readonly tolerate: Rollout["tolerate"];
  readonly smoke?: Rollout["smoke"] | undefined;
}

/** An open verdict is waited for so many bakes. */
const patienceBakes = 12;

export const stepsOf = ({ steps, bake }: WrittenRelease): Step[] =>
  steps.map((step) => {
    const it = typeof step === "string" ? { share: step } : step;
    return {
      // Hundredths of a per cent are as fine as the platform splits.
      share: Math.round(share(it.share) * 10_000) / 100,
      bakeMs: milliseconds(it.bake ?? bake),
      hold: it.hold ?? false,
    };
  });

export const patienceOf = ({ bake }: WrittenRelease): number => patienceBakes * milliseconds(bake);
