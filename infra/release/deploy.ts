/**
 * Brings what was built to a target, by wrangler: first what counts, then the gates, then the front that reaches them. What
 * runs there already is left alone, by the digest in the version's tag, so a deploy that was interrupted goes on where it was.
 */
import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Emitted } from "../compiler/emit/emit.ts";
import { accessOf } from "./api.ts";
import { missingGenerated } from "./generated-secrets.ts";
import { configOf, tagOf } from "./publication.ts";
import { digestOf, type Releases, releasesOf, servicesOf, sharesOf, versionOf } from "./releases.ts";
import { ownOf, withSecrets } from "./secrets-file.ts";
import type { Target } from "./target.ts";
import { wrangler } from "./wrangler.ts";

export interface Done {
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

export const hasFailed = ({ what }: Pick<Done, "what">): boolean => what === "failed" || what === "skipped";

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
const atOnce = Math.min(8, os.availableParallelism() + 1);
/** After so many failures one after the other, the fault is none of one Worker's. */
const mostInARow = 3;

/**
 * A route that gets a gate of its own goes there before its tier's gate lets go of it, and the front says where: so the
 * tier's gate comes last then. One that fails keeps back those that are bound to it and no others; the same command goes on.
 * @throws where nothing was uploaded
 */
export const deployAll = async (workers: readonly Emitted[], options: DeployOptions): Promise<Done[]> => {
  // A platform that does not answer, or refuses the token, is said once.
  const [some] = workers;
  if (some && accessOf(options.target)) await releasesOf(options.target, some.worker);
  const losing = await losingRoutes(workers, options.target);
  const front = workers.some(({ kind }) => kind === "front");
  const [first] = losing;
  if (first && !front)
    throw new Error(
      `a route of ${first.tiers[0]} gets a gate of its own, and the front has to know it: npx postern deploy ${first.tiers[0]} front`,
    );
  const done: Done[] = [];
  const run = async (some: readonly Emitted[]) => void (await inLanes(some, options, done));
  for (const stage of stages) await run(workers.filter((it) => stage.includes(it.kind) && !losing.includes(it)));
  const [unreached] = done.filter((it) => hasFailed(it) && workers.some(frontNamed(it.worker)));
  if (unreached) done.push(...losing.map((it) => skipped(it, `${unreached.worker} was not deployed`)));
  else await run(losing);
  const order = workers.map(({ worker }) => worker);
  return done.toSorted((a, b) => order.indexOf(a.worker) - order.indexOf(b.worker));
};

const frontNamed =
  (name: string) =>
  ({ kind, worker }: Emitted): boolean =>
    kind === "front" && worker === name;

const skipped = ({ worker }: Emitted, why: string): Done => ({ worker, what: "skipped", share: 0, ms: 0, why });

/** Gates of which a route is about to be lifted into one that the front does not reach yet. */
const losingRoutes = async (workers: readonly Emitted[], target: Target): Promise<readonly Emitted[]> => {
  const lifted = workers.filter((it) => it.lifted);
  if (lifted.length === 0) return [];
  const reached = await reachedBy(target, workers.find(({ kind }) => kind === "front")?.worker);
  const there = await Promise.all(
    lifted.map(async ({ worker }) => reached?.includes(worker) ?? (await releasesOf(target, worker)) !== undefined),
  );
  const fresh = lifted.filter((_, index) => !there[index]).flatMap(({ tiers }) => tiers);
  const own = workers.filter((it) => it.kind === "gate" && !it.lifted && it.tiers.some((tier) => fresh.includes(tier)));
  // One that is new itself has nothing to lose.
  const known = await Promise.all(own.map(({ worker }) => releasesOf(target, worker)));
  return own.filter((_, index) => known[index] !== undefined);
};

/** What the live front is bound to; undefined where it is none of this deploy's. */
const reachedBy = async (target: Target, front: string | undefined): Promise<readonly string[] | undefined> => {
  if (front === undefined) return undefined;
  const releases = await releasesOf(target, front);
  const [live] = releases ? sharesOf(releases) : [];
  return live ? servicesOf(target, front, live.version_id) : [];
};

/** @param done what has been done before, and what is done here */
const inLanes = async (workers: readonly Emitted[], options: DeployOptions, done: Done[]): Promise<void> => {
  const waiting = [...workers];
  let inARow = 0;
  const lane = async () => {
    for (let it = waiting.shift(); it; it = waiting.shift()) {
      const missing = done.find((one) => hasFailed(one) && it?.uses.includes(one.worker));
      if (missing) done.push(skipped(it, `it is bound to ${missing.worker}`));
      else if (inARow >= mostInARow) done.push(skipped(it, `${mostInARow} before it failed, one after the other`));
      else {
        const one = await tried(it, options);
        inARow = hasFailed(one) ? inARow + 1 : 0;
        done.push(one);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
};

/** What failed may be there all the same, or in part. */
const tried = async (it: Emitted, options: DeployOptions): Promise<Done> => {
  const { worker } = it;
  const started = performance.now();
  try {
    return await deployOne(it, options);
  } catch (error) {
    const there = await releasesOf(options.target, worker).catch(() => undefined);
    const live = there && sharesOf(there).some(({ version_id }) => digestOf(there, version_id) === tagOf(it));
    const why = `${(error as Error).message}${live ? "\nthe version is live all the same; its routes and addresses may not be as they should" : ""}`;
    const ms = Math.round(performance.now() - started);
    options.progress(`${worker} failed`);
    return { worker, what: "failed", share: 0, ms, why };
  }
};

const deployOne = async (it: Emitted, options: DeployOptions): Promise<Done> => {
  const started = performance.now();
  const { target, progress, message } = options;
  const releases = await releasesOf(target, it.worker);
  const tag = tagOf(it);
  const config = ["-c", path.join(it.folder, "wrangler.json")];
  const finish = (what: Done["what"], share: number, version?: string): Done => {
    const done = { worker: it.worker, what, share, version, ms: Math.round(performance.now() - started) };
    progress(`${it.worker} ${what}`);
    return done;
  };
  // Migrations want a whole deployment, and so does whoever has nothing to split with.
  const split = !isSplit(it) || !releases || releases.deployments.length === 0 ? 100 : options.split;
  const known = releases && versionOf(releases, tag);
  if (releases && known) {
    // What has all requests already has nothing to be split with.
    if (split < 100 && runs(releases, tag, 100)) return finish("unchanged", 100, known.id);
    const there = runs(releases, tag, split);
    if (!there) await setSplit(options, it.worker, releases, known.id, split);
    // Routes are no part of a version, and an interrupted deploy may not have come to them.
    if (hasRoutes(it) && split === 100) await wrangler(target, ["triggers", "deploy", ...config]);
    return finish(there ? "unchanged" : "deployed", split, known.id);
  }
  const described = [...config, "--tag", tag, ...(message ? ["--message", message] : [])];
  const values = { ...ownOf(it, options.secrets), ...(await missingGenerated(it, releases !== undefined, target)) };
  await withSecrets(values, async (file) => {
    const args = [...described, ...(file ? ["--secrets-file", file] : [])];
    await wrangler(target, split === 100 ? ["deploy", ...args] : ["versions", "upload", ...args]);
  });
  if (split === 100) {
    await isLive(target, it.worker, tag);
    return finish(releases ? "uploaded" : "created", 100);
  }
  const after = (await releasesOf(target, it.worker)) as Releases;
  const uploaded = versionOf(after, tag);
  if (!uploaded) throw new Error(`${it.worker}: the version that was uploaded is not listed`);
  await setSplit(options, it.worker, after, uploaded.id, split);
  return finish("uploaded", split, uploaded.id);
};

/** The platform may show a deployment a little late. */
const lookMs = 500;
const mostLooks = 10;

/**
 * Reads back what wrangler says; two quick calls where there is a token, and left to wrangler's word where it would be asked itself.
 * @throws where it is not live
 */
const isLive = async (target: Target, worker: string, tag: string): Promise<void> => {
  if (!accessOf(target)) return;
  for (let looks = 0; looks < mostLooks; looks++) {
    const releases = await releasesOf(target, worker);
    if (releases && runs(releases, tag, 100)) return;
    await setTimeout(lookMs);
  }
  throw new Error(`wrangler deploy ended well, but the version is not live`);
};

/** What owns objects is deployed whole, and what serves it along with it. */
const isSplit = ({ kind }: Emitted): boolean => kind === "gate" || kind === "front";

/** The front has, control, and a gate that is entered by its zone. */
export const hasRoutes = (it: Emitted): boolean => (configOf(it).routes ?? []).length > 0;

/** Whether what was built has just this share already. */
const runs = (releases: Releases, tag: string, split: number): boolean => {
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
