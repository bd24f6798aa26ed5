/** `postern secrets list` and `postern secrets set`: secrets of an environment's Workers. */
import { compile } from "../../compiler/compile.ts";
import { existing } from "../../diagnostics/schema-issues.ts";
import { accessOf, listWorkers } from "../../release/api.ts";
import { consumersPublicKey } from "../../release/consumers/sign.ts";
import { assertOwnSecret } from "../../release/sample-keys.ts";
import { secretNeeds } from "../../release/secret-needs.ts";
import { areInFile, platformSecrets, secretsFile, secretsOf } from "../../release/secrets.ts";
import { flagOf, type Target, targetOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";

interface SecretsOptions {
  readonly root: string;
  readonly env: string;
  readonly target: string | Target;
}

export const list = async (options: SecretsOptions): Promise<Outcome> => {
  const { wanted, generated, samples } = secretNeeds(compile(options.root, options.env));
  const secrets = secretsOf(options.root, options.env, samples, targetOf(options.target));
  const workers = [...new Set([...[...wanted.values()].flat(), ...generated].map(({ worker }) => worker))];
  const existing = new Map(await Promise.all(workers.map(async (it) => [it, await secrets.names(it)] as const)));
  const isSet = ({ secret, worker }: { readonly secret: string; readonly worker: string }) =>
    existing.get(worker)?.includes(secret) === true;
  const needed = [...wanted].flatMap(([secret, users]) => users.map((it) => ({ secret, ...it })));
  const rows = [
    ...needed.map(({ secret, tier, worker }) => ({ secret, tier, worker, set: isSet({ secret, worker }) })),
    ...generated.map((it) => ({ ...it, set: isSet(it), generated: true as const })),
  ];
  const missing = rows.filter((it) => !it.set && !("generated" in it));
  const text = table(
    ["secret", "tier", "worker", "state"],
    rows.map((it) => [it.secret, it.tier, it.worker, it.set ? "set" : "generated" in it ? "generated" : "missing"]),
  );
  const at = flagOf(targetOf(options.target));
  const remedy = [
    ...new Set(missing.map(({ secret }) => `npx postern secrets set ${secret} --env ${options.env}${at}`)),
  ];
  return {
    exitCode: missing.length > 0 ? 1 : 0,
    text: rows.length === 0 ? `no tier needs a secret in ${options.env}\n` : [text, ...remedy].join("\n"),
    data: { environment: options.env, secrets: rows },
  };
};

/** Creates the key pair that signs consumers' entries, if there is none, and prints the environment's setting. */
export const consumersKey = ({ root, env }: Pick<SecretsOptions, "root" | "env">): Outcome => {
  const key = consumersPublicKey(root, env);
  const text = `# routes/environments/${env}.yaml; first npx postern deploy consumers, a minute later the gates. The private key is in .secrets; in CI it is POSTERN_CONSUMERS_PRIVATE_KEY
consumers: { key: "${key}" }
`;
  return { exitCode: 0, text, data: { environment: env, key } };
};

/** @param read reads the value from a pipe or a prompt */
export const set = async (name: string, options: SecretsOptions, read: () => Promise<string>): Promise<Outcome> => {
  const { wanted, generated, samples } = secretNeeds(compile(options.root, options.env));
  if (generated.some(({ secret }) => secret === name))
    throw new Error(`${name} cannot be set: postern deploy generates a value for each Worker`);
  const users = wanted.get(name);
  if (!users) {
    const hint = existing(name, [...wanted.keys()], "name it in a manifest first");
    throw new Error(`no tier needs a secret "${name}" in ${options.env}; ${hint}`);
  }
  const value = (await read()).replace(/\r?\n$/, "");
  if (value === "") throw new Error("the value is empty; pipe it in: printf %s … | npx postern secrets set …");
  assertOwnSecret(options.root, options.env, name, value);
  const target = targetOf(options.target);
  const workers = [...new Set(users.map((it) => it.worker))];
  const isInFile = areInFile(options.env);
  const deployed = isInFile ? await deployedOf(workers, target) : workers;
  const secrets = secretsOf(options.root, options.env, samples, target);
  if (isInFile) for (const worker of workers) await secrets.set(worker, name, value);
  // Sequential, so that it is known which were set when one fails.
  for (const worker of deployed) await platformSecrets(target).set(worker, name, value);
  const tiers = [...new Set(users.map(({ tier }) => tier))].sort();
  return {
    exitCode: 0,
    text: `set ${name} for ${tiers.join(", ")} in ${options.env}: ${placesText(workers, deployed, isInFile, target)}\n`,
    data: { secret: name, tiers, file: isInFile ? secretsFile : null, workers: deployed },
  };
};

/** Those of the Workers that a local cloud runs. None at Cloudflare, where the dev loop's environment is not deployed. */
const deployedOf = async (workers: readonly string[], target: Target): Promise<readonly string[]> => {
  const access = target.name === "local" ? accessOf(target) : undefined;
  if (!access) return [];
  const existing = new Set(await listWorkers(access));
  return workers.filter((it) => existing.has(it));
};

/** Where the secret has been set, and where it has not. */
const placesText = (
  workers: readonly string[],
  deployed: readonly string[],
  isInFile: boolean,
  { name }: Target,
): string => {
  const cloud = name === "local" ? "the local cloud" : "Cloudflare";
  const absent = workers.filter((it) => !deployed.includes(it));
  const places = [
    ...(isInFile ? [`in ${secretsFile}, for the dev loop and the next upload`] : []),
    ...(deployed.length > 0 ? [`in ${deployed.join(", ")} on ${cloud}`] : []),
  ].join(", and ");
  if (absent.length === 0) return places;
  return name === "local"
    ? `${places}; not yet deployed: ${absent.join(", ")}`
    : `${places}; no deployed Worker has changed (--target local sets it there too)`;
};
