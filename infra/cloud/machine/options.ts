/** Writes a version as the runtime takes it. What leads to other Workers, or to objects, leads to the router beside it. */
import type { V4WorkerOptions } from "miniflare";
import type { Account, Module, ObjectClass, Version, Worker } from "../account/account.ts";
import type { Binding } from "../account/bindings.ts";
import { delayedKv } from "./plugins.ts";
import type { ServiceProps, TailProps } from "./routing-state.ts";

export interface MachineContext {
  readonly account: Account;
  /** The name of the machine's router. */
  readonly router: string;
  readonly read: (blob: string) => Buffer;
  /** Whether what production refuses at run time is refused here too. */
  readonly strict: boolean;
}

export interface WorkerVersion {
  readonly worker: Worker;
  readonly version: Version;
}

/** A class of objects that some binding in a machine leads to. */
export interface BoundClass {
  readonly worker: string;
  readonly class: ObjectClass;
}

type Options = V4WorkerOptions;

/**
 * @param name of the service in its machine
 * @param ownsObjects whether this one owns the Worker's objects
 */
export const workerOptions = (
  { account, router, read, strict }: MachineContext,
  worker: Worker,
  version: Version,
  name: string,
  ownsObjects: boolean,
): Options => {
  const { mainModule, modules, compatibilityDate, compatibilityFlags, bindings } = version;
  const bindingsOfType = <T extends Binding["type"]>(type: T) =>
    bindings.filter((it): it is Extract<Binding, { readonly type: T }> => it.type === type);
  const mapBindings = <T extends Binding["type"], V>(
    type: T,
    value: (it: Extract<Binding, { readonly type: T }>) => V,
  ) => Object.fromEntries(bindingsOfType(type).map((it) => [it.name, value(it)]));
  const main = modules.filter((it) => it.name === mainModule);
  const ownBoundClasses = new Set(
    bindingsOfType("durable_object_namespace").flatMap(({ class_name, script_name = worker.name }) =>
      script_name === worker.name ? [class_name] : [],
    ),
  );
  const tail: TailProps = { worker: worker.name, version: version.id, consumers: version.tailConsumers };
  return {
    name,
    compatibilityDate,
    compatibilityFlags: [...compatibilityFlags],
    ...moduleOptions([...main, ...modules.filter((it) => it.name !== mainModule)], read),
    bindings: {
      ...mapBindings("plain_text", ({ text }) => text),
      ...mapBindings("secret_text", ({ text }) => text),
      ...mapBindings("json", ({ json }) => json),
      ...mapBindings("version_metadata", () => ({
        id: version.id,
        tag: version.annotations["workers/tag"] ?? "",
        timestamp: version.createdOn,
      })),
    },
    ...(strict
      ? { unsafeBindings: bindingsOfType("kv_namespace").map((it) => delayedKv(it.name, router, it.namespace_id)) }
      : { kvNamespaces: mapBindings("kv_namespace", ({ namespace_id }) => namespace_id) }),
    // What is written to one is taken, and kept nowhere.
    analyticsEngineDatasets: mapBindings("analytics_engine", ({ dataset }) => ({ dataset })),
    ratelimits: mapBindings("ratelimit", ({ namespace_id, simple }) => ({ namespace_id, simple })),
    serviceBindings: mapBindings("service", ({ service, entrypoint, props }) => {
      const serviceProps: ServiceProps = { worker: service, entrypoint, props };
      return { name: router, entrypoint: "Service", props: { ...serviceProps } };
    }),
    durableObjects: Object.fromEntries(
      bindingsOfType("durable_object_namespace").flatMap(
        ({ name: binding, class_name, script_name = worker.name }): [string, object][] => {
          const found = account.workers.get(script_name)?.classes.find((it) => it.className === class_name);
          if (!found) return [];
          const { id, sqlite } = found;
          // An owner opens its own objects; all others ask it.
          return ownsObjects && script_name === worker.name
            ? [[binding, { className: class_name, unsafeUniqueKey: id, useSQLite: sqlite }]]
            : [[binding, { className: proxyClassName(id), scriptName: router }]];
        },
      ),
    ),
    ...(ownsObjects && {
      additionalUnboundDurableObjects: worker.classes
        .filter(({ className }) => !ownBoundClasses.has(className))
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
const moduleOptions = (modules: readonly Module[], read: MachineContext["read"]): object => {
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
export const proxyClassName = (id: string): string => `Objects_${id}`;

/** The classes that these versions are bound to, each once. */
export const boundClasses = (account: Account, versions: readonly (readonly [Worker, Version])[]): BoundClass[] => {
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
