/** Writes a version as the runtime takes it. What leads to other Workers, or to objects, leads to the router beside it. */
import type { V4WorkerOptions } from "miniflare";
import type { Account, Module, ObjectClass, Version, Worker } from "../account/account.ts";
import type { Binding } from "../account/bindings.ts";
import { lateKv } from "./plugins.ts";
import type { ServiceProps, TailProps } from "./routing-state.ts";

export interface Surroundings {
  readonly account: Account;
  /** The name of the machine's router. */
  readonly router: string;
  readonly read: (blob: string) => Buffer;
  /** Whether what production refuses at run time is refused here too. */
  readonly strict: boolean;
}

export interface Held {
  readonly worker: Worker;
  readonly version: Version;
}

/** A class of objects that some binding in a machine leads to. */
export interface Reached {
  readonly worker: string;
  readonly class: ObjectClass;
}

type Options = V4WorkerOptions;

/**
 * @param name of the service in its machine
 * @param home whether this one owns the Worker's objects
 */
export const optionsOf = (
  { account, router, read, strict }: Surroundings,
  worker: Worker,
  version: Version,
  name: string,
  home: boolean,
): Options => {
  const { mainModule, modules, compatibilityDate, compatibilityFlags, bindings } = version;
  const of = <T extends Binding["type"]>(type: T) =>
    bindings.filter((it): it is Extract<Binding, { readonly type: T }> => it.type === type);
  const each = <T extends Binding["type"], V>(type: T, value: (it: Extract<Binding, { readonly type: T }>) => V) =>
    Object.fromEntries(of(type).map((it) => [it.name, value(it)]));
  const main = modules.filter((it) => it.name === mainModule);
  const boundHere = new Set(
    of("durable_object_namespace").flatMap(({ class_name, script_name = worker.name }) =>
      script_name === worker.name ? [class_name] : [],
    ),
  );
  const tail: TailProps = { worker: worker.name, version: version.id, consumers: version.tailConsumers };
  return {
    name,
    compatibilityDate,
    compatibilityFlags: [...compatibilityFlags],
    ...codeOf([...main, ...modules.filter((it) => it.name !== mainModule)], read),
    bindings: {
      ...each("plain_text", ({ text }) => text),
      ...each("secret_text", ({ text }) => text),
      ...each("json", ({ json }) => json),
      ...each("version_metadata", () => ({
        id: version.id,
        tag: version.annotations["workers/tag"] ?? "",
        timestamp: version.createdOn,
      })),
    },
    ...(strict
      ? { unsafeBindings: of("kv_namespace").map((it) => lateKv(it.name, router, it.namespace_id)) }
      : { kvNamespaces: each("kv_namespace", ({ namespace_id }) => namespace_id) }),
    // What is written to one is taken, and kept nowhere.
    analyticsEngineDatasets: each("analytics_engine", ({ dataset }) => ({ dataset })),
    ratelimits: each("ratelimit", ({ namespace_id, simple }) => ({ namespace_id, simple })),
    serviceBindings: each("service", ({ service, entrypoint, props }) => {
      const to: ServiceProps = { worker: service, entrypoint, props };
      return { name: router, entrypoint: "Service", props: { ...to } };
    }),
    durableObjects: Object.fromEntries(
      of("durable_object_namespace").flatMap(
        ({ name: binding, class_name, script_name = worker.name }): [string, object][] => {
          const found = account.workers.get(script_name)?.classes.find((it) => it.className === class_name);
          if (!found) return [];
          const { id, sqlite } = found;
          // An owner opens its own objects; all others ask it.
          return home && script_name === worker.name
            ? [[binding, { className: class_name, unsafeUniqueKey: id, useSQLite: sqlite }]]
            : [[binding, { className: proxyClass(id), scriptName: router }]];
        },
      ),
    ),
    ...(home && {
      additionalUnboundDurableObjects: worker.classes
        .filter(({ className }) => !boundHere.has(className))
        .map(({ id, className, sqlite }) => ({ className, unsafeUniqueKey: id, useSQLite: sqlite })),
    }),
    tails: [{ name: router, entrypoint: "Tail", props: { ...tail } }],
    ...(strict && { outboundService: { name: router, entrypoint: "Internet" } }),
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    // Other machines reach it by its machine's router. Every entry of the registry is a file that each machine reads anew
    // whenever any of them changes, so a hundred Workers in it would stop this process for seconds.
    unsafeRegisterWorker: false,
  } as unknown as Options;
};

/** Its main module first. */
const codeOf = (modules: readonly Module[], read: Surroundings["read"]): object => {
  const [main] = modules;
  if (main?.type === "Script") return { script: read(main.blob).toString() };
  return {
    modulesRoot: "/",
    modules: modules.map((it) => ({
      type: it.type,
      path: `/${it.name.replace(/^\.\//, "")}`,
      contents:
        it.type === "Data" || it.type === "CompiledWasm" ? new Uint8Array(read(it.blob)) : read(it.blob).toString(),
    })),
  };
};

/** The router's class that stands for a class of objects. */
export const proxyClass = (id: string): string => `Objects_${id}`;

/** The classes that these versions are bound to, each once. */
export const reached = (account: Account, versions: readonly (readonly [Worker, Version])[]): Reached[] => {
  const all = versions.flatMap(([worker, version]) =>
    version.bindings.flatMap((it) => {
      if (it.type !== "durable_object_namespace") return [];
      const host = it.script_name ?? worker.name;
      const found = account.workers.get(host)?.classes.find(({ className }) => className === it.class_name);
      return found ? [{ worker: host, class: found }] : [];
    }),
  );
  return [...new Map(all.map((it) => [it.class.id, it])).values()];
};
