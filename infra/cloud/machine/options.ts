/** Options of a version for the runtime. Bindings to other Workers and to objects lead to the machine's router. */
import type { V4WorkerOptions } from "miniflare";
import type { Account, Module, ObjectClass, Version, Worker } from "../account/account.ts";
import type { Binding, BindingOf } from "../account/bindings.ts";
import { delayedKv } from "./plugins.ts";
import type { ServiceProps, TailProps } from "./routing-state.ts";

export interface MachineContext {
  readonly account: Account;
  /** The name of the machine's router. */
  readonly router: string;
  readonly readBlob: (blob: string) => Buffer;
  /** Whether what production refuses at run time is refused here as well. */
  readonly strict: boolean;
}

export interface WorkerVersion {
  readonly worker: Worker;
  readonly version: Version;
}

/** A class of objects that a binding in a machine leads to. */
export interface BoundClass {
  readonly worker: string;
  readonly class: ObjectClass;
}

/**
 * @param name of the service in its machine
 * @param ownsObjects whether this machine owns the Worker's objects
 */
export const workerOptions = (
  context: MachineContext,
  worker: Worker,
  version: Version,
  name: string,
  ownsObjects: boolean,
): V4WorkerOptions => {
  const { mainModule, modules, compatibilityDate, compatibilityFlags } = version;
  const main = modules.filter((it) => it.name === mainModule);
  const tail: TailProps = { worker: worker.name, version: version.id, consumers: version.tailConsumers };
  return {
    name,
    compatibilityDate,
    compatibilityFlags: [...compatibilityFlags],
    ...moduleOptions([...main, ...modules.filter((it) => it.name !== mainModule)], context.readBlob),
    ...bindingOptions(context, version),
    ...objectOptions(context, worker, version, ownsObjects),
    tails: [{ name: context.router, entrypoint: "Tail", props: { ...tail } }],
    ...(context.strict && { outboundService: { name: context.router, entrypoint: "Internet" } }),
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    // Other machines reach it by its machine's router. Every entry of the registry is a file that each machine reads again
    // whenever any of them changes, so a hundred Workers in it would stop this process for seconds.
    unsafeRegisterWorker: false,
  } as unknown as V4WorkerOptions;
};

const ofType = <T extends Binding["type"]>({ bindings }: Version, type: T) =>
  bindings.filter((it): it is BindingOf<T> => it.type === type);

/** Bindings to anything but objects. */
const bindingOptions = ({ router, strict }: MachineContext, version: Version): object => {
  const mapBindings = <T extends Binding["type"], V>(type: T, value: (it: BindingOf<T>) => V) =>
    Object.fromEntries(ofType(version, type).map((it) => [it.name, value(it)]));
  return {
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
      ? { unsafeBindings: ofType(version, "kv_namespace").map((it) => delayedKv(it.name, router, it.namespace_id)) }
      : { kvNamespaces: mapBindings("kv_namespace", ({ namespace_id }) => namespace_id) }),
    // Data points are accepted and dropped.
    analyticsEngineDatasets: mapBindings("analytics_engine", ({ dataset }) => ({ dataset })),
    ratelimits: mapBindings("ratelimit", ({ namespace_id, simple }) => ({ namespace_id, simple })),
    serviceBindings: mapBindings("service", ({ service, entrypoint, props }) => {
      const serviceProps: ServiceProps = { worker: service, entrypoint, props };
      return { name: router, entrypoint: "Service", props: { ...serviceProps } };
    }),
  };
};

/** The owner opens the Worker's own objects. All others call them by the router. */
const objectOptions = (
  { account, router }: MachineContext,
  worker: Worker,
  version: Version,
  ownsObjects: boolean,
): object => {
  const bindings = ofType(version, "durable_object_namespace").map(({ script_name = worker.name, ...it }) => ({
    ...it,
    isOwn: script_name === worker.name,
    found: account.workers.get(script_name)?.classes.find(({ className }) => className === it.class_name),
  }));
  const bound = new Set(bindings.flatMap(({ isOwn, class_name }) => (isOwn ? [class_name] : [])));
  return {
    durableObjects: Object.fromEntries(
      bindings.flatMap(({ name, isOwn, found }): [string, object][] => {
        if (!found) return [];
        return ownsObjects && isOwn
          ? [[name, ownObject(found)]]
          : [[name, { className: proxyClassName(found.id), scriptName: router }]];
      }),
    ),
    ...(ownsObjects && {
      additionalUnboundDurableObjects: worker.classes.filter(({ className }) => !bound.has(className)).map(ownObject),
    }),
  };
};

const ownObject = ({ id, className, sqlite }: ObjectClass) => ({ className, unsafeUniqueKey: id, useSQLite: sqlite });

/** @param modules the main one first */
const moduleOptions = (modules: readonly Module[], readBlob: MachineContext["readBlob"]): object => {
  const [main] = modules;
  if (main?.type === "Script") return { script: readBlob(main.blob).toString() };
  return {
    modulesRoot: "/",
    modules: modules.map((it) => ({
      type: it.type,
      path: `/${it.name.replace(/^\.\//, "")}`,
      contents:
        it.type === "Data" || it.type === "CompiledWasm"
          ? new Uint8Array(readBlob(it.blob))
          : readBlob(it.blob).toString(),
    })),
  };
};

/** The router's class that forwards to a class of objects. */
export const proxyClassName = (id: string): string => `Objects_${id}`;

/** The classes that these versions are bound to, without duplicates. */
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
