/**
 * Brings what was built to a target, by wrangler: first what counts, then the gates, then the front that reaches them. What
 * runs there already is left alone, by the digest in the version's tag, so a deploy that was interrupted goes on where it was.
 */

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
  /**
   * `unchanged`: it ran already. `uploaded`: a new version. `deployed`: one that was uploaded before. `skipped`: what it needs
   * failed, or too much did.
   */
  readonly what: "unchanged" | "created" | "uploaded" | "deployed" | "failed" | "skipped";
  /** Of the requests, in per cent; 0 where it failed or was skipped. */
  readonly share: number;
  readonly version?: string | undefined;
  readonly ms: number;
  /** Why it failed or was skipped. */
  readonly why?: string;
}

export const hasFailed = ({ what }: Pick<DeployedWorker, "what">): boolean => what === "failed" || what === "skipped";

export interface DeployOptions {
  readonly target: Target;
  /** What a new version gets of the requests, in per cent; a Worker's first version gets all. */
  readonly split: number;
  readonly message?: string | undefined;
  /** Values of secrets that are uploaded with the code; other secrets stay as they are. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Called when a Worker is done with, in whatever way. */
  readonly progress: (line: string) => void;
}

/** What is bound to goes before what is bound. */
const stages: readonly (readonly Emitted["kind"][])[] = [
  ["state", "feed", "actuator"],
  ["control"],
  ["tail"],
  ["gate"],
  ["front"],
];

/** Whose place in a deploy comes first. */
export const byStage = (a: Pick<Emitted, "kind">, b: Pick<Emitted, "kind">): number => stageOf(a) - stageOf(b);

const stageOf = ({ kind }: Pick<Emitted, "kind">): number => stages.findIndex((kinds) => kinds.includes(kind));

/** Wrangler takes a processor for about a second a call, and some of memory; while it waits another one works. */
const concurrentUploads = Math.min(8, os.availableParallelism() + 1);
/** After so many failures one after the other, the fault is none of one Worker's. */
const maxFailuresInARow = 3;

/**
 * A route that gets a gate of its own goes there before its tier's gate lets go of it, and the front says where: so the
 * tier's gate comes last then. One that fails keeps back those that are bound to it and no others; the same command goes on.
 * @throws where nothing was uploaded
 */
export const deployAll = async (workers: readonly Emitted[], options: DeployOptions): Promise<DeployedWorker[]> => {
  // A platform that does not answer, or refuses the token, is said once.
  const [some] = workers;
  if (some && accessOf(options.target)) await releasesOf(options.target, some.worker);
  const losingRoute = await gatesLosingRoute(workers, options.target);
  const front = workers.some(({ kind }) => kind === "front");
  const [first] = losingRoute;
  if (first && !front)
    throw new Error(
      `a route of ${first.tiers[0]} gets a gate of its own, and the front has to know it: npx postern deploy ${first.tiers[0]} front`,
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

/** Gates of which a route is about to be lifted into one that the front does not reach yet. */
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
  // One that is new itself has nothing to lose.
  const releases = await Promise.all(tierGates.map(({ worker }) => releasesOf(target, worker)));
  return tierGates.filter((_, index) => releases[index] !== undefined);
};

/** What the live front is bound to; undefined where it is none of this deploy's. */
const servicesOfFront = async (target: Target, front: string | undefined): Promise<readonly string[] | undefined> => {
  if (front === undefined) return undefined;
  const releases = await releasesOf(target, front);
  const [live] = releases ? sharesOf(releases) : [];
  return live ? servicesOf(target, front, live.version_id) : [];
};

/** @param results what has been done before, and what is done here */
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

/** What failed may be there all the same, or in part. */
const deployOrReport = async (it: Emitted, options: DeployOptions): Promise<DeployedWorker> => {
  const { worker } = it;
  const started = performance.now();
  try {
    return await deployOne(it, options);
  } catch (error) {
    const releases = await releasesOf(options.target, worker).catch(() => undefined);
    const live = releases && sharesOf(releases).some(({ version_id }) => digestOf(releases, version_id) === tagOf(it));
    const why = `${(error as Error).message}${live ? "\nthe version is live all the same; its routes and addresses may not be as they should" : ""}`;
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
  // Migrations want a whole deployment, and so does whoever has nothing to split with.
  const split = !canBeSplit(it) || !releases || releases.deployments.length === 0 ? 100 : options.split;
  const known = releases && versionOf(releases, tag);
  if (releases && known) {
    // What has all requests already has nothing to be split with.
    if (split < 100 && hasShare(releases, tag, 100)) return finish("unchanged", 100, known.id);
    const isLiveAlready = hasShare(releases, tag, split);
    if (!isLiveAlready) await setSplit(options, it.worker, releases, known.id, split);
    // Routes are no part of a version, and an interrupted deploy may not have come to them.
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

/** The platform may show a deployment a little late. */
const pollIntervalMs = 500;
const maxPolls = 10;

/**
 * Reads back what wrangler says; two quick calls where there is a token, and left to wrangler's word where it would be asked itself.
 * @throws where it is not live
 */
const assertLive = async (target: Target, worker: string, tag: string): Promise<void> => {
  if (!accessOf(target)) return;
  for (let polls = 0; polls < maxPolls; polls++) {
    const releases = await releasesOf(target, worker);
    if (releases && hasShare(releases, tag, 100)) return;
    await setTimeout(pollIntervalMs);
  }
  throw new Error(`wrangler deploy ended well, but the version is not live`);
};

/** What owns objects is deployed whole, and what serves it along with it. */
const canBeSplit = ({ kind }: Emitted): boolean => kind === "gate" || kind === "front";

/** The front has, control, and a gate that is entered by its zone. */
export const hasRoutes = (it: Emitted): boolean => (configOf(it).routes ?? []).length > 0;

/** Whether what was built has just this share already. */
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
