/** Loads a tier's telemetry object as a large rollout does, and measures what it costs. */
import type { ControlPlan } from "../../../functions/control/model/plan.ts";
import type { StageQuery } from "../../../functions/control/telemetry/evidence/stage-table.ts";
import { openStore, type TelemetryStore } from "../../../functions/control/telemetry/store.ts";
import { ingest } from "../../../functions/control/wiring/ingest.ts";
import { cellMs } from "../../../functions/gateway/observability/cells.ts";
import { clustersPerKind } from "../../../functions/gateway/observability/clusters.ts";
import type { Cell, Report, Series } from "../../../functions/gateway/observability/report.ts";
import { binOf } from "../../../functions/gateway/observability/samples.ts";
import { memorySql } from "../runtime/sqlite.ts";

export interface TelemetryLoad {
  /** Each reports every two seconds. */
  readonly isolates: number;
  readonly requestsPerSecond: number;
  readonly clients: number;
  readonly minutes: number;
}

export interface TelemetryCost {
  readonly reports: number;
  /** Mean bytes of a report. */
  readonly reportBytes: number;
  /** Mean milliseconds of CPU of a report: in control's Worker, and in the object. */
  readonly workerMs: number;
  readonly objectMs: number;
  /** The same of a rollout's question, every two seconds; and of one with what a pass needs. */
  readonly evidenceMs: number;
  readonly boundsMs: number;
  /** The longest merging of rows. */
  readonly sweepMs: number;
  /** Of the same question after a restart. */
  readonly rebuildMs: number;
  readonly databaseMiB: number;
  /** Of the counts of one stage. */
  readonly stageMiB: number;
  /** Clusters with requests, by which the result is checked. */
  readonly clusters: number;
  readonly requests: number;
}

const routes = 20;
const canaryShare = 0.1;

export const measureTelemetryLoad = async (load: TelemetryLoad, random: () => number): Promise<TelemetryCost> => {
  const sql = memorySql();
  const store = openStore(sql);
  const spent = { worker: 0, object: 0, evidence: 0, bounds: 0, sweep: 0 };
  const counted = { reports: 0, bytes: 0, questions: 0 };
  const memoryBefore = memory();
  let now = begin;
  for (; now < begin + load.minutes * 60_000; now += cellMs) {
    for (const report of reportsOf(load, now, random)) {
      const body = JSON.stringify(report);
      counted.bytes += body.length;
      counted.reports++;
      const { worker, object } = await send(body, store, now);
      spent.worker += worker;
      spent.object += object;
    }
    spent.evidence += time(() => store.evidence(query, now));
    counted.questions++;
    if ((now - begin) % 60_000 !== 0) continue;
    spent.sweep = Math.max(
      spent.sweep,
      time(() => store.sweep(now)),
    );
    spent.bounds += time(() => store.evidence({ ...query, bounds: true }, now));
  }
  const stageMiB = (memory() - memoryBefore) / 2 ** 20;
  const again = openStore(sql);
  let found: ReturnType<typeof again.evidence>;
  const rebuildMs = time(() => {
    do found = again.evidence(query, now);
    while (!found);
  });
  const { stable, canary } = found?.summary ?? {};
  return {
    reports: counted.reports,
    reportBytes: counted.bytes / counted.reports,
    workerMs: spent.worker / counted.reports,
    objectMs: spent.object / counted.reports,
    evidenceMs: spent.evidence / counted.questions,
    boundsMs: spent.bounds / load.minutes,
    sweepMs: spent.sweep,
    rebuildMs,
    databaseMiB: sql.databaseSize / 2 ** 20,
    stageMiB,
    clusters: stable?.clusters ?? 0,
    requests: (stable?.totals[0] ?? 0) + (canary?.totals[0] ?? 0),
  };
};

const begin = Date.UTC(2026, 10, 1);
const plan = { tiers: { tier: { workers: ["gate"] } }, frontFacts: { workers: [] } } as unknown as ControlPlan;
const query: StageQuery = {
  ...{ stable: "stable", canary: "canary", since: begin, until: null, stretch: 4, isOneRoute: false, bounds: false },
  settling: { requests: 30_000, latency: 120_000 },
};

/** Sends a report to control's Worker, which passes it to the object. @returns the CPU of both, in milliseconds */
const send = async (
  body: string,
  store: Pick<TelemetryStore, "take">,
  now: number,
): Promise<{ readonly worker: number; readonly object: number }> => {
  let object = 0;
  const take = async (...args: Parameters<TelemetryStore["take"]>) => {
    object = time(() => store.take(...args));
  };
  const started = cpuMs();
  const request = new Request("https://control/v1/report", { method: "POST", body });
  const env = { TELEMETRY: { getByName: () => ({ take }) } } as never;
  const answer = await ingest(request, { from: "gate", tiers: ["tier"] }, plan, env, {
    now: () => now,
    random: () => 0,
  });
  if (answer.status !== 204) throw new Error(await answer.text());
  return { worker: cpuMs() - started - object, object };
};

/** The reports of all isolates with requests in an interval. Some have requests of the one before. */
const reportsOf = function* (
  { isolates, requestsPerSecond, clients }: TelemetryLoad,
  now: number,
  random: () => number,
): Generator<Report> {
  const perReport = (requestsPerSecond * cellMs) / 1000 / isolates;
  for (let isolate = 0; isolate < isolates; isolate++) {
    const requests = Math.floor(perReport) + (random() < perReport % 1 ? 1 : 0);
    const version = isolate < isolates * canaryShare ? "canary" : "stable";
    const at = now - cellMs * (1 + Math.floor(random() * 2));
    if (requests > 0) yield reportOf(version, requests, at, clients, random);
  }
};

/** CPU, since others may use the machine. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

const time = (work: () => unknown): number => {
  const started = cpuMs();
  work();
  return cpuMs() - started;
};

/** The arrays of counts are outside of the heap. */
const memory = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().arrayBuffers;
};

/** What most gates report in two seconds: few requests, on few routes. */
const reportOf = (version: string, requests: number, at: number, clients: number, random: () => number): Report => {
  const all = Array.from({ length: requests }, () => ({
    route: `route-${Math.floor(random() * routes)}`,
    status: random() < 0.01 ? "503" : random() < 0.03 ? "401" : "200",
    bin: binOf(20 - 30 * Math.log(1 - random())),
    cluster: clusterOf(Math.floor(random() ** 2 * clients)),
  }));
  const byOutcome = [...Map.groupBy(all, ({ route, status }) => `${route} ${status}`).values()];
  const cells = byOutcome.flatMap((some, index) => some.map(({ cluster, bin }): Cell => [index, cluster, bin, 1]));
  return {
    ...{ tier: "tier", version, sample: { groups: {}, cold: 0 }, every: 1, lost: 0 },
    ...{ marks: [], streams: [], bodies: [], brokenBodies: [], fronts: [] },
    series: byOutcome.map((some): Series => {
      const { route, status, bin } = some[0] as (typeof all)[number];
      const failure = { 503: "failed", 401: "refused" }[status];
      return {
        ...{
          route,
          status,
          method: "GET",
          by: failure ? "jwt" : "",
          code: failure ? `${status}-code` : "",
          upstream: "service",
        },
        ...{ verdict: (failure ?? "passed") as Series["verdict"], count: some.length, latency: [[bin, some.length]] },
        ...{ upstreamMs: 20, bytesIn: 300, bytesOut: 3000 },
      };
    }),
    cells: [{ at: at - (at % cellMs), cells }],
  };
};

/** A third of the clients is known by their consumer, and a third has no key. */
const clusterOf = (client: number): number =>
  (client % 3) * clustersPerKind + (((client * 2654435761) >>> 0) % clustersPerKind);
