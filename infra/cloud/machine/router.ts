/** Builds and binds the router: the Worker in every machine by which its versions reach all others. */
import path from "node:path";
import * as esbuild from "esbuild";
import { KV_LOCAL_ENTRY_SERVICE_NAME, SharedBindings, type V4WorkerOptions } from "miniflare";
import { codeExtension } from "../../project/generated-files.ts";
import type { Account } from "../account/account.ts";
import { boundClasses, proxyClassName, type WorkerVersion } from "./options.ts";
import { debugPort } from "./plugins.ts";
import type { Realism } from "./routing-state.ts";

export interface RouterOptions {
  /** Of the machine. */
  readonly id: string;
  readonly account: Account;
  readonly versions: readonly WorkerVersion[];
  /** Whether the machine owns the objects of its one Worker. */
  readonly ownsObjects: boolean;
  readonly realism: Realism | null;
  /** The address of the storage machine. Null for that machine itself. */
  readonly storageAddress: string | null;
  /** Protects the port from other callers. */
  readonly secret: string;
  /** The result of `bundleRouter`. */
  readonly code: string;
  /** Takes requests of the machine itself, such as traces for tails. */
  readonly handleCloudRequest: (request: Request) => Promise<Response>;
}

export const routerOptions = (
  { id, versions, account, secret, realism, ownsObjects, handleCloudRequest, code, storageAddress }: RouterOptions,
  router: string,
) => {
  // An owner opens its own objects without the router.
  const ownClasses = ownsObjects ? versions.flatMap(({ worker }) => worker.classes.map((it) => it.id)) : [];
  const classes = boundClasses(
    account,
    versions.map(({ worker, version }) => [worker, version] as const),
  ).filter((it) => !ownClasses.includes(it.class.id));
  const entry = [
    'export { Internet, Kv, Service, Tail, default } from "./router.js";',
    ...(classes.length > 0 ? ['import { objects } from "./router.js";'] : []),
    ...classes.map(
      (it) =>
        `export const ${proxyClassName(it.class.id)} = objects(${JSON.stringify(it.worker)}, ${JSON.stringify(it.class.className)});`,
    ),
  ].join("\n");
  return {
    name: router,
    compatibilityDate: "2026-11-01",
    compatibilityFlags: ["nodejs_compat", "service_binding_extra_handlers"],
    modulesRoot: "/",
    modules: [
      { type: "ESModule", path: "/entry.js", contents: entry },
      { type: "ESModule", path: "/router.js", contents: code },
    ],
    bindings: {
      MACHINE: id,
      SECRET: secret,
      REALISM: realism,
      STORES: storageAddress,
      KV: { service: KV_LOCAL_ENTRY_SERVICE_NAME, property: SharedBindings.TEXT_NAMESPACE },
    },
    serviceBindings: { CLOUD: handleCloudRequest },
    unsafeBindings: [debugPort("DEBUG")],
    // The router's classes forward to objects elsewhere and store nothing.
    unsafeEphemeralDurableObjects: true,
    durableObjects: Object.fromEntries(
      classes.map((it) => [
        `NS_${it.class.id}`,
        { className: proxyClassName(it.class.id), unsafeUniqueKey: it.class.id, useSQLite: it.class.sqlite },
      ]),
    ),
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  } as unknown as V4WorkerOptions;
};

/** Bundles the router, once for all machines. */
export const bundleRouter = async (): Promise<string> => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.resolve(import.meta.dirname, `../workers/router${codeExtension}`)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*", "node:*"],
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
};
