/** Compiles a project of one tier as `postern build` does, and returns its Workers. */
import fs from "node:fs";
import path from "node:path";
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import { compile } from "../../compiler/compile.ts";
import { bundle } from "../../compiler/emit/bundle.ts";
import { emit } from "../../compiler/emit/emit.ts";
import { gateEntry } from "../../compiler/emit/entries.ts";
import { listGates } from "../../compiler/lower/gates.ts";
import { gateBinding } from "../../compiler/lower/lower.ts";
import type { Worker } from "../runtime/workerd.ts";
import type { Jobs } from "../workers/jobs.ts";

export interface GateOptions {
  /** All five jobs, or none. */
  readonly jobs?: Jobs;
  /** Whether each request is logged. */
  readonly logs?: boolean;
  /** Whether the route is for POST instead of GET. */
  readonly posts?: boolean;
  /** Number of guards that do nothing, ahead of the others. */
  readonly idle?: number;
  /** Number of routes instead of the one. `pathOf` is their path. */
  readonly routes?: number;
}

/** @returns the gate, reached from outside by its default entrypoint */
export const gateWorkers = async (folder: string, upstream: string, options: GateOptions): Promise<Worker[]> => {
  const { gate, compiled } = await buildProject(folder, manifest(upstream, options));
  return [options.idle === undefined ? gate : await withIdle(gate, compiled, options.idle)];
};

/** @returns the front, and the gate behind it */
export const frontWorkers = async (folder: string, upstream: string, options: GateOptions): Promise<Worker[]> => {
  const { gate, front } = await buildProject(folder, manifest(upstream, options));
  return [{ ...front, services: { [gateBinding(tier)]: { service: gate.name, entrypoint: "Behind" } } }, gate];
};

/** The gate of any manifest, in this folder. */
export const gateFrom = async (folder: string, manifest: object): Promise<Worker> =>
  (await buildProject(folder, manifest)).gate;

/** The plan of a gate alone. */
export const planOf = async (folder: string, upstream: string, options: GateOptions): Promise<Plan> => {
  const [served] = listGates((await buildProject(folder, manifest(upstream, options))).compiled.tiers)[0]?.serves ?? [];
  if (!served) throw new Error("the project has no gate");
  return served.plan;
};

const tier = "orders";
const environment = "bench";
const functions = path.resolve(import.meta.dirname, "../../../functions");

const buildProject = async (root: string, manifest: object) => {
  // JSON is YAML.
  write(root, `routes/environments/${environment}.yaml`, { values: {} });
  write(root, `routes/${tier}.yaml`, manifest);
  const compiled = compile(root, environment);
  const [problem] = compiled.problems;
  if (problem) throw new Error(`${problem.file}: ${problem.message}`);
  const emitted = await emit(root, compiled);
  const workerOf = (name: "gate" | "front"): Worker => {
    const folder = emitted.find(({ kind }) => kind === name)?.folder ?? "";
    const modules = [`${name}.js`, "plan.js"];
    return {
      name,
      modules: Object.fromEntries(modules.map((it) => [it, fs.readFileSync(path.join(folder, it), "utf8")])),
    };
  };
  return { gate: workerOf("gate"), front: workerOf("front"), compiled };
};

/** Links a guard that no manifest can name into the gate. */
const withIdle = async (gate: Worker, { tiers }: ReturnType<typeof compile>, count: number): Promise<Worker> => {
  const [shape] = listGates(tiers);
  const plan = shape?.serves[0]?.plan;
  if (!shape || !plan) throw new Error("the project has no gate");
  const known = gateEntry(shape, undefined, "local", false);
  const entry = known.replace("{ filters: { ", "{ filters: { idle: () => () => undefined, ");
  if (entry === known) throw new Error("the entry of a gate is written otherwise than before");
  const code = await bundle(entry, functions, ["cloudflare:*", "./plan.js"]);
  const ids = Array.from({ length: count }, (_, index) => `idle-${index}`);
  const idle = { use: "idle", kind: "guard", mode: "enforce", percent: "100%", with: {} } as const;
  const routes = Object.entries(plan.routes).map(([name, it]) => [name, { ...it, filters: [...ids, ...it.filters] }]);
  const filters = { ...plan.filters, ...Object.fromEntries(ids.map((id) => [id, idle])) };
  const changed: Plan = { ...plan, filters, routes: Object.fromEntries(routes) };
  return {
    ...gate,
    modules: { [Object.keys(gate.modules)[0] ?? ""]: code, "plan.js": `export default ${JSON.stringify(changed)};` },
  };
};

const write = (root: string, file: string, value: object): void => {
  fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  fs.writeFileSync(path.join(root, file), JSON.stringify(value));
};

/** The path of one route among many of equal length. */
export const pathOf = (route: number): string => `/v1/${resourceName(route)}/123/orders`;

const resourceName = (route: number): string => `things-${String(route).padStart(6, "0")}`;

const manifest = (upstream: string, { jobs, logs = false, posts = false, routes }: GateOptions) => ({
  api: "postern/v1",
  tier,
  hosts: ["localhost"],
  log: { sample: logs ? "100%" : "0%" },
  filters: jobs ? fiveFilters(jobs) : [],
  upstreams: { orders: { http: upstream } },
  routes:
    routes === undefined
      ? { orders: { match: `${posts ? "POST" : "GET"} /v1/users/{id}/orders`, to: "orders" } }
      : Object.fromEntries(
          Array.from({ length: routes }, (_, it) => [
            `route-${it}`,
            { match: `GET ${pathOf(it).replace("/123/", "/{id}/")}`, to: "orders" },
          ]),
        ),
});

const fiveFilters = (jobs: Jobs) => {
  const [name, value] = jobs.setInResponse;
  return [
    { cors: { origins: [jobs.origin], expose: [jobs.exposed] } },
    {
      jwt: {
        issuer: jobs.issuer,
        audience: jobs.audience,
        algorithms: [jobs.algorithm],
        keys: [jobs.key],
        leeway: `${jobs.leewaySeconds}s`,
      },
    },
    { "rate-limit": { limit: `${jobs.requestsAnHour}/h`, by: "consumer", algorithm: "fixed-window", count: "local" } },
    {
      headers: {
        request: { set: { [jobs.customerHeader]: "{consumer.id}" }, remove: jobs.removedFromRequest },
        response: { set: { [name]: value }, remove: [jobs.removedFromResponse] },
      },
    },
  ];
};
