/** One workerd that holds some versions, and the router by which they reach the others. */
import fs from "node:fs";
import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import { deafToSignals } from "../../signals.ts";
import { markOf } from "../orphans.ts";
import { type Held, optionsOf, type Surroundings } from "./options.ts";
import { type RouterOptions, routerOptions } from "./router.ts";
import type { Place, Table } from "./table.ts";

export interface Machine {
  readonly id: string;
  readonly holds: readonly Held[];
  /** Where it takes calls of other machines. */
  readonly address: string;
  /** By version. */
  readonly places: ReadonlyMap<string, Place>;
  /** Where isolates of a version take requests from outside: base URLs. */
  readonly urls: ReadonlyMap<string, readonly string[]>;
  /** Whoever uses one of its versions is connected to one of these. */
  readonly ports: readonly number[];
  readonly tell: (table: Table) => Promise<void>;
  /** Rejects where workerd has ended without being asked to, also where Miniflare started it anew: it knows nothing then. */
  readonly check: () => Promise<void>;
  /** Resolves when no call to this Worker's objects is under way. */
  readonly quiet: (worker: string) => Promise<void>;
  /**
   * The runtime's KV, in its own protocol.
   * @param target key and query: `/<key>?urlencoded=true`
   */
  readonly kv: (namespace: string, target: string, init?: RequestInit) => Promise<Response>;
  /** Once, however often and from wherever it is called. */
  readonly dispose: () => Promise<void>;
}

export interface MachineOptions extends Omit<Surroundings, "router">, RouterOptions {
  readonly isolates: number;
  /** What all machines of an account share: `registry`, `shared` and `objects`. */
  readonly folder: string;
  /** A line that a Worker wrote. */
  readonly log: (line: string) => void;
}

/** A version that the runtime refuses to start, and why. */
export class StartupError extends Error {
  /** By version. */
  readonly reasons: ReadonlyMap<string, string>;
  constructor(reasons: ReadonlyMap<string, string>) {
    super([...reasons.values()].join("\n"));
    this.reasons = reasons;
  }
}

/** @throws StartupError */
export const startMachine = async (options: MachineOptions): Promise<Machine> => {
  const { id, versions, folder, secret } = options;
  const router = `router-${id}`;
  const services = versions.map((it) => ({ ...it, names: namesOf(it, options) }));
  const surroundings = { ...options, router };
  const registry = path.join(folder, "registry");
  fs.mkdirSync(registry, { recursive: true });
  let crashed = false;
  const thrown = new Map<string, string>();
  const workers: V4WorkerOptions[] = [
    routerOptions(options, router),
    ...services.flatMap(({ worker, version, names }) =>
      names.map((name) => optionsOf(surroundings, worker, version, name, options.home)),
    ),
  ];
  const miniflare = deafToSignals(
    () =>
      new Miniflare({
        ...convertV4MiniflareOptions({
          cf: false,
          log: new Log(LogLevel.ERROR),
          unsafeDevRegistryPath: registry,
          unsafeHandleRuntimeRestart: () => {
            crashed = true;
          },
          unsafeRuntimeEnv: markOf(folder),
          workers,
          handleStructuredLogs: ({ message }) => {
            const [, name, reason] = /^service core:user:(\S+): (.*)/s.exec(message) ?? [];
            if (name === undefined || reason === undefined) return options.log(message);
            const held = services.find(({ names }) => names.includes(name));
            if (held) thrown.set(held.version.id, plainReason(reason));
            return undefined;
          },
        }),
        unsafeEnableSharedStorage: true,
        resourcePersistencePath: path.join(folder, "shared"),
        isolatedResourcePersistencePath: path.join(folder, "objects"),
      }),
  );
  try {
    await miniflare.ready;
  } catch (error) {
    await miniflare.dispose().catch(() => {});
    throw thrown.size > 0 ? new StartupError(thrown) : error;
  }
  const address = addressOf(registry, router);
  const port = await miniflare.unsafeGetDirectURL(router);
  const ask = async (what: string, body?: string) => {
    const response = await fetch(new URL(what, port), {
      method: "POST",
      headers: { authorization: secret },
      body: body ?? null,
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
  let ended: Promise<void> | undefined;
  return {
    id,
    holds: versions,
    address,
    places: new Map(
      services.map(({ version, names }) => [
        version.id,
        { address, machine: id, services: names.map((name) => `core:user:${name}`) },
      ]),
    ),
    urls: new Map(urls),
    ports: [`http://${address}`, ...urls.flatMap(([, found]) => found)].map((url) => Number(new URL(url).port)),
    tell: (table) => ask("/table", JSON.stringify(table)),
    check: () => (crashed ? Promise.reject(new Error(`machine ${id} has ended`)) : ask("/quiet/")),
    quiet: (worker) => ask(`/quiet/${encodeURIComponent(worker)}`),
    kv: (namespace, target, init) =>
      fetch(new URL(`/kv/${namespace}${target}`, port), {
        ...init,
        headers: { ...(init?.headers as Record<string, string>), authorization: secret },
      }),
    dispose: () => {
      ended ??= miniflare.dispose();
      return ended;
    },
  };
};

/** One service an isolate; their names are unique among all machines, since the registry is one. */
const namesOf = ({ worker, version }: Held, { id, isolates, home }: MachineOptions): string[] =>
  Array.from({ length: home ? 1 : isolates }, (_, index) => `${id}.${worker.name}.${version.id.slice(0, 8)}.${index}`);

const addressOf = (registry: string, router: string): string => {
  const entry = JSON.parse(fs.readFileSync(path.join(registry, router), "utf8")) as {
    readonly debugPortAddress: string;
  };
  return entry.debugPortAddress;
};

/** Without paths of this machine. */
const plainReason = (reason: string): string =>
  reason.replace(/^Uncaught /, "").replaceAll(/file:\/\/\/\S*?(?=[\w.-]+:\d+)/g, "");
