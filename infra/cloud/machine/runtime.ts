/** Runs one workerd by Miniflare, and reports the versions that it refuses to start. */
import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import { startWorkerd } from "../../terminal/workerd.ts";
import type { WorkerVersion } from "./options.ts";
import { killMachine, machineEnvironment } from "./orphans.ts";
import { VersionStartupError } from "./startup-error.ts";

/** The isolates of a version, by the names of their services. */
export type VersionServices = WorkerVersion & { readonly names: readonly string[] };

export interface RuntimeOptions {
  /** Of the machine. */
  readonly id: string;
  readonly folder: string;
  /** Of all machines of the account. */
  readonly registry: string;
  readonly services: readonly VersionServices[];
  readonly workers: V4WorkerOptions[];
  readonly log: (line: string) => void;
  /** Aborts the start. */
  readonly signal: AbortSignal;
}

export interface Runtime {
  readonly urlOf: (service: string) => Promise<URL>;
  /** Whether workerd has ended by itself. */
  readonly hasCrashed: () => boolean;
  /** Ends it once, however often it is called. */
  readonly dispose: () => Promise<void>;
}

/** A machine that takes longer to start is given up. On a loaded computer a machine of two dozen Workers takes ten seconds. */
const maxStartMs = 60_000;
/** Miniflare may take so long to end workerd. Then the process is killed. */
const maxShutdownMs = 5000;

/** @throws VersionStartupError; another error if it does not start in time, or the start is aborted */
export const startRuntime = async (options: RuntimeOptions): Promise<Runtime> => {
  const startupErrors = new Map<string, string>();
  let crashed = false;
  const miniflare = createMiniflare(options, startupErrors, () => {
    crashed = true;
  });
  let disposing: Promise<void> | undefined;
  const dispose = () => {
    disposing ??= withTimeout(miniflare.dispose(), maxShutdownMs).catch(() => killMachine(options.folder, options.id));
    return disposing;
  };
  try {
    await withTimeout(miniflare.ready, maxStartMs, options.signal);
  } catch (error) {
    await dispose();
    throw startFailure(error, options, startupErrors);
  }
  return { urlOf: (service) => miniflare.unsafeGetDirectURL(service), hasCrashed: () => crashed, dispose };
};

const createMiniflare = (
  { id, folder, registry, services, workers, log }: RuntimeOptions,
  startupErrors: Map<string, string>,
  onCrash: () => void,
): Miniflare => {
  const handleLog = (message: string): void => {
    const [, name, reason] = /^service core:user:(\S+): (.*)/s.exec(message) ?? [];
    const service = name === undefined ? undefined : services.find(({ names }) => names.includes(name));
    if (name === undefined || reason === undefined) log(message);
    else if (service) startupErrors.set(service.version.id, withoutPaths(reason));
  };
  const options = {
    ...convertV4MiniflareOptions({
      cf: false,
      log: new Log(LogLevel.ERROR),
      unsafeDevRegistryPath: registry,
      unsafeHandleRuntimeRestart: onCrash,
      unsafeRuntimeEnv: machineEnvironment(folder, id),
      workers,
      handleStructuredLogs: ({ message }) => handleLog(message),
    }),
    unsafeEnableSharedStorage: true,
    resourcePersistencePath: path.join(folder, "shared"),
    isolatedResourcePersistencePath: path.join(folder, "objects"),
  };
  return startWorkerd(() => new Miniflare(options));
};

const startFailure = (
  error: unknown,
  { id, services, signal }: RuntimeOptions,
  startupErrors: ReadonlyMap<string, string>,
): unknown => {
  if (startupErrors.size > 0) return new VersionStartupError(startupErrors);
  const timeoutReason = error instanceof TimeoutError && `did not start within ${maxStartMs / 1000} s`;
  const [only] = services.length === 1 ? services : [];
  // A version that loops forever, or takes all memory, logs nothing.
  if (only && !signal.aborted)
    return new VersionStartupError(
      new Map([[only.version.id, `Error: it ${timeoutReason || "ended the runtime while it started"}`]]),
    );
  return timeoutReason ? new Error(`machine ${id} ${timeoutReason}`) : error;
};

class TimeoutError extends Error {}

/** @throws TimeoutError, or the signal's reason. The work itself goes on. */
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

/** Without paths of this computer. */
const withoutPaths = (reason: string): string =>
  reason.replace(/^Uncaught /, "").replaceAll(/file:\/\/\/\S*?(?=[\w.-]+:\d+)/g, "");
