/** What is measured: each subject's Workers, and what it has to answer before it is believed. The first one is the unit. */
import path from "node:path";
import { bundle } from "../compiler/bundle.ts";
import { frontWorkers, gateWorkers } from "./gates.ts";
import type { Caller } from "./jobs.ts";
import { copies, type Probe, passes, refuses, runsAllFive } from "./probes.ts";
import type { Worker } from "./workerd.ts";

export interface Subject {
  readonly name: string;
  /** The first one is reached from outside. */
  readonly workers: (place: Place) => Promise<readonly Worker[]>;
  readonly probes: readonly Probe[];
  /** Lines of the access log that a request leaves. */
  readonly lines: 0 | 1;
}

export interface Place {
  /** A subject's own, to write to. */
  readonly folder: string;
  /** Base URL of the service. */
  readonly upstream: string;
}

export const subjectsFor = (caller: Caller): readonly Subject[] => {
  const { jobs } = caller;
  const five = runsAllFive(caller);
  return [
    {
      name: "passthrough",
      workers: async () => [await bundled(`export { default } from "./passthrough.ts";`)],
      probes: [passes],
      lines: 0,
    },
    {
      name: "copied",
      workers: async () => [await bundled(`export { default } from "./copied.ts";`)],
      probes: [passes, copies],
      lines: 0,
    },
    {
      name: "empty gate",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { logs: false }),
      probes: [passes, refuses("an unknown path", { path: "/v2" }, 404)],
      lines: 0,
    },
    {
      name: "gate, five filters",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { jobs, logs: false }),
      probes: five,
      lines: 0,
    },
    {
      name: "gate, five filters, access log",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { jobs, logs: true }),
      probes: five,
      lines: 1,
    },
    {
      name: "front + gate, five filters",
      workers: ({ folder, upstream }) => frontWorkers(folder, upstream, { jobs, logs: false }),
      probes: five,
      lines: 0,
    },
    {
      name: "Hono, the same five",
      workers: async ({ upstream }) => [
        await bundled(
          `import jobs from "./jobs.js";
import { gateway } from "./hono.ts";
export default gateway(jobs, ${JSON.stringify(upstream)});`,
          { "jobs.js": `export default ${JSON.stringify(jobs)};` },
        ),
      ],
      probes: five,
      lines: 0,
    },
  ];
};

const bundled = async (entry: string, beside: Readonly<Record<string, string>> = {}): Promise<Worker> => {
  const folder = path.join(import.meta.dirname, "workers");
  const external = Object.keys(beside).map((module) => `./${module}`);
  return { name: "worker", modules: { "worker.js": await bundle(entry, folder, external), ...beside } };
};
