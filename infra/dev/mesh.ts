/** Runs what was built in workerd: the front, the gates behind it, and Workers that upstreams name, wired as their wrangler configurations say. */
import fs from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { compatibilityDate } from "../compiler/platform.ts";
import type { Consumer } from "../compiler/surroundings.ts";

export interface MeshOptions {
  /** Folders of Workers, each with its `wrangler.json`; the first one is the front. */
  readonly workers: readonly Built[];
  /** Workers that are no gates: name → source file. */
  readonly others: Readonly<Record<string, string>>;
  readonly consumers: readonly Consumer[];
  /** Values of secrets, by name. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** The folder in which this process's other Workers, such as state, are found. */
  readonly registry?: string | undefined;
  /** Each line that a Worker wrote. */
  readonly log: (line: string) => void;
}

interface Built {
  readonly worker: string;
  readonly folder: string;
  /** Names of those that it is given. */
  readonly secrets: readonly string[];
}

export interface Mesh {
  /** Where the front answers. */
  readonly url: URL;
  /** Workers that threw at start, and why. The platform refuses such a version; here they answer with a fault. */
  readonly refused: Readonly<Record<string, string>>;
  readonly dispose: () => Promise<void>;
}

export const startMesh = async (options: MeshOptions): Promise<Mesh> => {
  const workers = [
    ...options.workers.map((it) => built(it, options.secrets ?? {})),
    ...(await Promise.all(Object.entries(options.others).map(([name, file]) => plain(name, file)))),
  ];
  // One Worker that throws at start keeps the whole process from starting, so it is taken out and the rest is tried again.
  const refused: Record<string, string> = {};
  for (;;) {
    const thrown: Record<string, string> = {};
    const mesh = deafToSignals(
      () =>
        new Miniflare(
          convertV4MiniflareOptions({
            cf: false,
            ...(options.registry !== undefined && { unsafeDevRegistryPath: options.registry }),
            workers: workers.map((it) =>
              refused[it.name as string] ? stub(it, refused[it.name as string] as string) : it,
            ),
            handleStructuredLogs: ({ message }) => {
              const [, name, reason] = /^service core:user:(\S+): (.*)/s.exec(message) ?? [];
              if (name !== undefined && reason !== undefined) thrown[name] = reason;
              else options.log(message);
            },
          }),
        ),
    );
    try {
      const url = await mesh.ready;
      await fillConsumers(mesh, workers, options.consumers);
      return { url, refused, dispose: () => mesh.dispose() };
    } catch (error) {
      await mesh.dispose().catch(() => {});
      if (Object.keys(thrown).every((name) => name in refused)) throw error;
      Object.assign(refused, thrown);
    }
  }
};

/** Miniflare would end the process at a signal. Who runs a mesh decides that; what it does at the process's exit stays. */
export const deafToSignals = <T>(make: () => T): T => {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const made = make();
  for (const [index, signal] of signals.entries())
    for (const listener of process.listeners(signal))
      if (!before[index]?.includes(listener)) process.off(signal, listener);
  return made;
};

type Worker = V4WorkerOptions;

export const built = (
  { worker, folder, secrets: names }: Built,
  values: Readonly<Record<string, string>> = {},
): Worker => {
  const config = path.join(folder, "wrangler.json");
  const { main = "", workerOptions } = quietly(() => unstable_getMiniflareWorkerOptions(config));
  const given = Object.fromEntries(names.flatMap((it) => (Object.hasOwn(values, it) ? [[it, values[it]]] : [])));
  return {
    ...workerOptions,
    // Wrangler would take a secret from the shell; here it is what has been set, or missing.
    bindings: { ...without((workerOptions as Worker).bindings ?? {}, names), ...given },
    name: worker,
    modulesRoot: folder,
    modules: [main, path.join(folder, "plan.js")]
      .filter((file) => fs.existsSync(file))
      .map((file) => ({ type: "ESModule" as const, path: file })),
  } as Worker;
};

/** Wrangler would warn of secrets that it does not find where it looks; they are given here. */
const quietly = <T>(read: () => T): T => {
  const { WRANGLER_LOG: before } = process.env;
  process.env.WRANGLER_LOG = "error";
  try {
    return read();
  } finally {
    if (before === undefined) delete process.env.WRANGLER_LOG;
    else process.env.WRANGLER_LOG = before;
  }
};

const without = <T>(all: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));

const plain = async (name: string, file: string): Promise<Worker> => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    logLevel: "silent",
  });
  return { name, modules: true, script: outputFiles[0]?.text ?? "", compatibilityDate } as Worker;
};

const stub = (worker: Worker, reason: string): Worker =>
  ({
    name: worker.name,
    compatibilityDate: worker.compatibilityDate,
    modules: true,
    script: `import { WorkerEntrypoint } from "cloudflare:workers";
const refused = () => { throw new Error(${JSON.stringify(`it threw at start: ${reason}`)}); };
export class Behind extends WorkerEntrypoint { fetch() { refused(); } }
export default { fetch: refused };`,
  }) as Worker;

const fillConsumers = async (
  mesh: Miniflare,
  workers: readonly Worker[],
  consumers: readonly Consumer[],
): Promise<void> => {
  const holder = workers.find((it) => it.kvNamespaces && Object.hasOwn(it.kvNamespaces, "CONSUMERS"));
  if (!holder) return;
  const namespace = await mesh.getKVNamespace("CONSUMERS", holder.name as string);
  for (const { key, value } of consumers) await namespace.put(key, value);
};
