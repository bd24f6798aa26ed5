/** One workerd that runs some versions, and the router by which they reach the others. */
import fs from "node:fs";
import path from "node:path";
import { type MachineContext, type WorkerVersion, workerOptions } from "./options.ts";
import { type RouterOptions, routerOptions } from "./router.ts";
import { type RouterClient, routerClient } from "./router-client.ts";
import type { VersionLocation } from "./routing-state.ts";
import { type Runtime, startRuntime, type VersionServices } from "./runtime.ts";

export interface Machine extends Omit<RouterClient, "ping"> {
  readonly id: string;
  readonly versions: readonly WorkerVersion[];
  /** Where other machines call it. */
  readonly address: string;
  /** By version. */
  readonly locations: ReadonlyMap<string, VersionLocation>;
  /** Base URLs of the isolates of a version, for requests from outside. */
  readonly urls: ReadonlyMap<string, readonly string[]>;
  /** Every user of one of its versions has a connection to one of these. */
  readonly ports: readonly number[];
  /** Rejects where workerd has ended by itself, also where Miniflare has restarted it: the new one has no routing state. */
  readonly checkAlive: () => Promise<void>;
  /** Ends the machine once, however often it is called. */
  readonly dispose: () => Promise<void>;
}

export interface MachineOptions extends Omit<MachineContext, "router">, RouterOptions {
  readonly isolates: number;
  /** Holds what all machines of an account share: `registry`, `shared` and `objects`. */
  readonly folder: string;
  /** Takes a line that a Worker logged. */
  readonly log: (line: string) => void;
  /** Aborts the start. */
  readonly signal: AbortSignal;
}

/** @throws VersionStartupError; another error if it does not start in time, or the start is aborted */
export const startMachine = async (options: MachineOptions): Promise<Machine> => {
  const { id, versions, folder, secret, log, signal } = options;
  // A stopped cloud starts no process, because none would end it.
  signal.throwIfAborted();
  const router = `router-${id}`;
  const services = versions.map((it) => ({ ...it, names: serviceNames(it, options) }));
  const context = { ...options, router };
  const registry = path.join(folder, "registry");
  fs.mkdirSync(registry, { recursive: true });
  const workers = [
    routerOptions(options, router),
    ...services.flatMap(({ worker, version, names }) =>
      names.map((name) => workerOptions(context, worker, version, name, options.ownsObjects)),
    ),
  ];
  const runtime = await startRuntime({ id, folder, registry, services, workers, log, signal });
  const address = debugPortAddressOf(registry, router);
  const { ping, ...client } = routerClient(id, await runtime.urlOf(router), secret);
  const urls = await versionUrls(runtime, services);
  return {
    ...{ id, versions, address, urls, dispose: runtime.dispose, ...client },
    locations: new Map(
      services.map(({ version, names }) => [
        version.id,
        { address, machine: id, services: names.map((name) => `core:user:${name}`) },
      ]),
    ),
    ports: [`http://${address}`, ...[...urls.values()].flat()].map((url) => Number(new URL(url).port)),
    checkAlive: () => (runtime.hasCrashed() ? Promise.reject(new Error(`machine ${id} has ended`)) : ping()),
  };
};

const versionUrls = async (runtime: Runtime, services: readonly VersionServices[]): Promise<Machine["urls"]> =>
  new Map(
    await Promise.all(
      services.map(async ({ version, names }) => {
        const urls = await Promise.all(names.map(runtime.urlOf));
        return [version.id, urls.map(({ href }) => href)] as const;
      }),
    ),
  );

/** One service for each isolate. Names are unique among all machines, which share one registry. */
const serviceNames = ({ worker, version }: WorkerVersion, { id, isolates, ownsObjects }: MachineOptions): string[] =>
  Array.from(
    { length: ownsObjects ? 1 : isolates },
    (_, index) => `${id}.${worker.name}.${version.id.slice(0, 8)}.${index}`,
  );

const debugPortAddressOf = (registry: string, router: string): string => {
  const entry = JSON.parse(fs.readFileSync(path.join(registry, router), "utf8")) as {
    readonly debugPortAddress: string;
  };
  return entry.debugPortAddress;
};
