/** What is measured: each subject's Workers, and what it has to answer before it is believed. The first one is the unit. */

import { bundleWorker, type Worker } from "../runtime/workerd.ts";
import type { Caller } from "../workers/jobs.ts";
import { frontWorkers, gateWorkers, pathOf } from "./gates.ts";
import { doesAllFiveJobs, editsMessages, type Probe, passesThrough, refusesWith } from "./probes.ts";
import type { BenchRequest } from "./traffic.ts";

export interface Subject {
  readonly name: string;
  /** The first one is reached from outside. */
  readonly workers: (place: SubjectContext) => Promise<readonly Worker[]>;
  readonly probes: readonly Probe[];
  /** Lines of the access log that a request leaves. */
  readonly lines?: 1;
  /** What is asked, in turn; without it always the same. */
  readonly requests?: (count: number) => Promise<readonly BenchRequest[]>;
}

export interface SubjectContext {
  /** A subject's own, to write to. */
  readonly folder: string;
  /** Base URL of the service. */
  readonly upstream: string;
}

export const subjectsFor = (caller: Caller): readonly Subject[] => {
  const { jobs } = caller;
  const five = doesAllFiveJobs(caller);
  const gateOf = (routes: number): Omit<Subject, "name"> => ({
    workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { routes }),
    probes: [
      { ...passesThrough, request: { path: pathOf(routes - 1) } },
      refusesWith("a path that no route has", { path: pathOf(routes) }, 404),
    ],
    requests: async () =>
      Array.from({ length: 10 }, (_, index) => ({ path: pathOf(Math.floor((routes / 10) * index)) })),
  });
  const freshTokenRequests = async (count: number): Promise<readonly BenchRequest[]> =>
    (await caller.freshTokens(count)).map((token) => ({ headers: { authorization: `Bearer ${token}` } }));
  const passthrough = async () => [await bundleWorker(`export { default } from "./passthrough.ts";`)];
  /** A small body is piped to the service, a large one is copied with a look at how far the client has come. */
  const posting = (kib: number, workers: Subject["workers"]): Omit<Subject, "name"> => {
    const request = { body: "x".repeat(kib * 1024) };
    return { workers, probes: [{ ...passesThrough, request }], requests: async () => [request] };
  };
  const gateForPosts: Subject["workers"] = ({ folder, upstream }) => gateWorkers(folder, upstream, { posts: true });
  return [
    { name: "passthrough", workers: passthrough, probes: [passesThrough] },
    {
      name: "copied",
      workers: async () => [await bundleWorker(`export { default } from "./copied.ts";`)],
      probes: [passesThrough, editsMessages],
    },
    {
      name: "service binding",
      workers: async () => [
        {
          ...(await bundleWorker(`export default { fetch: (request, env) => env.NEXT.fetch(request) };`)),
          services: { NEXT: { service: "next" } },
        },
        { ...(await bundleWorker(`export { default } from "./passthrough.ts";`)), name: "next" },
      ],
      probes: [passesThrough],
    },
    {
      name: "gate, no filters",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, {}),
      probes: [passesThrough, refusesWith("an unknown path", { path: "/v2" }, 404)],
    },
    {
      name: "gate, ten idle guards",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { idle: 10 }),
      probes: [passesThrough],
    },
    { name: "passthrough, 1 KiB posted", ...posting(1, passthrough) },
    { name: "gate, 1 KiB posted", ...posting(1, gateForPosts) },
    { name: "passthrough, 64 KiB posted", ...posting(64, passthrough) },
    { name: "gate, 64 KiB posted", ...posting(64, gateForPosts) },
    { name: "gate, 10 routes", ...gateOf(10) },
    { name: "gate, 10,000 routes", ...gateOf(10_000) },
    {
      name: "gate, five filters",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { jobs }),
      probes: five,
    },
    {
      name: "gate, five filters, new token each time",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { jobs }),
      probes: five,
      requests: freshTokenRequests,
    },
    {
      name: "gate, five filters, access log",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { jobs, logs: true }),
      probes: five,
      lines: 1,
    },
    {
      name: "front + gate, no filters",
      workers: ({ folder, upstream }) => frontWorkers(folder, upstream, {}),
      probes: [passesThrough],
    },
    {
      name: "front + gate, five filters",
      workers: ({ folder, upstream }) => frontWorkers(folder, upstream, { jobs }),
      probes: five,
    },
    {
      name: "Hono, proxy",
      workers: async ({ upstream }) => [
        await bundleWorker(`import { passthrough } from "./hono.ts";
export default passthrough(${JSON.stringify(upstream)});`),
      ],
      probes: [passesThrough],
    },
    {
      name: "Hono, the same five",
      workers: async ({ upstream }) => [
        await bundleWorker(
          `import jobs from "./jobs.js";
import { gateway } from "./hono.ts";
export default gateway(jobs, ${JSON.stringify(upstream)});`,
          { "jobs.js": `export default ${JSON.stringify(jobs)};` },
        ),
      ],
      probes: five,
    },
    {
      name: "reflare",
      workers: async ({ upstream }) => [await bundleWorker(reflare(new URL(upstream)))],
      probes: [passesThrough],
    },
  ];
};

/** A route that leads to the service, made once; its own examples make it for each request. A text, since its types bring other globals along. */
const reflare = ({ hostname, port }: URL): string => `import useReflare from "reflare";
const upstream = { domain: ${JSON.stringify(hostname)}, port: ${port}, protocol: "http" };
const made = useReflare({ provider: "static", routeList: [{ path: "/v1/users/:id/orders", upstream }] });
export default { fetch: async (request) => (await made).handle(request) };
`;
