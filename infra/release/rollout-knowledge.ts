/** What is known of a tier's rollouts when the platform is changed: control's history, or that control is not there. */
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { frontName } from "../../functions/front/front-name.ts";
import type { Environment } from "../../functions/manifest/environment.ts";
import type { Compiled } from "../compiler/compile.ts";
import type { NamedFile } from "../compiler/model/checked.ts";
import { toOneLine } from "../terminal/terminal.ts";
import { ControlError, controlClient } from "./control-client.ts";
import type { Target } from "./target.ts";

/** The tier's rollouts, newest first; or why they are unknown. */
export type RolloutKnowledge = { readonly rollouts: readonly Rollout[] } | { readonly unknown: string };

export type RolloutsOfTier = (tier: string) => Promise<RolloutKnowledge>;

/** Short: a rollback does not wait for a control plane that is gone. */
const timeoutMs = 4000;

/** Reads rollouts from control, each tier's once. Without an answer, later tiers are unknown too. */
export const rolloutKnowledge = (
  root: string,
  environment: NamedFile<Environment>,
  target: Target,
  as?: string,
): RolloutsOfTier => {
  const known = new Map<string, Promise<RolloutKnowledge>>();
  let gone: string | undefined;
  const read = async (tier: string): Promise<RolloutKnowledge> => {
    if (!environment.value.control) return { unknown: `${environment.file} has no \`control:\`` };
    if (gone !== undefined) return { unknown: gone };
    try {
      const client = controlClient(root, environment, target, as, timeoutMs);
      return { rollouts: await client.call<readonly Rollout[]>("GET", `/v1/tiers/${tier}/rollouts`) };
    } catch (error) {
      const unknown = toOneLine(error instanceof Error ? error.message : String(error));
      // A refusal concerns one tier, such as one that control does not know yet.
      if (!(error instanceof ControlError)) gone = unknown;
      return { unknown };
    }
  };
  return (tier) => {
    const found = known.get(tier) ?? read(tier);
    known.set(tier, found);
    return found;
  };
};

/** What is known of the rollouts of a tier or the front. Other Workers, such as `control`, are released all at once. */
export const rolloutsOf = async (
  root: string,
  { tiers, environment }: Pick<Compiled, "tiers" | "environment">,
  target: Target,
  name: string,
): Promise<RolloutKnowledge> =>
  name === frontName || tiers.some(({ checked }) => checked.manifest.tier === name)
    ? rolloutKnowledge(root, environment, target)(name)
    : { unknown: `${name} is released all at once, without rollouts` };

export const rolloutsIn = (it: RolloutKnowledge): readonly Rollout[] | undefined =>
  "rollouts" in it ? it.rollouts : undefined;

/** What a decision rests on, as a sentence. */
export const knowledgeText = (it: RolloutKnowledge): string =>
  "rollouts" in it
    ? "known from control's history and the platform's deployments"
    : `known from the platform's last deployments alone: ${it.unknown}`;
