/** Describes each Worker before it is bundled: entry, configuration and plan. Equal blueprints are the same Worker. */
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import type { TierPlans } from "../../openapi/module.ts";
import { tierPlans } from "../check/validations.ts";
import type { Compiled } from "../compile.ts";
import { type Gate, isLifted } from "../lower/gates.ts";
import { lower } from "../lower/lower.ts";
import {
  actuatorConfig,
  type ControlPlaneConfig,
  collectorSecrets,
  controlConfig,
  controlPlan,
  controlSecrets,
  deployToken,
  feedConfig,
  tailConfig,
} from "./control-workers.ts";
import { frontEntry, gateEntry, linkedParts, planeEntries, stateEntry } from "./entries.ts";
import { actuatorPlan, tailPlan } from "./release-plans.ts";
import { type StateConfig, stateConfig, stateWorkers } from "./state-workers.ts";
import {
  boundGates,
  type FrontConfig,
  frontConfig,
  gateConfig,
  generatedFrontSecrets,
  generatedSecrets,
  requiredSecrets,
} from "./wrangler.ts";

export interface Blueprint {
  readonly kind: "state" | "feed" | "actuator" | "control" | "tail" | "gate" | "front";
  readonly config: ReturnType<typeof gateConfig> | FrontConfig | StateConfig | ControlPlaneConfig;
  /** Source of the entry module. */
  readonly entry: string;
  /** Imports that are not bundled. */
  readonly external: readonly string[];
  readonly plan?: object;
  /** Validation plans, compiled to a module beside the plan. */
  readonly validations?: readonly TierPlans[];
  /** Of a gate. */
  readonly tiers: readonly string[];
  /** Whether the gate serves a single lifted route instead of the tier. */
  readonly lifted: boolean;
  /** The parts that are linked in. */
  readonly parts: readonly string[];
  /** Names of the secrets that it needs. */
  readonly secrets: readonly string[];
  /** Names of secrets that `postern deploy` generates if they are missing. */
  readonly generated: readonly string[];
}

const emptyBlueprint = { tiers: [], lifted: false, parts: [], secrets: [], generated: [] } as const;

/** @param explain the public key of explain tokens */
export const gateBlueprint = (
  gate: Gate,
  environment: Compiled["environment"],
  explain: string | undefined,
): Blueprint => {
  const plans = gate.serves.map(({ plan }) => plan);
  return {
    kind: "gate",
    config: gateConfig(gate, environment),
    entry: gateEntry(gate, explain, environment.name, environment.value.control !== undefined),
    external: ["cloudflare:*", "./plan.js", "./validators.js"],
    validations: gate.serves.flatMap(({ checked }) => tierPlans(checked)),
    plan: gate.shared ? plans : (plans[0] as Plan),
    tiers: plans.map(({ tier }) => tier),
    lifted: isLifted(gate),
    parts: linkedParts(gate),
    secrets: requiredSecrets(gate.serves.map(({ checked }) => checked)),
    generated: generatedSecrets(gate.serves.map(({ checked }) => checked)),
  };
};

/** The state Workers of these gates. */
export const stateBlueprints = (gates: readonly Gate[], environment: string): Blueprint[] => {
  const served = gates.flatMap(({ serves }) => serves.map(({ checked }) => checked));
  return stateWorkers(served, environment).map((name) => ({
    ...emptyBlueprint,
    kind: "state",
    config: stateConfig(name),
    entry: stateEntry,
    external: ["cloudflare:*"],
  }));
};

export const frontBlueprint = ({ front, tiers, environment }: Compiled): Blueprint => {
  const checked = tiers.map((it) => it.checked);
  const config = frontConfig(front, checked, environment);
  const { control } = environment.value;
  return {
    ...emptyBlueprint,
    kind: "front",
    config,
    entry: frontEntry(control?.key, environment.name),
    external: ["cloudflare:*", "./plan.js"],
    plan: control ? { ...front, workers: boundGates(config) } : front,
    generated: generatedFrontSecrets(environment),
  };
};

/** The control plane's Workers; like the front, they know every tier. */
export const controlBlueprints = ({ tiers, environment }: Compiled, gates: readonly Gate[]): Blueprint[] => {
  const settings = environment.value.control;
  if (!settings) return [];
  const plannedTiers = tiers.map(({ checked }) => ({
    checked,
    plan: lower(checked, environment.name, checked.routes),
  }));
  const plan = controlPlan(plannedTiers, environment, settings);
  const workers = [
    ["feed", feedConfig(environment), {}],
    [
      "actuator",
      actuatorConfig(environment),
      { plan: actuatorPlan(gates, environment.name, settings), secrets: [deployToken] },
    ],
    ["control", controlConfig(environment, settings), { plan, secrets: controlSecrets(settings) }],
    ["tail", tailConfig(environment, settings), { plan: tailPlan(plan), secrets: collectorSecrets(settings) }],
  ] as const;
  return workers.map(([kind, config, extras]) => ({
    ...emptyBlueprint,
    kind,
    config,
    entry: planeEntries[kind],
    external: ["cloudflare:*", "./plan.js"],
    ...extras,
  }));
};
