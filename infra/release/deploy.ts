/** Deploys Workers by wrangler, in stages. One whose digest is live is left alone, so a deployment continues where it stopped. */

import os from "node:os";
import pLimit from "p-limit";
import type { Emitted } from "../compiler/emit/emit.ts";
import { accessOf } from "./api.ts";
import { type DeployedWorker, type DeployOptions, deployWorker } from "./deploy-worker.ts";
import { tagOf } from "./publication.ts";
import { digestOf, releasesOf, servicesOf, sharesOf } from "./releases.ts";
import type { Target } from "./target.ts";
import { WranglerError } from "./wrangler.ts";

export const hasFailed = ({ what }: Pick<DeployedWorker, "what">): boolean => what === "failed" || what === "skipped";

/** A refused Worker runs what it ran before, so those that are bound to it can be deployed. */
export const isRefused = ({ what }: Pick<DeployedWorker, "what">): boolean => what === "refused";

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
  const [failedFront] = results.filter(
    (it) => (hasFailed(it) || isRefused(it)) && workers.some(isFrontNamed(it.worker)),
  );
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
    return await deployWorker(it, options);
  } catch (error) {
    const releases = await releasesOf(options.target, worker).catch(() => undefined);
    const live = releases && sharesOf(releases).some(({ version_id }) => digestOf(releases, version_id) === tagOf(it));
    const why = `${(error as Error).message}${live ? "\nthe version is live all the same; check its routes and addresses" : ""}`;
    const ms = Math.round(performance.now() - started);
    options.progress(`${worker} failed`);
    const details = error instanceof WranglerError ? { remedy: error.remedy, output: error.output } : {};
    return { worker, what: "failed", share: 0, ms, why, ...details };
  }
};
