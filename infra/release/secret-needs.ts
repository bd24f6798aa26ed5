/** The secrets that an environment's Workers need: those that people set, and those that `postern deploy` generates. */
import { frontName } from "../../functions/front/front-name.ts";
import type { Environment } from "../../functions/manifest/environment.ts";
import type { Compiled } from "../compiler/compile.ts";
import {
  actuatorWorker,
  collectorSecrets,
  controlSecrets,
  controlWorker,
  deployToken,
  frontWorker,
  tailWorker,
} from "../compiler/emit/control-workers.ts";
import {
  generatedFrontSecrets,
  generatedSecrets,
  requiredSecrets as secretsOfTiers,
} from "../compiler/emit/wrangler.ts";
import { listGates } from "../compiler/lower/gates.ts";
import { workerName } from "../compiler/lower/platform.ts";
import type { CheckedTier, NamedFile } from "../compiler/model/checked.ts";

export interface SecretUser {
  readonly tier: string;
  readonly worker: string;
}

export interface SecretNeeds {
  /** Secrets that people set, and the Workers that need them. */
  readonly wanted: ReadonlyMap<string, readonly SecretUser[]>;
  /** Secrets that `postern deploy` generates. */
  readonly generated: readonly (SecretUser & { readonly secret: string })[];
  /** Values that the dev loop uses for secrets that are not set. */
  readonly samples: Readonly<Record<string, string>>;
}

export const secretNeeds = ({ tiers, environment }: Pick<Compiled, "tiers" | "environment">): SecretNeeds => {
  const env = environment.name;
  const ofGates = (named: (tiers: readonly CheckedTier[]) => readonly string[]) =>
    listGates(tiers).flatMap(({ name, serves }) =>
      serves.flatMap(({ checked }) =>
        named([checked]).map((secret) => ({ secret, tier: checked.manifest.tier, worker: workerName(name, env) })),
      ),
    );
  const all = [...ofGates(secretsOfTiers), ...controlPlaneSecrets(environment)];
  return {
    wanted: new Map([...Map.groupBy(all, ({ secret }) => secret)].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    generated: [
      ...ofGates(generatedSecrets),
      ...generatedFrontSecrets(environment).map((secret) => ({ secret, tier: frontName, worker: frontWorker(env) })),
    ],
    samples: environment.value.dev.secrets,
  };
};

/** Secrets of the control plane's Workers, which belong to no tier. */
const controlPlaneSecrets = ({ name, value: { control } }: NamedFile<Environment>) =>
  control
    ? [
        ...controlSecrets(control).map((secret) => ({ secret, tier: "control", worker: controlWorker(name) })),
        ...collectorSecrets(control).map((secret) => ({ secret, tier: "control", worker: tailWorker(name) })),
        { secret: deployToken, tier: "control", worker: actuatorWorker(name) },
      ]
    : [];
