/** The model of one environment: everything that runs, as data, for comparing two versions of a project. */
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
import { tierFacts } from "../../../compiler/emit/control-workers.ts";
import { requiredSecrets } from "../../../compiler/emit/wrangler.ts";
import { listGates } from "../../../compiler/lower/gates.ts";
import { lower } from "../../../compiler/lower/lower.ts";
import type { CheckedRoute, CheckedTier } from "../../../compiler/model/checked.ts";

export interface RouteModel {
  readonly tier: string;
  readonly name: string;
  readonly checked: CheckedRoute;
  readonly plan: RoutePlan;
}

export interface TierModel {
  readonly name: string;
  readonly checked: CheckedTier;
  /** The plan of the whole tier, including lifted routes. */
  readonly plan: Plan;
  readonly facts: TierFacts;
  readonly secrets: readonly string[];
  readonly routes: ReadonlyMap<string, RouteModel>;
}

export interface WorkerModel {
  readonly kind: Blueprint["kind"];
  readonly tiers: readonly string[];
  /** Entry, configuration and plan. With unchanged code, equal content is an equal Worker. */
  readonly content: string;
}

export interface EnvironmentModel {
  readonly compiled: Compiled;
  readonly environment: string;
  readonly settings: Environment;
  readonly tiers: ReadonlyMap<string, TierModel>;
  readonly workers: ReadonlyMap<string, WorkerModel>;
  readonly consumers: ReadonlyMap<string, ConsumerModel>;
}

export interface ConsumerModel {
  readonly labels: Readonly<Record<string, string>>;
  /** Hashes. */
  readonly keys: readonly string[];
}

/** @param root a project's folder */
export const loadModel = (root: string, environment: string): EnvironmentModel => toModel(compile(root, environment));

export const toModel = (compiled: Compiled): EnvironmentModel => ({
  compiled,
  environment: compiled.environment.name,
  settings: compiled.environment.value,
  tiers: new Map(compiled.tiers.map(({ checked }) => [checked.manifest.tier, tierModel(checked, compiled)])),
  workers: workerModels(compiled),
  consumers: consumerModels(compiled),
});

const tierModel = (checked: CheckedTier, { environment }: Compiled): TierModel => {
  const { tier } = checked.manifest;
  const plan = lower(checked, environment.name, checked.routes);
  const routes = checked.routes.map((route): [string, RouteModel] => [
    route.name,
    { tier, name: route.name, checked: route, plan: plan.routes[route.name] as RoutePlan },
  ]);
  const facts = tierFacts(checked, plan, environment.name);
  return { name: tier, checked, plan, facts, secrets: requiredSecrets([checked]), routes: new Map(routes) };
};

const workerModels = (compiled: Compiled): ReadonlyMap<string, WorkerModel> => {
  const { environment, tiers } = compiled;
  const gates = listGates(tiers);
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

const consumerModels = ({ consumers }: Compiled): ReadonlyMap<string, ConsumerModel> => {
  const found = new Map<string, ConsumerModel>();
  for (const { key, value } of consumers) {
    const { id, labels } = JSON.parse(value) as { readonly id: string; readonly labels: Record<string, string> };
    found.set(id, { labels, keys: [...(found.get(id)?.keys ?? []), key] });
  }
  return found;
};
