/** Compiles a project of one route, the way `postern build` does, and hands over its Workers. */
import fs from "node:fs";
import path from "node:path";
import { compile } from "../compiler/compile.ts";
import { emit } from "../compiler/emit.ts";
import { gateBinding } from "../compiler/lower.ts";
import type { Jobs } from "./jobs.ts";
import type { Worker } from "./workerd.ts";

export interface GateOptions {
  /** All five, or none. */
  readonly jobs?: Jobs;
  /** Whether each request gets its line in the access log. */
  readonly logs: boolean;
}

/** @returns the gate, with its default entrypoint to the outside */
export const gateWorkers = async (folder: string, upstream: string, options: GateOptions): Promise<Worker[]> => {
  const { gate } = await built(folder, upstream, options);
  return [gate];
};

/** @returns the front, and the gate that it reaches by a service binding */
export const frontWorkers = async (folder: string, upstream: string, options: GateOptions): Promise<Worker[]> => {
  const { gate, front } = await built(folder, upstream, options);
  return [{ ...front, services: { [gateBinding(tier)]: { service: gate.name, entrypoint: "Behind" } } }, gate];
};

const tier = "orders";
const environment = "bench";

const built = async (root: string, upstream: string, options: GateOptions) => {
  // JSON is YAML.
  write(root, `routes/environments/${environment}.yaml`, { values: {} });
  write(root, `routes/${tier}.yaml`, manifest(upstream, options));
  const compiled = compile(root, environment);
  if (compiled.problems.length > 0) throw new Error(JSON.stringify(compiled.problems, null, 2));
  const emitted = await emit(root, compiled);
  const workerOf = (name: "gate" | "front"): Worker => {
    const folder = emitted.find(({ kind }) => kind === name)?.folder ?? "";
    const modules = [`${name}.js`, "plan.js"];
    return {
      name,
      modules: Object.fromEntries(modules.map((it) => [it, fs.readFileSync(path.join(folder, it), "utf8")])),
    };
  };
  return { gate: workerOf("gate"), front: workerOf("front") };
};

const write = (root: string, file: string, value: object): void => {
  fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  fs.writeFileSync(path.join(root, file), JSON.stringify(value));
};

const manifest = (upstream: string, { jobs, logs }: GateOptions) => ({
  api: "postern/v1",
  tier,
  hosts: ["localhost"],
  log: { sample: logs ? "100%" : "0%" },
  filters: jobs ? fiveFilters(jobs) : [],
  upstreams: { orders: { http: upstream } },
  routes: { orders: { match: "GET /v1/users/{id}/orders", to: "orders" } },
});

const fiveFilters = (jobs: Jobs) => {
  const [name, value] = jobs.setInResponse;
  return [
    { cors: { origins: [jobs.origin], expose: [jobs.exposed] } },
    { "body-limit": { max: `${jobs.maxBytes / 1024}KiB` } },
    { ip: { allow: jobs.allowed } },
    {
      jwt: {
        issuer: jobs.issuer,
        audience: jobs.audience,
        algorithms: [jobs.algorithm],
        keys: [jobs.key],
        leeway: `${jobs.leewaySeconds}s`,
      },
    },
    {
      headers: {
        request: { set: { [jobs.customerHeader]: "{consumer.id}" }, remove: jobs.removedFromRequest },
        response: { set: { [name]: value }, remove: [jobs.removedFromResponse] },
      },
    },
  ];
};
