/** The subjects: their Workers, and the probes that they must pass. The first one is the unit. */

import { bundleWorker, type Worker } from "../runtime/workerd.ts";
import type { Caller } from "../workers/jobs.ts";
import { frontWorkers, gateWorkers, pathOf } from "./gates.ts";
import { doesAllFiveJobs, editsMessages, type Probe, passesThrough, refusesWith } from "./probes.ts";
import type { BenchRequest } from "./traffic.ts";

export interface Subject {
  readonly name: string;
  /** The first Worker is reached from outside. */
  readonly workers: (place: SubjectContext) => Promise<readonly Worker[]>;
  readonly probes: readonly Probe[];
  /** Lines that a request logs. */
  readonly lines?: 1;
  /** The requests, in turn. Without it every request is the same. */
  readonly requests?: (count: number) => Promise<readonly BenchRequest[]>;
}

export interface SubjectContext {
  /** A folder for the subject alone. */
  readonly folder: string;
  /** Base URL of the service. */
  readonly upstream: string;
}

export const subjectsFor = (client: Caller): readonly Subject[] => [
  ...plainSubjects(),
  ...gateSubjects(),
  ...postSubjects(),
  ...[routesSubject(10), routesSubject(10_000)],
  ...fiveFilterSubjects(client),
  ...peerSubjects(client),
];

const passthroughWorkers = async () => [await bundleWorker(`export { default } from "./passthrough.ts";`)];

const plainSubjects = (): readonly Subject[] => [
  { name: "passthrough", workers: passthroughWorkers, probes: [passesThrough] },
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
];

const gateSubjects = (): readonly Subject[] => [
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
];

/** A small body is piped to the service, a large one is copied with a look at how far the client has come. */
const postSubjects = (): readonly Subject[] => {
  const posting = (name: string, kib: number, workers: Subject["workers"]): Subject => {
    const request = { body: "x".repeat(kib * 1024) };
    return {
      name: `${name}, ${kib} KiB posted`,
      workers,
      probes: [{ ...passesThrough, request }],
      requests: async () => [request],
    };
  };
  const gate: Subject["workers"] = ({ folder, upstream }) => gateWorkers(folder, upstream, { posts: true });
  return [1, 64].flatMap((kib) => [posting("passthrough", kib, passthroughWorkers), posting("gate", kib, gate)]);
};

const routesSubject = (routes: number): Subject => ({
  name: `gate, ${routes.toLocaleString("en")} routes`,
  workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { routes }),
  probes: [
    { ...passesThrough, request: { path: pathOf(routes - 1) } },
    refusesWith("a path that no route has", { path: pathOf(routes) }, 404),
  ],
  requests: async () => Array.from({ length: 10 }, (_, index) => ({ path: pathOf(Math.floor((routes / 10) * index)) })),
});

const fiveFilterSubjects = (client: Caller): readonly Subject[] => {
  const { jobs } = client;
  const probes = doesAllFiveJobs(client);
  const workers: Subject["workers"] = ({ folder, upstream }) => gateWorkers(folder, upstream, { jobs });
  const freshTokens = async (count: number): Promise<readonly BenchRequest[]> =>
    (await client.freshTokens(count)).map((token) => ({ headers: { authorization: `Bearer ${token}` } }));
  return [
    { name: "gate, five filters", workers, probes },
    { name: "gate, five filters, new token each time", workers, probes, requests: freshTokens },
    {
      name: "gate, five filters, access log",
      workers: ({ folder, upstream }) => gateWorkers(folder, upstream, { jobs, logs: true }),
      probes,
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
      probes,
    },
  ];
};

/** The same work by other gateways. */
const peerSubjects = (client: Caller): readonly Subject[] => [
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
        { "jobs.js": `export default ${JSON.stringify(client.jobs)};` },
      ),
    ],
    probes: doesAllFiveJobs(client),
  },
  {
    name: "reflare",
    workers: async ({ upstream }) => [await bundleWorker(reflare(new URL(upstream)))],
    probes: [passesThrough],
  },
];

/** Makes its route once, where reflare's own examples make it for each request. It is a text, since reflare's types declare other globals. */
const reflare = ({ hostname, port }: URL): string => `import useReflare from "reflare";
const upstream = { domain: ${JSON.stringify(hostname)}, port: ${port}, protocol: "http" };
const made = useReflare({ provider: "static", routeList: [{ path: "/v1/users/:id/orders", upstream }] });
export default { fetch: async (request) => (await made).handle(request) };
`;
