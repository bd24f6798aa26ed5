/** Deploys Workers by wrangler, in stages. One whose digest is live is left alone, so a deployment continues where it stopped. */

import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import pLimit from "p-limit";
import type { Emitted } from "../compiler/emit/emit.ts";
import { accessOf } from "./api.ts";
import { missingGeneratedSecrets } from "./generated-secrets.ts";
import { configOf, tagOf } from "./publication.ts";
import { digestOf, type Releases, releasesOf, servicesOf, sharesOf, versionOf } from "./releases.ts";
import { secretsFor, withSecretsFile } from "./secrets-file.ts";
import type { Target } from "./target.ts";
import { wrangler } from "./wrangler.ts";

export interface DeployedWorker {
  readonly worker: string;
  /** `unchanged`: already live. `uploaded`: a new version. `deployed`: an earlier upload. `skipped`: too much failed before it. */
  readonly what: "unchanged" | "created" | "uploaded" | "deployed" | "failed" | "skipped";
  /** Share of requests, in per cent; 0 if it failed or was skipped. */
  readonly share: number;
  readonly version?: string | undefined;
  readonly ms: number;
  /** Why it failed or was skipped. */
  readonly why?: string;
}

export const hasFailed = ({ what }: Pick<DeployedWorker, "what">): boolean => what === "failed" || what === "skipped";

export interface DeployOptions {
  readonly target: Target;
  /** Share of requests for a new version, in per cent; a Worker's first version gets all. */
  readonly split: number;
  readonly message?: string | undefined;
  /** Values of secrets to upload with the code; other secrets stay unchanged. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Called when a Worker is done with, in whatever way. */
  readonly progress: (line: string) => void;
}

/** Deployment order: a Worker is deployed before those that are bound to it. */
const stages: readonly (readonly Emitted["kind"][])[] = [
  ["state", "feed", "actuator"],
  ["control"],
  ["tail"],
  ["gate"],
  ["front"],
];

/** Compares Workers by deployment stage. */
export const byStage = (a: Pick<Emitted, "kind">, b: Pick<Emitted, "kind">): number => stageOf(a) - stageOf(b);

const stageOf = ({ kind }: Pick<Emitted, "kind">): number => stages.findIndex((kinds) => kinds.includes(kind));

/** A wrangler call takes about a second of CPU; one more call than CPUs uses the time it waits. */
const concurrentUploads = Math.min(8, os.availableParallelism() + 1);
/** After so many consecutive failures, the cause is not a single Worker. */
const maxFailuresInARow = 3;

/**
 * Uploads Workers in the order of their bindings. When a route moves to a gate of its own, its tier's gate is uploaded last,
 * after the front: the front routes to the new gate before the old one drops the route. If an upload fails, only the Workers
 * that are bound to it are skipped; running the same command again continues.
 * @throws if nothing was uploaded
 */
export const deployAll = async (workers: readonly Emitted[], options: DeployOptions): Promise<DeployedWorker[]> => {
  // Fails early, with one message, if the platform does not answer or rejects the token.
  const [some] = workers;
  if (some && accessOf(options.target)) await releasesOf(options.target, some.worker);
  const losingRoute = await gatesLosingRoute(workers, options.target);
  const front = workers.some(({ kind }) => kind === "front");
  const [first] = losingRoute;
  if (first && !front)
    throw new Error(
      `a route of ${first.tiers[0]} gets its own gate, so the front must be deployed too: npx postern deploy ${first.tiers[0]} front`,
    );
  const results: DeployedWorker[] = [];
  const deployStage = async (some: readonly Emitted[]) => void (await deployConcurrently(some, options, results));
  for (const stage of stages)
    await deployStage(workers.filter((it) => stage.includes(it.kind) && !losingRoute.includes(it)));
  const [failedFront] = results.filter((it) => hasFailed(it) && workers.some(isFrontNamed(it.worker)));
  if (failedFront) results.push(...losingRoute.map((it) => skipped(it, `${failedFront.worker} was not deployed`)));
  else await deployStage(losingRoute);
  const order = workers.map(({ worker }) => worker);
  return results.toSorted((a, b) => order.indexOf(a.worker) - order.indexOf(b.worker));
};

const isFrontNamed =
  (name: string) =>
  ({ kind, worker }: Emitted): boolean =>
    kind === "front" && worker === name;

const skipped = ({ worker }: Emitted, why: string): DeployedWorker => ({
  worker,
  what: "skipped",
  share: 0,
  ms: 0,
  why,
});

/** Gates that lose a route to a new gate, which the front does not reach yet. */
const gatesLosingRoute = async (workers: readonly Emitted[], target: Target): Promise<readonly Emitted[]> => {
  const lifted = workers.filter((it) => it.lifted);
  if (lifted.length === 0) return [];
  const reachable = await servicesOfFront(target, workers.find(({ kind }) => kind === "front")?.worker);
  const exists = await Promise.all(
    lifted.map(async ({ worker }) => reachable?.includes(worker) ?? (await releasesOf(target, worker)) !== undefined),
  );
  const tiersWithNewGate = lifted.filter((_, index) => !exists[index]).flatMap(({ tiers }) => tiers);
  const tierGates = workers.filter(
    (it) => it.kind === "gate" && !it.lifted && it.tiers.some((tier) => tiersWithNewGate.includes(tier)),
  );
  // A new gate has no route to lose.
  const releases = await Promise.all(tierGates.map(({ worker }) => releasesOf(target, worker)));
  return tierGates.filter((_, index) => releases[index] !== undefined);
};

/** Workers that the live front is bound to; undefined if this deployment has no front. */
const servicesOfFront = async (target: Target, front: string | undefined): Promise<readonly string[] | undefined> => {
  if (front === undefined) return undefined;
  const releases = await releasesOf(target, front);
  const [live] = releases ? sharesOf(releases) : [];
  return live ? servicesOf(target, front, live.version_id) : [];
};

/** @param results of earlier stages; this function appends to them */
const deployConcurrently = async (
  workers: readonly Emitted[],
  options: DeployOptions,
  results: DeployedWorker[],
): Promise<void> => {
  let inARow = 0;
  await pLimit(concurrentUploads).map(workers, async (it) => {
    const missing = results.find((result) => hasFailed(result) && it.uses.includes(result.worker));
    if (missing) return void results.push(skipped(it, `it is bound to ${missing.worker}`));
    if (inARow >= maxFailuresInARow)
      return void results.push(skipped(it, `${maxFailuresInARow} before it failed, one after the other`));
    const result = await deployOrReport(it, options);
    inARow = hasFailed(result) ? inARow + 1 : 0;
    results.push(result);
  });
};

/** Deploys a Worker and reports a failure as a result. A failed Worker may be live all the same, or in part. */
const deployOrReport = async (it: Emitted, options: DeployOptions): Promise<DeployedWorker> => {
  const { worker } = it;
  const started = performance.now();
  try {
    return await deployOne(it, options);
  } catch (error) {
    const releases = await releasesOf(options.target, worker).catch(() => undefined);
    const live = releases && sharesOf(releases).some(({ version_id }) => digestOf(releases, version_id) === tagOf(it));
    const why = `${(error as Error).message}${live ? "\nthe version is live all the same; check its routes and addresses" : ""}`;
    const ms = Math.round(performance.now() - started);
    options.progress(`${worker} failed`);
    return { worker, what: "failed", share: 0, ms, why };
  }
};

const deployOne = async (it: Emitted, options: DeployOptions): Promise<DeployedWorker> => {
  const started = performance.now();
  const { target, progress, message } = options;
  const releases = await releasesOf(target, it.worker);
  const tag = tagOf(it);
  const config = ["-c", path.join(it.folder, "wrangler.json")];
  const finish = (what: DeployedWorker["what"], share: number, version?: string): DeployedWorker => {
    const done = { worker: it.worker, what, share, version, ms: Math.round(performance.now() - started) };
    progress(`${it.worker} ${what}`);
    return done;
  };
  // Migrations and a Worker's first version need a full deployment.
  const split = !canBeSplit(it) || !releases || releases.deployments.length === 0 ? 100 : options.split;
  const known = releases && versionOf(releases, tag);
  if (releases && known) {
    // The version already has all requests.
    if (split < 100 && hasShare(releases, tag, 100)) return finish("unchanged", 100, known.id);
    const isLiveAlready = hasShare(releases, tag, split);
    if (!isLiveAlready) await setSplit(options, it.worker, releases, known.id, split);
    // Routes are not part of a version; an interrupted deployment may have missed them.
    if (hasRoutes(it) && split === 100) await wrangler(target, ["triggers", "deploy", ...config]);
    return finish(isLiveAlready ? "unchanged" : "deployed", split, known.id);
  }
  const uploadArguments = [...config, "--tag", tag, ...(message ? ["--message", message] : [])];
  const values = {
    ...secretsFor(it, options.secrets),
    ...(await missingGeneratedSecrets(it, releases !== undefined, target)),
  };
  await withSecretsFile(values, async (file) => {
    const args = [...uploadArguments, ...(file ? ["--secrets-file", file] : [])];
    await wrangler(target, split === 100 ? ["deploy", ...args] : ["versions", "upload", ...args]);
  });
  if (split === 100) {
    await assertLive(target, it.worker, tag);
    return finish(releases ? "uploaded" : "created", 100);
  }
  const after = (await releasesOf(target, it.worker)) as Releases;
  const uploaded = versionOf(after, tag);
  if (!uploaded) throw new Error(`${it.worker}: the version that was uploaded is not listed`);
  await setSplit(options, it.worker, after, uploaded.id, split);
  return finish("uploaded", split, uploaded.id);
};

/** The platform may list a deployment late. */
const pollIntervalMs = 500;
const maxPolls = 10;

/**
 * Verifies with the REST API that the version is live. Skipped without a token.
 * @throws if it is not live
 */
const assertLive = async (target: Target, worker: string, tag: string): Promise<void> => {
  if (!accessOf(target)) return;
  for (let polls = 0; polls < maxPolls; polls++) {
    const releases = await releasesOf(target, worker);
    if (releases && hasShare(releases, tag, 100)) return;
    await setTimeout(pollIntervalMs);
  }
  throw new Error(`wrangler deploy succeeded, but the version is not live`);
};

/** Only gates and the front can be split; Workers with Durable Objects are deployed at 100 %. */
const canBeSplit = ({ kind }: Emitted): boolean => kind === "gate" || kind === "front";

/** Whether the Worker has routes of its own: the front, control, and a gate with `entry: zone`. */
export const hasRoutes = (it: Emitted): boolean => (configOf(it).routes ?? []).length > 0;

/** Whether the build already has exactly this share. */
const hasShare = (releases: Releases, tag: string, split: number): boolean => {
  const share = sharesOf(releases)
    .filter(({ version_id }) => digestOf(releases, version_id) === tag)
    .reduce((sum, { percentage }) => sum + percentage, 0);
  return share === split;
};

const setSplit = async (
  { target, message }: DeployOptions,
  worker: string,
  releases: Releases,
  version: string,
  split: number,
): Promise<void> => {
  const stable = sharesOf(releases).find(({ version_id }) => version_id !== version);
  const shares =
    split === 100 || !stable ? [`${version}@100`] : [`${stable.version_id}@${100 - split}`, `${version}@${split}`];
  const why = message ? ["--message", message] : [];
  await wrangler(target, ["versions", "deploy", ...shares, "--name", worker, "-y", ...why]);
};
