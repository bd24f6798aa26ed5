/** One workerd that holds some versions, and the router by which they reach the others. */
import fs from "node:fs";
import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import { startWorkerd } from "../../terminal/workerd.ts";
import { type MachineContext, type WorkerVersion, workerOptions } from "./options.ts";
import { killMachine, machineEnvironment } from "./orphans.ts";
import { type RouterOptions, routerOptions } from "./router.ts";
import type { RoutingState, VersionLocation } from "./routing-state.ts";

export interface Machine {
  readonly id: string;
  readonly versions: readonly WorkerVersion[];
  /** Where it takes calls of other machines. */
  readonly address: string;
  /** By version. */
  readonly places: ReadonlyMap<string, VersionLocation>;
  /** Where isolates of a version take requests from outside: base URLs. */
  readonly urls: ReadonlyMap<string, readonly string[]>;
  /** Whoever uses one of its versions is connected to one of these. */
  readonly ports: readonly number[];
  readonly update: (state: RoutingState) => Promise<void>;
  /** Rejects where workerd has ended without being asked to, also where Miniflare started it anew: it knows nothing then. */
  readonly checkAlive: () => Promise<void>;
  /** Resolves when no call to this Worker's objects is under way. */
  readonly whenObjectsIdle: (worker: string) => Promise<void>;
  /**
   * The runtime's KV, in its own protocol.
   * @param target key and query: `/<key>?urlencoded=true`
   */
  readonly kv: (namespace: string, target: string, init?: RequestInit) => Promise<Response>;
  /** Once, however often and from wherever it is called. */
  readonly dispose: () => Promise<void>;
}

export interface MachineOptions extends Omit<MachineContext, "router">, RouterOptions {
  readonly isolates: number;
  /** What all machines of an account share: `registry`, `shared` and `objects`. */
  readonly folder: string;
  /** A line that a Worker wrote. */
  readonly log: (line: string) => void;
  /** Ends it while it starts. */
  readonly signal: AbortSignal;
}

/** A machine that takes longer to start does not come to be; loaded with other work, one of two dozen Workers takes ten. */
const maxStartMs = 60_000;
/** It answers within milliseconds, and after five seconds where calls to objects are under way. */
const maxResponseMs = 15_000;
/** Miniflare is given so long to end it; then its process is killed. */
const maxShutdownMs = 5000;

/** A version that the runtime refuses to start, and why. */
export class VersionStartupError extends Error {
  /** By version. */
  readonly reasons: ReadonlyMap<string, string>;
  constructor(reasons: ReadonlyMap<string, string>) {
    super([...reasons.values()].join("\n"));
    this.reasons = reasons;
  }
}

/** @throws StartupError; another error where it does not start in time, or is ended meanwhile */
export const startMachine = async (options: MachineOptions): Promise<Machine> => {
  const { id, versions, folder, secret } = options;
  // Whoever is still at work when the cloud is stopped starts nothing that nobody would end.
  options.signal.throwIfAborted();
  const router = `router-${id}`;
  const services = versions.map((it) => ({ ...it, names: serviceNames(it, options) }));
  const context = { ...options, router };
  const registry = path.join(folder, "registry");
  fs.mkdirSync(registry, { recursive: true });
  let crashed = false;
  const startupErrors = new Map<string, string>();
  const workers: V4WorkerOptions[] = [
    routerOptions(options, router),
    ...services.flatMap(({ worker, version, names }) =>
      names.map((name) => workerOptions(context, worker, version, name, options.ownsObjects)),
    ),
  ];
  const miniflare = startWorkerd(
    () =>
      new Miniflare({
        ...convertV4MiniflareOptions({
          cf: false,
          log: new Log(LogLevel.ERROR),
          unsafeDevRegistryPath: registry,
          unsafeHandleRuntimeRestart: () => {
            crashed = true;
          },
          unsafeRuntimeEnv: machineEnvironment(folder, id),
          workers,
          handleStructuredLogs: ({ message }) => {
            const [, name, reason] = /^service core:user:(\S+): (.*)/s.exec(message) ?? [];
            if (name === undefined || reason === undefined) return options.log(message);
            const service = services.find(({ names }) => names.includes(name));
            if (service) startupErrors.set(service.version.id, withoutPaths(reason));
            return undefined;
          },
        }),
        unsafeEnableSharedStorage: true,
        resourcePersistencePath: path.join(folder, "shared"),
        isolatedResourcePersistencePath: path.join(folder, "objects"),
      }),
  );
  let disposing: Promise<void> | undefined;
  const dispose = () => {
    disposing ??= withTimeout(miniflare.dispose(), maxShutdownMs).catch(() => killMachine(folder, id));
    return disposing;
  };
  try {
    await withTimeout(miniflare.ready, maxStartMs, options.signal);
  } catch (error) {
    await dispose();
    if (startupErrors.size > 0) throw new VersionStartupError(startupErrors);
    const timeoutReason = error instanceof TimeoutError && `did not start within ${maxStartMs / 1000} s`;
    const [only] = versions.length === 1 ? versions : [];
    // One that goes round in circles, or takes all memory, says nothing.
    if (only && !options.signal.aborted)
      throw new VersionStartupError(
        new Map([[only.version.id, `Error: it ${timeoutReason || "ended the runtime while it started"}`]]),
      );
    throw timeoutReason ? new Error(`machine ${id} ${timeoutReason}`) : error;
  }
  const address = debugPortAddressOf(registry, router);
  const port = await miniflare.unsafeGetDirectURL(router);
  const callRouter = async (what: string, body?: string) => {
    const response = await fetch(new URL(what, port), {
      method: "POST",
      headers: { authorization: secret },
      body: body ?? null,
      signal: AbortSignal.timeout(maxResponseMs),
    });
    if (!response.ok) throw new Error(`the router of machine ${id} answers ${response.status}`);
    await response.arrayBuffer();
  };
  const urls = await Promise.all(
    services.map(async ({ version, names }) => {
      const found = await Promise.all(names.map((name) => miniflare.unsafeGetDirectURL(name)));
      return [version.id, found.map(({ href }) => href)] as const;
    }),
  );
  return {
    id,
    versions,
    address,
    places: new Map(
      services.map(({ version, names }) => [
        version.id,
        { address, machine: id, services: names.map((name) => `core:user:${name}`) },
      ]),
    ),
    urls: new Map(urls),
    ports: [`http://${address}`, ...urls.flatMap(([, found]) => found)].map((url) => Number(new URL(url).port)),
    update: (state) => callRouter("/table", JSON.stringify(state)),
    checkAlive: () => (crashed ? Promise.reject(new Error(`machine ${id} has ended`)) : callRouter("/quiet/")),
    whenObjectsIdle: (worker) => callRouter(`/quiet/${encodeURIComponent(worker)}`),
    kv: (namespace, target, init) =>
      fetch(new URL(`/kv/${namespace}${target}`, port), {
        ...init,
        headers: { ...(init?.headers as Record<string, string>), authorization: secret },
      }),
    dispose,
  };
};

class TimeoutError extends Error {}

/** @throws Late, or the signal's reason; what becomes of the work then is nobody's business */
const withTimeout = async <T>(work: Promise<T>, ms: number, signal?: AbortSignal): Promise<T> => {
  work.catch(() => {});
  signal?.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimeoutError()), ms);
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
};

/** One service an isolate; their names are unique among all machines, since the registry is one. */
const serviceNames = (
  { worker, version }: WorkerVersion,
  { id, isolates, ownsObjects: home }: MachineOptions,
): string[] =>
  Array.from({ length: home ? 1 : isolates }, (_, index) => `${id}.${worker.name}.${version.id.slice(0, 8)}.${index}`);

const debugPortAddressOf = (registry: string, router: string): string => {
  const entry = JSON.parse(fs.readFileSync(path.join(registry, router), "utf8")) as {
    readonly debugPortAddress: string;
  };
  return entry.debugPortAddress;
};

/** Without paths of this machine. */
const withoutPaths = (reason: string): string =>
  reason.replace(/^Uncaught /, "").replaceAll(/file:\/\/\/\S*?(?=[\w.-]+:\d+)/g, "");
