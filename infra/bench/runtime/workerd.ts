/** Configures one workerd: its Workers, their bindings, and the network. */
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { bundle } from "../../compiler/emit/bundle.ts";
import { compatibilityDate, compatibilityFlags } from "../../compiler/lower/platform.ts";

export interface Worker {
  readonly name: string;
  /** Module → source. The first module is the entry. */
  readonly modules: Readonly<Record<string, string>>;
  /** Service bindings, by name. */
  readonly services?: Readonly<Record<string, { readonly service: string; readonly entrypoint?: string }>>;
}

/**
 * Bundles a Worker.
 * @param entry source text, with imports from `workers/`
 * @param extraModules modules beside the bundle
 */
export const bundleWorker = async (
  entry: string,
  extraModules: Readonly<Record<string, string>> = {},
): Promise<Worker> => {
  const folder = path.join(import.meta.dirname, "../workers");
  const external = Object.keys(extraModules).map((module) => `./${module}`);
  return { name: "worker", modules: { "worker.js": await bundle(entry, folder, external), ...extraModules } };
};

/** The path of the binary, and its version. */
export const workerd = createRequire(import.meta.url)("workerd") as {
  readonly default: string;
  readonly version: string;
};

/**
 * Writes modules and configuration.
 * @param workers the first one is reached from outside
 * @returns the configuration's path
 */
export const writeWorkerdConfig = (folder: string, workers: readonly Worker[]): string => {
  for (const { name, modules } of workers)
    for (const [module, source] of Object.entries(modules)) {
      fs.mkdirSync(path.join(folder, name), { recursive: true });
      fs.writeFileSync(path.join(folder, name, module), source);
    }
  const file = path.join(folder, "config.capnp");
  fs.writeFileSync(file, configOf(workers));
  return file;
};

/**
 * Fixes the size of the young generation at what the heap reaches after some thousand requests. Left to grow, garbage
 * collection becomes rarer and more expensive in steps, and counts before and after a step differ by a tenth.
 */
const youngGeneration = ["--min-semi-space-size=1", "--max-semi-space-size=1"];

const quote = (text: string): string => JSON.stringify(text);

const configOf = (workers: readonly Worker[]): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${youngGeneration.map(quote).join(", ")}],
  services = [
${workers.map(serviceOf).join("")}    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = ${quote(workers[0]?.name ?? "")})],
);
`;

const serviceOf = ({ name, modules, services = {} }: Worker): string => `    (name = ${quote(name)}, worker = (
      compatibilityDate = ${quote(compatibilityDate)},
      compatibilityFlags = [${compatibilityFlags.map(quote).join(", ")}],
      modules = [${Object.keys(modules)
        .map((module) => `(name = ${quote(module)}, esModule = embed ${quote(`${name}/${module}`)})`)
        .join(", ")}],
      bindings = [${[
        `(name = "VERSION", json = ${quote(JSON.stringify({ id: "bench" }))})`,
        ...Object.entries(services).map(
          ([binding, { service, entrypoint }]) =>
            `(name = ${quote(binding)}, service = (name = ${quote(service)}${entrypoint === undefined ? "" : `, entrypoint = ${quote(entrypoint)}`}))`,
        ),
      ].join(", ")}],
    )),
`;
