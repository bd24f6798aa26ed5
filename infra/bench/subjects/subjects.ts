/** What is measured: each subject's Workers, and what it has to answer before it is believed. The first one is the unit. */

import { bundled, type Worker } from "../runtime/workerd.ts";
import type { Caller } from "../workers/jobs.ts";
import { frontWorkers, gateWorkers, pathOf } from "./gates.ts";
import { copies, type Probe, passes, refuses, runsAllFive } from "./probes.ts";
import type { Ask } from "./traffic.ts";

export interface Subject {
  readonly name: string;
  /** The first one is reached from outside. */
  readonly workers: (place: Place) => Promise<readonly Worker[]>;
  readonly probes: readonly Probe[];
  /** Lines of the access log that a request leaves. */
  readonly lines?: 1;
  /** What is asked, in turn; without it always the same. */
  readonly asks?: (count: number) => Promise<readonly Ask[]>;
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
  const gateOf = (routes: number): Omit<Subject, "name"> => ({
    workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { routes }),
    probes: [
      { ...passes, ask: { path: pathOf(routes - 1) } },
      refuses("a path that no route has", { path: pathOf(routes) }, 404),
    ],
    asks: async () => Array.from({ length: 10 }, (_, index) => ({ path: pathOf(Math.floor((routes / 10) * index)) })),
  });
  const fresh = async (count: number): Promise<readonly Ask[]> =>
    (await caller.freshTokens(count)).map((token) => ({ headers: { authorization: `Bearer ${token}` } }));
  const passthrough = async () => [await bundled(`export { default } from "./passthrough.ts";`)];
  /** A small body is piped to the service, a large one is copied with a look at how far the client has come. */
  const posting = (kib: number, workers: Subject["workers"]): Omit<Subject, "name"> => {
    const ask = { body: "x".repeat(kib * 1024) };
    return { workers, probes: [{ ...passes, ask }], asks: async () => [ask] };
  };
  const gateForPosts: Subject["workers"] = ({ folder, upstream }) => gateWorkers(folder, upstream, { posts: true });
  return [
    { name: "passthrough", workers: passthrough, probes: [passes] },
    {
      name: "copied",
      workers: async () => [await bundled(`export { default } from "./copied.ts";`)],
      probes: [passes, copies],
    },
    {
      name: "service binding",
      workers: async () => [
        {
          ...(await bundled(`export default { fetch: (request, env) => env.NEXT.fetch(request) };`)),
          services: { NEXT: { service: "next" } },
        },
        { ...(await bundled(`export { default } from "./passthrough.ts";`)), name: "next" },
      ],
      probes: [passes],
    },
    {
      name: "gate, no filters",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, {}),
      probes: [passes, refuses("an unknown path", { path: "/v2" }, 404)],
    },
    {
      name: "gate, ten idle guards",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { idle: 10 }),
      probes: [passes],
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
      asks: fresh,
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
      probes: [passes],
    },
    {
      name: "front + gate, five filters",
      workers: ({ folder, upstream }) => frontWorkers(folder, upstream, { jobs }),
      probes: five,
    },
    {
      name: "Hono, proxy",
      workers: async ({ upstream }) => [
        await bundled(`import { passthrough } from "./hono.ts";
export default passthrough(${JSON.stringify(upstream)});`),
      ],
      probes: [passes],
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
    },
    {
      name: "reflare",
      workers: async ({ upstream }) => [await bundled(reflare(new URL(upstream)))],
      probes: [passes],
    },
  ];
};

/** A route that leads to the service, made once; its own examples make it for each request. A text, since its types bring other globals along. */
const reflare = ({ hostname, port }: URL): string => `import useReflare from "reflare";
const upstream = { domain: ${JSON.stringify(hostname)}, port: ${port}, protocol: "http" };
const made = useReflare({ provider: "static", routeList: [{ path: "/v1/users/:id/orders", upstream }] });
export default { fetch: async (request) => (await made).handle(request) };
`;
