/**
 * Measures the time of pieces of the gateway in the runtime: the router with ten to a hundred thousand routes, and idle
 * guards.
 */
import path from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { buildRouteTable, type RouteTable } from "../../../functions/gateway/routing/route-table.ts";
import { router } from "../../../functions/gateway/routing/router.ts";
import { scratchFolder } from "../runtime/scratch.ts";
import { bundleWorker, writeWorkerdConfig } from "../runtime/workerd.ts";
import { startWorkerd } from "../runtime/workerd-process.ts";
import { manyRoutes, requestsTo } from "../workers/many-routes.ts";

export interface Routing {
  readonly routes: number;
  /** Nanoseconds of one match, median of the rounds. */
  readonly match: number;
  /** The same by rou3. */
  readonly rou3: number;
  /** Milliseconds until a gate can match: its route table is parsed. */
  readonly ready: number;
  /** Milliseconds of the first match of every route, which builds the index of the places that it passes. */
  readonly allMet: number;
  /** Memory of the whole index, when every route has been matched, in MiB. */
  readonly memory: number;
}

export interface Micro {
  readonly routing: readonly Routing[];
  /** Nanoseconds that ten idle guards add to a request. */
  readonly tenGuards: number;
}

const rounds = 5;

export const measureMicro = async (): Promise<Micro> => {
  const folder = scratchFolder();
  const routing: Routing[] = [];
  let tenGuards = 0;
  for (const routes of [10, 10_000, 100_000]) {
    const own = path.join(folder, String(routes));
    const text = JSON.stringify(buildRouteTable(manyRoutes(routes)));
    const worker = await bundleWorker(entryOf(routes), { "table.js": `export default ${JSON.stringify(text)};` });
    const runtime = await startWorkerd(writeWorkerdConfig(own, [worker]));
    const measurePiece = async (piece: string, times: number): Promise<number> =>
      Number(await (await fetch(`http://127.0.0.1:${runtime.port}/${encodeURIComponent(piece)}/${times}`)).text());
    const medianOf = async (piece: string, times: number): Promise<number> => {
      // A warm-up for the JIT.
      await measurePiece(piece, times);
      return median(await repeatRounds(async () => ((await measurePiece(piece, times)) / times) * 1e6));
    };
    const allMet = (await measurePiece("all met", 1)) - (await measurePiece("ready", 1));
    const ready = median(await repeatRounds(() => measurePiece("ready", 1)));
    routing.push({
      routes,
      match: await medianOf("match", 300_000),
      rou3: await medianOf("rou3", 300_000),
      ready,
      allMet,
      memory: memoryOf(text, routes),
    });
    if (routes === 10) tenGuards = (await medianOf("ten guards", 500_000)) - (await medianOf("no guards", 500_000));
    runtime.stop();
  }
  return { routing, tenGuards };
};

const repeatRounds = async (measurePiece: () => Promise<number>): Promise<readonly number[]> => {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) samples.push(await measurePiece());
  return samples;
};

const entryOf = (routes: number): string => `import text from "./table.js";
import { piecesOf } from "./pieces.ts";
const pieces = piecesOf(text, ${routes});
export default {
  fetch: async (request) => {
    const [, piece, times] = new URL(request.url).pathname.split("/");
    return new Response(String(await pieces[decodeURIComponent(piece)](Number(times))));
  },
};`;

const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;

/** Node has the same engine, and its heap can be measured. */
const memoryOf = (text: string, routes: number): number => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const requests = requestsTo(routes);
  const url = new URL("https://gate.example/");
  const request = new Request(url);
  const before = heap();
  const match = router(JSON.parse(text) as RouteTable);
  for (const it of requests) match(it.method, it.path, request, url);
  const after = heap();
  // One more match keeps the index alive until the heap is measured.
  if (match("GET", "/", request, url).kind === "found") throw new Error("no route is for /");
  return after - before;
};
