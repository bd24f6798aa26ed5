/** All that runs in one environment, as data: what two versions of a project are compared by. */
import type { TierFacts } from "../../../../functions/control/model/plan.ts";
import type { Plan, RoutePlan } from "../../../../functions/gateway/core/plan.ts";
import type { Environment } from "../../../../functions/manifest/environment.ts";
import { type Compiled, compile } from "../../../compiler/compile.ts";
import {
  type Blueprint,
  controlBlueprints,
  frontBlueprint,
  gateBlueprint,
  stateBlueprints,
} from "../../../compiler/emit/blueprints.ts";
import { factsOf } from "../../../compiler/emit/control-workers.ts";
import { secretsOf } from "../../../compiler/emit/wrangler.ts";
import { gatesOf } from "../../../compiler/lower/gates.ts";
import { lower } from "../../../compiler/lower/lower.ts";
import type { CheckedRoute, CheckedTier } from "../../../compiler/model/checked.ts";

export interface RoutePicture {
  readonly tier: string;
  readonly name: string;
  readonly checked: CheckedRoute;
  readonly plan: RoutePlan;
}

export interface TierPicture {
  readonly name: string;
  readonly checked: CheckedTier;
  /** Of the whole tier, with the routes that are lifted. */
  readonly plan: Plan;
  readonly facts: TierFacts;
  readonly secrets: readonly string[];
  readonly routes: ReadonlyMap<string, RoutePicture>;
}

export interface WorkerPicture {
  readonly kind: Blueprint["kind"];
  readonly tiers: readonly string[];
  /** Entry, configuration and plan: the same content, the same Worker, as long as the code is the same. */
  readonly content: string;
}

export interface Picture {
  readonly compiled: Compiled;
  readonly environment: string;
  readonly settings: Environment;
  readonly tiers: ReadonlyMap<string, TierPicture>;
  readonly workers: ReadonlyMap<string, WorkerPicture>;
  readonly consumers: ReadonlyMap<string, ConsumerPicture>;
}

export interface ConsumerPicture {
  readonly labels: Readonly<Record<string, string>>;
  /** Hashes. */
  readonly keys: readonly string[];
}

/** @param root a project's folder */
export const pictureOf = (root: string, environment: string): Picture => pictured(compile(root, environment));

export const pictured = (compiled: Compiled): Picture => ({
  compiled,
  environment: compiled.environment.name,
  settings: compiled.environment.value,
  tiers: new Map(compiled.tiers.map(({ checked }) => [checked.manifest.tier, tierOf(checked, compiled)])),
  workers: workersOf(compiled),
  consumers: consumersOf(compiled),
});

const tierOf = (checked: CheckedTier, { environment }: Compiled): TierPicture => {
  const { tier } = checked.manifest;
  const plan = lower(checked, environment.name, checked.routes);
  const routes = checked.routes.map((route): [string, RoutePicture] => [
    route.name,
    { tier, name: route.name, checked: route, plan: plan.routes[route.name] as RoutePlan },
  ]);
  const facts = factsOf(checked, plan, environment.name);
  return { name: tier, checked, plan, facts, secrets: secretsOf([checked]), routes: new Map(routes) };
};

const workersOf = (compiled: Compiled): ReadonlyMap<string, WorkerPicture> => {
  const { environment, tiers } = compiled;
  const gates = gatesOf(tiers);
  const all = [
    ...gates.map((gate) => gateBlueprint(gate, environment, environment.value.explain?.key)),
    ...stateBlueprints(gates, environment.name),
    ...controlBlueprints(compiled, gates),
    frontBlueprint(compiled),
  ];
  return new Map(
    all.map(({ kind, config, entry, plan, tiers }) => [
      config.name,
      { kind, tiers, content: JSON.stringify([entry, config, plan ?? null]) },
    ]),
  );
};

const consumersOf = ({ consumers }: Compiled): ReadonlyMap<string, ConsumerPicture> => {
  const found = new Map<string, ConsumerPicture>();
  for (const { key, value } of consumers) {
    const { id, labels } = JSON.parse(value) as { readonly id: string; readonly labels: Record<string, string> };
    found.set(id, { labels, keys: [...(found.get(id)?.keys ?? []), key] });
  }
  return found;
};
