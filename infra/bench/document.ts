/** Writes `docs/benchmarks.md` and its charts from one run. No number in them is written by hand. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Bar, bars } from "./chart.ts";
import { type Breakdown, breakdownSection } from "./measure/breakdown.ts";
import type { Cpu } from "./measure/cpu.ts";
import type { FilterCost } from "./measure/filters.ts";
import type { Effort } from "./measure/measure.ts";
import type { Micro } from "./measure/micro.ts";
import type { FurtherWorker, Start } from "./measure/start.ts";
import type { InstructionsRow } from "./report/report.ts";
import { workerd } from "./runtime/workerd.ts";

export interface Results {
  readonly effort: Effort;
  readonly requests: readonly InstructionsRow[];
  readonly starts: readonly Start[];
  readonly further: readonly FurtherWorker[];
  readonly cpu: readonly Cpu[];
  readonly micro: Micro;
  readonly filters: readonly FilterCost[];
  readonly where: Breakdown;
}

/** @param root of the project */
export const writeDocument = (root: string, results: Results): void => {
  const folder = path.join(root, "docs/benchmarks");
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, svg] of Object.entries(charts(results))) fs.writeFileSync(path.join(folder, `${name}.svg`), svg);
  fs.writeFileSync(path.join(root, "docs/benchmarks.md"), page(results));
};

/** Writes the section of the breakdown, and leaves the rest as the last whole run wrote it. */
export const writeBreakdown = (root: string, where: Breakdown): void => {
  const file = path.join(root, "docs/benchmarks.md");
  const page = fs.readFileSync(file, "utf8");
  const section = `${breakdownSection(where, today(), markdown)}\n`;
  const before = page.search(/^## Where a gate/m);
  const after = page.search(/^## (?:A filter|Routing)/m);
  if (after < 0) throw new Error("docs/benchmarks.md has no section on routing; make it anew with --write alone");
  fs.writeFileSync(file, page.slice(0, before < 0 ? after : before) + section + page.slice(after));
};

const today = (): string => new Date().toISOString().slice(0, 10);

const isOwn = (name: string): boolean => /gate/.test(name);

const charts = ({ requests, starts, micro, filters }: Results): Readonly<Record<string, string>> => ({
  requests: bars(
    "Instructions a request, as a multiple of a bare passthrough",
    requests.map(({ name, ratio }) => ({ name, value: ratio, label: ratio.toFixed(2), own: isOwn(name) })),
    1,
  ),
  starts: bars(
    "Instructions of a start over an empty Worker, as a multiple of Hono's hello",
    starts.map(({ name, ratio }) => ({ name, value: ratio, label: ratio.toFixed(2), own: isOwn(name) })),
    1,
  ),
  filters: bars(
    "What a filter takes of a request, in microseconds",
    filters.map(({ name, ns }) => ({ name, value: ns, label: microseconds(ns), own: true })),
  ),
  routing: bars(
    "One match, in nanoseconds",
    micro.routing.flatMap(({ routes, match, rou3 }): Bar[] => [
      { name: `Postern, ${count(routes)} routes`, value: match, label: count(match), own: true },
      { name: `rou3, ${count(routes)} routes`, value: rou3, label: count(rou3), own: false },
    ]),
  ),
});

const count = (value: number): string => Math.round(value).toLocaleString("en");

const microseconds = (ns: number): string => (ns / 1000).toFixed(ns < 10_000 ? 1 : 0);

const page = (results: Results): string => {
  const day = today();
  return `# What it costs

Made on ${day} by \`npm run bench -- --write\`, on workerd ${workerd.version} and ${os.availableParallelism()} processors. It needs valgrind:
\`apt-get install valgrind\`.

${requestSection(results)}${breakdownSection(results.where, day, markdown)}
## A filter

![What a filter takes of a request](benchmarks/filters.svg)

By the clock of the runtime, in a loop, with a request that it lets pass, and where it would ask somebody else (state, KV) answered at once. The last
digit swings. A layer's includes the response that it wraps. Linking is done once, when a gate starts.

${routingSection(results)}${startSection(results)}${targetSection(results)}`;
};

const requestSection = ({ effort, requests, cpu }: Results): string => `## A request

![Instructions a request](benchmarks/requests.svg)

Instructions are counted by callgrind on raw workerd, ${effort.rounds} rounds of ${effort.requests} requests after ${effort.warmup}, and do not depend on
what else the machine does. The unit is a Worker that only says \`fetch(request)\`. Each subject has to show that it does its work before it is
counted. CPU time is taken by turns from a subject and from the passthrough; it swings, so its least and most stand beside it.

The five filters are CORS, JWT (RS256), a rate limit in memory, header rewriting, and the proxy. Hono does them with its own
middleware, and a limiter by hand. A gate also names requests, continues traces, cleans forwarding headers and keeps a deadline.

${markdown(
  ["subject", "instructions", "ratio", "rounds", "CPU ratio", "least to most"],
  requests.map(({ name, instructions, ratio, least, most }, index) => {
    const time = cpu.find((it) => it.name === name);
    return [
      name,
      count(instructions),
      ratio.toFixed(2),
      `${count(least)} to ${count(most)}`,
      index === 0 ? "1.00" : time ? time.ratio.toFixed(2) : "",
      time ? `${time.least.toFixed(2)} to ${time.most.toFixed(2)}` : "",
    ];
  }),
)}

`;

const routingSection = ({ micro }: Results): string => `## Routing

![One match](benchmarks/routing.svg)

The match tree is made when a manifest is compiled. A start only parses it; a place is indexed when a request first comes by. A match
meets all routes in turn, in an order that jumps about; rou3 meets the same requests in the same process.

${markdown(
  ["routes", "match, ns", "rou3, ns", "ready at start, ms", "first match of every route, ms", "memory, MiB"],
  micro.routing.map((it) => [
    count(it.routes),
    count(it.match),
    count(it.rou3),
    it.ready.toFixed(0),
    it.allMet.toFixed(0),
    it.memory < 0.1 ? "below 0.1" : it.memory.toFixed(1),
  ]),
)}

`;

const startSection = ({ starts, further }: Results): string => `## Start and size

![A start](benchmarks/starts.svg)

${markdown(
  [
    "Worker",
    "KB, minified",
    "instructions over an empty Worker",
    "ratio to Hono's hello",
    "CPU over an empty Worker, ms",
    "one more in a process, MiB",
  ],
  starts.map(({ name, bytes, instructions, ratio }) => {
    const more = further.find((it) => it.name === name);
    return [
      name,
      (bytes / 1024).toFixed(1),
      count(instructions),
      ratio.toFixed(2),
      more?.cpuMs.toFixed(1) ?? "",
      more?.memory.toFixed(2) ?? "",
    ];
  }),
)}

`;

const targetSection = (results: Results): string => `## Against what we aim at

${markdown(
  ["aim", "at most", "by hand", "measured", ""],
  targetRows(results).map(({ what, most, floor, measured, digits }) => [
    what,
    most.toFixed(digits),
    floor?.toFixed(digits) ?? "",
    measured.toFixed(digits),
    measured <= most ? "holds" : "**missed**",
  ]),
)}

By hand is the floor that [stands above](#where-a-gates-instructions-go).

\`npm run bench:gate\` compares each change with what was measured before, and \`npm run bench:compile\` measures the compiler.
`;

interface TargetRow {
  readonly what: string;
  readonly most: number;
  /** The floor of a Worker by hand, where that was measured. */
  readonly floor?: number;
  readonly measured: number;
  readonly digits: number;
}

const targetRows = ({ requests, starts, further, micro, where }: Results): readonly TargetRow[] => {
  const ratio = (name: string): number => requests.find((it) => it.name === name)?.ratio ?? Number.NaN;
  const many = (routes: number) => micro.routing.find((it) => it.routes === routes);
  const common = further.find(({ name }) => name === "gate, five filters");
  const to = (what: string, most: number, measured = Number.NaN, digits = 2): TargetRow => ({
    what,
    most,
    measured,
    digits,
  });
  return [
    ...where.floors.map(
      ({ aim, most, floor, of }): TargetRow => ({
        what: `a request, ${aim}`,
        most,
        floor,
        measured: ratio(of),
        digits: 2,
      }),
    ),
    to("10,000 routes to 10", 1.03, ratio("gate, 10,000 routes") / ratio("gate, 10 routes"), 3),
    to("ten idle guards, ns", 300, micro.tenGuards, 0),
    to("a match at 10,000 routes, ns", 1500, many(10_000)?.match, 0),
    to("a match at 100,000 routes, ns", 2500, many(100_000)?.match, 0),
    to("ready at 10,000 routes, ms", 50, many(10_000)?.ready, 0),
    to("ready at 100,000 routes, ms", 600, many(100_000)?.ready, 0),
    to("memory at 10,000 routes, MiB", 8, many(10_000)?.memory, 1),
    to(
      "a gate's core, KB",
      60,
      (starts.find(({ name }) => name === "gate, no filters")?.bytes ?? Number.NaN) / 1024,
      1,
    ),
    to("a start of five filters over an empty Worker, CPU ms", 5, common?.cpuMs, 1),
    to("each further gate of five filters in a process, MiB", 3, common?.memory),
  ];
};

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
