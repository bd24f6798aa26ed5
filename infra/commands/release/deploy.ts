/** `postern deploy`: deploys state, control plane, gates and front of an environment. */
import fs from "node:fs";
import path from "node:path";
import { consumersFile } from "../../compiler/check/shared-files.ts";
import { type Compiled, compile, manifestFiles } from "../../compiler/compile.ts";
import { type Emitted, emit } from "../../compiler/emit/emit.ts";
import { renderProblems } from "../../diagnostics/report.ts";
import { existing } from "../../diagnostics/schema-issues.ts";
import { afterDeploy } from "../../release/after-deploy.ts";
import { compiledAt } from "../../release/at-target.ts";
import { assertUnpublished } from "../../release/check-unpublished.ts";
import { buildSampleWorkers, createNamespaces } from "../../release/companions.ts";
import { kvNamespace } from "../../release/consumers/kv.ts";
import { signConsumers } from "../../release/consumers/sign.ts";
import { uploadConsumers } from "../../release/consumers/upload.ts";
import { byStage, deployAll, hasFailed, isRefused } from "../../release/deploy.ts";
import { deployGuard } from "../../release/deploy-guard.ts";
import { type DeployedWorker, hasRoutes } from "../../release/deploy-worker.ts";
import { findLeftovers, removeWorkers } from "../../release/leftovers.ts";
import { releasesOf } from "../../release/releases.ts";
import { rolloutKnowledge } from "../../release/rollout-knowledge.ts";
import { assertFit } from "../../release/sample-keys.ts";
import { localSecrets, secretsOf } from "../../release/secrets.ts";
import { environmentFor, flagOf, type Target, targetOf } from "../../release/target.ts";
import { parsePercent } from "../../terminal/arguments.ts";
import { keepOutput } from "../../terminal/log.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { openStages } from "../../terminal/stages.ts";
import { table } from "../../terminal/table.ts";
import { toOneLine } from "../../terminal/terminal.ts";

interface DeployCommandOptions {
  readonly root: string;
  readonly env?: string | undefined;
  readonly target: string | Target;
  readonly split: string;
  readonly message?: string | undefined;
  readonly prune?: true | undefined;
  /** Deploys over a running rollout, and versions that were taken back. */
  readonly force?: true | undefined;
  /** Versions that were taken back are deployed: a wave tries them again. */
  readonly retries?: true | undefined;
  readonly json?: true | undefined;
}

export const deploy = async (tiers: readonly string[], options: DeployCommandOptions): Promise<Outcome> => {
  const { root, message } = options;
  const target = targetOf(options.target);
  const split = parsePercent(options.split, "--split");
  const env = environmentFor(target, options.env);
  const stages = openStages({ quiet: options.json });
  stages.begin(`compile routes/ for ${env}, and bundle`);
  const compiled = compiledAt(compile(root, env), target);
  assertKnownNames(root, tiers);
  // Broken manifests of other tiers do not block a named tier; without names, all manifests must be valid.
  const problems = compiled.problems.filter(({ file }) => tiers.length === 0 || !isManifestOfOther(root, tiers, file));
  if (problems.length > 0) return { exitCode: 1, text: renderProblems(problems, compiled), data: { problems } };
  assertFit(root, compiled.environment, target);
  const selected = await selectWorkers(target, await emit(root, compiled), tiers);
  if (split < 100) refuseToSplitZones(selected);
  stages.begin(`list what is deployed on ${target.name}`);
  await prepare(target, root, compiled, selected, tiers.length === 0 || tiers.includes("consumers"));
  const secrets = localSecrets(root, env, compiled.environment.value.dev.secrets);
  const sampleWorkers =
    target.name === "local" ? await buildSampleWorkers(root, env, compiled.environment.value.dev.workers) : [];
  const all = [...(tiers.length === 0 ? sampleWorkers : []), ...selected];
  stages.begin(
    `upload what has changed of ${all.length} ${all.length === 1 ? "Worker" : "Workers"} to ${target.name}, by wrangler`,
  );
  let count = 0;
  // The table at the end has a line for each, so this is no list of them.
  const progress = (line: string) => stages.step(`${++count} of ${all.length}  ${toOneLine(line)}`);
  const guard = options.force
    ? undefined
    : deployGuard(rolloutKnowledge(root, compiled.environment, target), options.retries === true);
  const deployOptions = { target, split, message, secrets, guard, progress };
  const front = tiers.length === 0 ? selected.find(({ kind }) => kind === "front") : undefined;
  const results = [
    ...(await deployAll(tiers.length === 0 ? sampleWorkers : [], deployOptions)),
    ...(await deployAll(selected, deployOptions)),
  ];
  stages.end();
  const outcome = { target: target.name, environment: env, workers: results };
  // Leftovers are known and can be removed only after everything is deployed.
  if (results.some((it) => hasFailed(it) || isRefused(it)))
    return {
      exitCode: 3,
      text: deployText(results, target, root),
      data: { ...outcome, workers: results.map(({ output: _, ...it }) => it), left: [], pruned: false },
    };
  await assertUnpublished(
    target,
    selected.filter((it) => !hasRoutes(it)),
  );
  const after = await afterDeploy({ root, target, split, compiled, selected, results });
  const left = front ? await findLeftovers(target, front) : [];
  if (options.prune) await removeWorkers(target, left);
  return {
    exitCode: after.isFailed ? 3 : 0,
    text: deployText(results, target, root) + after.text + leftoversText(left, options.prune === true),
    data: { ...outcome, left, pruned: options.prune === true, ...after.data },
  };
};

/** Refuses to split a gate with `entry: zone`: nothing in front of it removes a client's version headers, so a client could choose its version. */
const refuseToSplitZones = (selected: readonly Emitted[]): void => {
  const zones = selected.filter((it) => it.kind === "gate" && hasRoutes(it)).map(({ worker }) => worker);
  if (zones.length > 0)
    throw new Error(
      `${zones.join(", ")}: a tier with \`entry: zone\` cannot be split: no front removes a client's Cloudflare-Workers-* headers or keeps a user on one version. Deploy without --split, or remove \`entry: zone\``,
    );
};

const leftoversText = (leftovers: readonly string[], pruned: boolean): string => {
  if (leftovers.length === 0) return "";
  const names = leftovers.join(", ");
  return pruned
    ? `removed: ${names}\n`
    : `the front no longer reaches: ${names}\nremove them when no rollback to an older front is needed: npx postern deploy --prune\n`;
};

/** Names besides tiers. `consumers` are the entries in KV with the hashes of API keys. */
const otherNames = ["front", "control", "consumers"];

const assertKnownNames = (root: string, tiers: readonly string[]): void => {
  const known = [...manifestFiles(root).map((file) => path.basename(file, ".yaml")), ...otherNames];
  for (const name of tiers)
    if (!known.includes(name))
      throw new Error(`there is no tier "${name}"; ${existing(name, known, "npx postern routes lists them")}`);
};

/** Whether the file is the manifest of a tier that is not selected. */
const isManifestOfOther = (root: string, tiers: readonly string[], file: string): boolean =>
  manifestFiles(root).includes(file) && !tiers.some((it) => [path.basename(file, ".yaml"), ...otherNames].includes(it));

const controlKinds: readonly Emitted["kind"][] = ["feed", "actuator", "control", "tail"];

/** Selects the Workers to deploy for the named tiers: gates, their state, and missing control-plane Workers. */
const selectWorkers = async (
  target: Target,
  emitted: readonly Emitted[],
  tiers: readonly string[],
): Promise<readonly Emitted[]> => {
  if (tiers.length === 0) return emitted.toSorted(byStage);
  const gates = emitted.filter(({ kind, tiers: served }) => kind === "gate" && served.some((it) => tiers.includes(it)));
  const states = emitted.filter(
    ({ kind, worker }) => kind === "state" && gates.some((gate) => gate.uses.includes(worker)),
  );
  const plane = emitted.filter((it) => controlKinds.includes(it.kind));
  const absent = await Promise.all(plane.map(async ({ worker }) => (await releasesOf(target, worker)) === undefined));
  return [
    ...states,
    // A gate cannot be bound to a missing Worker; existing ones are deployed with `control` or with everything.
    ...plane.filter((_, index) => tiers.includes("control") || absent[index]),
    ...gates,
    ...emitted.filter(({ kind }) => kind === "front" && tiers.includes("front")),
  ].toSorted(byStage);
};

/** Creates or checks what uploads need: KV namespaces, secrets, consumers. Runs first, so that no upload fails half way. */
const prepare = async (
  target: Target,
  root: string,
  { environment, consumers }: Compiled,
  selected: readonly Emitted[],
  withConsumers: boolean,
): Promise<void> => {
  const { kv, dev } = environment.value;
  const signed = withConsumers ? signConsumers(root, environment, consumers) : [];
  if (target.name === "local") await createNamespaces(target, environment.name, kv);
  const missing = await missingSecrets(target, root, environment.name, dev.secrets, selected);
  if (missing.length > 0)
    throw new Error(
      `secrets are missing; nothing was uploaded:\n${missing
        .map(
          ({ worker, name }) =>
            `  ${worker} needs ${name}: npx postern secrets set ${name} --env ${environment.name}${flagOf(target)}`,
        )
        .join("\n")}`,
    );
  // Without the file, the namespace is not managed by this project.
  if (withConsumers && kv.consumers !== undefined && fs.existsSync(path.join(root, consumersFile)))
    await uploadConsumers(kvNamespace(target, kv.consumers, path.join(root, ".build", environment.name)), signed, {
      environment: environment.name,
      signed: environment.value.consumers !== undefined,
    });
};

const missingSecrets = async (
  target: Target,
  root: string,
  env: string,
  samples: Readonly<Record<string, string>>,
  selected: readonly Emitted[],
) => {
  const secretStore = secretsOf(root, env, samples, target);
  const workersWithSecrets = selected.filter(({ secrets }) => secrets.length > 0);
  const found = await Promise.all(
    workersWithSecrets.map(async ({ worker, secrets }) => {
      const existing = await secretStore.names(worker);
      return secrets.filter((name) => !existing.includes(name)).map((name) => ({ worker, name }));
    }),
  );
  return found.flat();
};

const deployText = (results: readonly DeployedWorker[], { name }: Target, root: string): string => {
  const rows = results.map(({ worker, what, share, version, ms }) => [
    worker,
    what,
    `${share} %`,
    version?.slice(0, 8) ?? "",
    `${(ms / 1000).toFixed(1)} s`,
  ]);
  const workerTable = table(["worker", "what", "share", "version", "time"], rows);
  const failed = results.filter(hasFailed);
  const refused = results.filter(isRefused);
  const open = [...failed, ...refused];
  const changed = results.filter((it) => !open.includes(it) && it.what !== "unchanged").length;
  const summary =
    changed === 0 && open.length === 0
      ? `nothing has changed on ${name}`
      : `${changed} of ${results.length} Workers are new on ${name}`;
  if (open.length === 0) return `${workerTable}\n${summary}\n`;
  const reasons = open.map((it) => failureText(it, root));
  const remainder = [
    ...(refused.length > 0 ? [`${refused.length} refused`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed or were skipped; run the same command again to continue`] : []),
  ];
  return `${workerTable}\n${reasons.join("\n")}\n\n${[summary, ...remainder].join(", ")}\n`;
};

/** The cause and the remedy; all that wrangler printed is in a file. */
const failureText = ({ worker, why = "", remedy, output }: DeployedWorker, root: string): string => {
  const file = output === undefined ? undefined : keepOutput(root, worker, output);
  return [
    `${worker}: ${why.trim().replaceAll("\n", "\n  ")}`,
    ...(remedy === undefined ? [] : [`  ${remedy}`]),
    ...(file === undefined ? [] : [`  wrangler's output: ${file}`]),
  ].join("\n");
};
