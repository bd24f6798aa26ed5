/** Deploys one Worker to a target by wrangler: uploads its version unless it exists, and sets the version's share. */

import path from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Emitted } from "../compiler/emit/emit.ts";
import { accessOf } from "./api.ts";
import type { DeployGuard } from "./deploy-guard.ts";
import { missingGeneratedSecrets } from "./generated-secrets.ts";
import { configOf, tagOf } from "./publication.ts";
import { digestOf, type Releases, releasesOf, sharesOf, versionOf } from "./releases.ts";
import { secretsFor, withSecretsFile } from "./secrets-file.ts";
import type { Target } from "./target.ts";
import { wrangler } from "./wrangler.ts";

export interface DeployedWorker {
  readonly worker: string;
  /**
   * `unchanged`: the version was live already. `uploaded`: a new version. `deployed`: a version that was uploaded before.
   * `skipped`: a Worker that it is bound to failed, or too many others did. `refused`: a rollout has it, or the version was
   * taken back; it runs what it ran before.
   */
  readonly what: "unchanged" | "created" | "uploaded" | "deployed" | "failed" | "skipped" | "refused";
  /** Share of requests, in per cent; 0 if it failed, or was skipped or refused. */
  readonly share: number;
  readonly version?: string | undefined;
  readonly ms: number;
  /** Why it failed, or was skipped or refused. */
  readonly why?: string;
  readonly remedy?: string | undefined;
  /** What wrangler printed when it failed. */
  readonly output?: string;
}

export interface DeployOptions {
  readonly target: Target;
  /** Share of requests for a new version, in per cent; a Worker's first version gets all. */
  readonly split: number;
  readonly message?: string | undefined;
  /** Values of secrets to upload with the code; other secrets stay unchanged. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Absent if nothing is refused. */
  readonly guard?: DeployGuard | undefined;
  /** Called when a Worker is finished, with any outcome. */
  readonly progress: (line: string) => void;
}

/** @throws if wrangler fails or the version does not become live */
export const deployWorker = async (it: Emitted, options: DeployOptions): Promise<DeployedWorker> => {
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
  // The version already has all requests.
  if (releases && known && split < 100 && hasShare(releases, tag, 100)) return finish("unchanged", 100, known.id);
  const isLiveAlready = releases !== undefined && hasShare(releases, tag, split);
  const why =
    releases && !isLiveAlready && canBeSplit(it)
      ? await options.guard?.refusalOf(it, releases, known?.id, split)
      : undefined;
  if (why !== undefined) return { ...finish("refused", 0, known?.id), why };
  if (releases && known) {
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

/** Whether the build is deployed with exactly this share. One without a share is not deployed, not even at 0 %. */
const hasShare = (releases: Releases, tag: string, split: number): boolean => {
  const shares = sharesOf(releases).filter(({ version_id }) => digestOf(releases, version_id) === tag);
  return shares.length > 0 && shares.reduce((sum, { percentage }) => sum + percentage, 0) === split;
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
