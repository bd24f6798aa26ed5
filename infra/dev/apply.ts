/** Applies a build to a local cloud: state, gates, front, and Workers that upstreams name. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import * as esbuild from "esbuild";
import type { Worker } from "../cloud/account/account.ts";
import { WorkerStartupError } from "../cloud/account/api-errors.ts";
import { secretBindings } from "../cloud/account/bindings.ts";
import type { Publication } from "../cloud/account/publish.ts";
import type { Cloud } from "../cloud/cloud.ts";
import type { Consumer } from "../compiler/check/shared-files.ts";
import type { Emitted } from "../compiler/emit/emit.ts";
import { compatibilityDate } from "../compiler/lower/platform.ts";
import { byStage } from "../release/deploy.ts";
import { generateSecrets } from "../release/generated-secrets.ts";
import { configOf, publicationOf, tagOf } from "../release/publication.ts";

export interface DesiredState {
  readonly emitted: readonly Emitted[];
  /** Workers that upstreams name: name → source file. */
  readonly extraWorkers: Readonly<Record<string, string>>;
  readonly consumers: readonly Consumer[];
  /** Ids of KV namespaces by name. */
  readonly namespaces: Readonly<Record<string, string>>;
  /** Values of secrets, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Share of the requests that an edit of a running Worker receives, in per cent. */
  readonly split: number;
}

export interface ApplyResult {
  /** Workers with a new version. */
  readonly changed: readonly string[];
  /** Workers that threw at start, and why. Their versions before stay live. */
  readonly refused: Readonly<Record<string, string>>;
}

/** Makes the cloud run this state and nothing else. Only changes are uploaded. */
export const applyState = async ({ control, fleet }: Cloud, desired: DesiredState): Promise<ApplyResult> => {
  for (const [title, id] of Object.entries(desired.namespaces))
    if (!control.account().namespaces.has(id)) await control.addNamespace(title, id);
  await writeConsumers(fleet, desired);

  const before = control.account().workers;
  const refused: Record<string, string> = {};
  const extraWorkers = await Promise.all(
    Object.entries(desired.extraWorkers).map(([name, file]) => bundleExtraWorker(name, file)),
  );
  const inOrder = desired.emitted.toSorted(byStage);
  for (;;) {
    const names = new Set([...extraWorkers.map(({ worker }) => worker), ...inOrder.map(({ worker }) => worker)]);
    const exists = (worker: string) => before.has(worker) || (names.has(worker) && refused[worker] === undefined);
    const built = inOrder.map((it) =>
      publicationOf(it, {
        secrets: { ...desired.secrets, ...generatedSecrets(it, before.get(it.worker)) },
        migrationTag: before.get(it.worker)?.migrationTag,
        exists,
      }),
    );
    const changed = [...extraWorkers, ...built].filter(
      (it) => refused[it.worker] === undefined && !isUnchanged(before.get(it.worker), it),
    );
    try {
      await control.publish(
        changed.map((it) => ({ ...it, deploy: takesAllTraffic(before.get(it.worker), it, desired.split) })),
      );
      await splitTraffic(control, before, changed, desired.split);
      await setRoutesAndPrune(control, inOrder, names);
      return { changed: changed.map(({ worker }) => worker), refused };
    } catch (error) {
      if (!(error instanceof WorkerStartupError) || error.reasons.size === 0) throw error;
      Object.assign(refused, Object.fromEntries(error.reasons));
    }
  }
};

const newest = ({ versions }: Worker) => versions.at(-1);

/** Values of generated secrets: those of the version before, as a deploy would keep them. */
const generatedSecrets = (
  { generated: names }: Emitted,
  worker: Worker | undefined,
): Readonly<Record<string, string>> => {
  const before = secretBindings((worker && newest(worker)?.bindings) ?? []).filter(({ name }) => names.includes(name));
  return { ...generateSecrets(names), ...Object.fromEntries(before.map(({ name, text }) => [name, text])) };
};

/** Whether the newest version has the same code, settings and secrets. */
const isUnchanged = (worker: Worker | undefined, { upload: { metadata } }: Publication): boolean => {
  const version = worker && newest(worker);
  return (
    version?.annotations["workers/tag"] === metadata.annotations["workers/tag"] &&
    // A stored binding has its keys in another order.
    isDeepStrictEqual(version?.bindings, metadata.bindings)
  );
};

/** A new Worker, or one whose objects change, has no version to split with. */
const takesAllTraffic = (worker: Worker | undefined, { upload }: Publication, split: number): boolean =>
  split >= 100 || worker?.deployments[0] === undefined || upload.metadata.migrations !== undefined;

/** The version with most requests keeps those that the new one does not receive. */
const splitTraffic = async (
  control: Cloud["control"],
  before: ReadonlyMap<string, Worker>,
  changed: readonly Publication[],
  split: number,
): Promise<void> => {
  for (const it of changed) {
    const worker = before.get(it.worker);
    if (takesAllTraffic(worker, it, split)) continue;
    const [stable] = (worker?.deployments[0]?.versions ?? []).toSorted((a, b) => b.percentage - a.percentage);
    const fresh = newest(control.worker(it.worker));
    if (!stable || !fresh) continue;
    const shares = [
      { version_id: stable.version_id, percentage: 100 - split },
      { version_id: fresh.id, percentage: split },
    ];
    await control.deploy(it.worker, shares, {}, true);
  }
};

/** The front receives requests for every host. Workers that are no longer wanted are removed. */
const setRoutesAndPrune = async (
  control: Cloud["control"],
  emitted: readonly Emitted[],
  names: ReadonlySet<string>,
): Promise<void> => {
  for (const it of emitted) {
    const patterns = [
      ...(configOf(it).routes ?? []).map(({ pattern }) => pattern),
      ...(it.kind === "front" ? ["*/*"] : []),
    ];
    const worker = control.account().workers.get(it.worker);
    if (worker && worker.routes.map(({ pattern }) => pattern).join() !== patterns.join())
      await control.changeSettings(it.worker, {
        routes: patterns.map((pattern, index) => ({ id: String(index), pattern })),
      });
  }
  for (const name of control.account().workers.keys()) if (!names.has(name)) await control.remove(name, true);
};

const bundleExtraWorker = async (worker: string, file: string): Promise<Publication> => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    logLevel: "silent",
  });
  const content = outputFiles[0]?.contents ?? new Uint8Array();
  return {
    worker,
    deploy: true,
    upload: {
      modules: [{ name: "worker.js", type: "ESModule", content }],
      metadata: {
        main_module: "worker.js",
        compatibility_date: compatibilityDate,
        compatibility_flags: [],
        bindings: [],
        keep_bindings: [],
        annotations: { "workers/tag": tagOf({ digest: createHash("sha256").update(content).digest("hex") }) },
        limits: {},
      },
    },
  };
};

/** A key that has left the file is deleted, as a deployment would. */
const writeConsumers = async (fleet: Cloud["fleet"], { consumers, namespaces }: DesiredState): Promise<void> => {
  const id = namespaces.consumers;
  if (id === undefined) return;
  const callKv = async (what: string, init?: RequestInit): Promise<string> => {
    const response = await fleet.kv(id, `/${what}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`the consumers could not be stored: ${text}`);
    return text;
  };
  const keyPath = (key: string) => `${encodeURIComponent(key)}?urlencoded=true`;
  await Promise.all(consumers.map(({ key, value }) => callKv(keyPath(key), { method: "PUT", body: value })));
  const wantedKeys = new Set(consumers.map(({ key }) => key));
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const listed = JSON.parse(await callKv(`?prefix=key%2F&cursor=${encodeURIComponent(cursor)}`)) as KeyPage;
    const removedKeys = listed.keys.filter(({ name }) => !wantedKeys.has(name));
    await Promise.all(removedKeys.map(({ name }) => callKv(keyPath(name), { method: "DELETE" })));
    cursor = listed.cursor || undefined;
  }
};

interface KeyPage {
  readonly keys: readonly { readonly name: string }[];
  /** Cursor of the next page, where there is one. */
  readonly cursor?: string;
}
