/**
 * Brings what was built to a target, by wrangler: first what counts, then the gates, then the front that reaches them. What
 * runs there already is left alone, by the digest in the version's tag, so a deploy that was interrupted goes on where it was.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Emitted } from "../compiler/emit.ts";
import { configOf, tagOf } from "../dev/publication.ts";
import { digestOf, type Releases, releasesOf, sharesOf, versionOf } from "./releases.ts";
import type { Target } from "./target.ts";
import { wrangler } from "./wrangler.ts";

export interface Done {
  readonly worker: string;
  /** `unchanged`: it ran already. `uploaded`: a new version. `deployed`: one that was uploaded before. */
  readonly what: "unchanged" | "created" | "uploaded" | "deployed";
  /** Of the requests, in per cent. */
  readonly share: number;
  readonly version?: string | undefined;
  readonly ms: number;
}

export interface DeployOptions {
  readonly target: Target;
  /** What a new version gets of the requests, in per cent; a Worker's first version gets all. */
  readonly split: number;
  readonly message?: string | undefined;
  /** Values of secrets that are uploaded with the code; other secrets stay as they are. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly progress: (line: string) => void;
}

/** What is bound to goes before what is bound. */
export const stages: readonly Emitted["kind"][] = ["state", "gate", "front"];
/** Wrangler takes a processor for about a second a call. */
const atOnce = Math.max(2, os.availableParallelism());

/** @throws with the first that failed; those before it are done, and the same command goes on */
export const deployAll = async (workers: readonly Emitted[], options: DeployOptions): Promise<Done[]> => {
  const done: Done[] = [];
  for (const stage of stages) {
    const waiting = workers.filter(({ kind }) => kind === stage);
    const lane = async () => {
      for (let it = waiting.shift(); it; it = waiting.shift()) done.push(await deployOne(it, options));
    };
    const lanes = await Promise.allSettled(Array.from({ length: atOnce }, lane));
    const failed = lanes.find((it) => it.status === "rejected");
    if (failed) throw failed.reason;
  }
  const order = workers.map(({ worker }) => worker);
  return done.toSorted((a, b) => order.indexOf(a.worker) - order.indexOf(b.worker));
};

const deployOne = async (it: Emitted, options: DeployOptions): Promise<Done> => {
  const started = performance.now();
  const { target, progress, message } = options;
  const releases = await releasesOf(target, it.worker);
  const tag = tagOf(it);
  const config = ["-c", path.join(it.folder, "wrangler.json")];
  const finish = (what: Done["what"], share: number, version?: string): Done => {
    const done = { worker: it.worker, what, share, version, ms: Math.round(performance.now() - started) };
    progress(
      `${it.worker.padEnd(28)} ${what}${what === "unchanged" || share === 100 ? "" : `, ${share} %`}  ${done.ms} ms`,
    );
    return done;
  };
  // Migrations want a whole deployment, and so does whoever has nothing to split with.
  const split = it.kind === "state" || !releases || releases.deployments.length === 0 ? 100 : options.split;
  const known = releases && versionOf(releases, tag);
  if (releases && known) {
    const there = runs(releases, tag, split);
    if (!there) await setSplit(options, it.worker, releases, known.id, split);
    // Routes are no part of a version, and an interrupted deploy may not have come to them.
    if (hasRoutes(it) && split === 100) await wrangler(target, ["triggers", "deploy", ...config]);
    return finish(there ? "unchanged" : "deployed", split, known.id);
  }
  const described = [...config, "--tag", tag, ...(message ? ["--message", message] : [])];
  await withSecrets(it, options.secrets, async (file) => {
    const args = [...described, ...(file ? ["--secrets-file", file] : [])];
    await wrangler(target, split === 100 ? ["deploy", ...args] : ["versions", "upload", ...args]);
  });
  if (split === 100) return finish(releases ? "uploaded" : "created", 100);
  const after = (await releasesOf(target, it.worker)) as Releases;
  const uploaded = versionOf(after, tag);
  if (!uploaded) throw new Error(`${it.worker}: the version that was uploaded is not listed`);
  await setSplit(options, it.worker, after, uploaded.id, split);
  return finish("uploaded", split, uploaded.id);
};

/** The front has, and a gate that is entered by its zone. */
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

/** Values go by a file that only this user reads, and that is gone at once. */
const withSecrets = async (
  it: Emitted,
  values: Readonly<Record<string, string>>,
  use: (file: string | undefined) => Promise<void>,
): Promise<void> => {
  const own = it.secrets.filter((name) => Object.hasOwn(values, name));
  if (own.length === 0) return use(undefined);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  const file = path.join(folder, "secrets.json");
  try {
    fs.writeFileSync(file, JSON.stringify(Object.fromEntries(own.map((name) => [name, values[name]]))), {
      mode: 0o600,
    });
    await use(file);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
};
