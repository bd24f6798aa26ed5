/** Loads a tier's telemetry object as a large rollout does, and measures what it costs. */
import type { ControlPlan } from "../../../functions/control/model/plan.ts";
import type { StageQuery } from "../../../functions/control/telemetry/stage-table.ts";
import { openStore } from "../../../functions/control/telemetry/store.ts";
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
  /** The same of a rollout's question, every two seconds; the slowest one with what a pass needs. */
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

export const measureTelemetryLoad = async (
  { isolates, requestsPerSecond, clients, minutes }: TelemetryLoad,
  random: () => number,
): Promise<TelemetryCost> => {
  const sql = memorySql();
  const store = openStore(sql);
  const plan = { tiers: { tier: { workers: ["gate"] } }, frontFacts: { workers: [] } } as unknown as ControlPlan;
  const begin = Date.UTC(2026, 10, 1);
  const clock = { now: begin };
  const spent = { worker: 0, object: 0, evidence: 0, bounds: 0, sweep: 0 };
  const object = {
    take: async (...args: Parameters<typeof store.take>) => {
      const started = cpuMs();
      store.take(...args);
      spent.object += cpuMs() - started;
    },
  };
  const env = { TELEMETRY: { getByName: () => object } } as never;
  const query: StageQuery = {
    ...{ stable: "stable", canary: "canary", since: begin, until: null, stretch: 4, isOneRoute: false, bounds: false },
    settling: { requests: 30_000, latency: 120_000 },
  };
  const perReport = (requestsPerSecond * cellMs) / 1000 / isolates;
  const counted = { reports: 0, bytes: 0, questions: 0 };
  const memoryBefore = memory();
  for (; clock.now < begin + minutes * 60_000; clock.now += cellMs) {
    for (let isolate = 0; isolate < isolates; isolate++) {
      const requests = Math.floor(perReport) + (random() < perReport % 1 ? 1 : 0);
      if (requests === 0) continue;
      const version = isolate < isolates * canaryShare ? "canary" : "stable";
      const body = JSON.stringify(
        reportOf(version, requests, clock.now - cellMs * (1 + Math.floor(random() * 2)), clients, random),
      );
      counted.bytes += body.length;
      counted.reports++;
      const started = cpuMs();
      const request = new Request("https://control/v1/report", { method: "POST", body });
      const answer = await ingest(request, { from: "gate", tiers: ["tier"] }, plan, env, {
        now: () => clock.now,
        random,
      });
      spent.worker += cpuMs() - started;
      if (answer.status !== 204) throw new Error(await answer.text());
    }
    spent.evidence += time(() => store.evidence(query, clock.now));
    counted.questions++;
    if ((clock.now - begin) % 60_000 !== 0) continue;
    spent.sweep = Math.max(
      spent.sweep,
      time(() => store.sweep(clock.now)),
    );
    spent.bounds = Math.max(
      spent.bounds,
      time(() => store.evidence({ ...query, bounds: true }, clock.now)),
    );
  }
  const stageMiB = (memory() - memoryBefore) / 2 ** 20;
  const again = openStore(sql);
  let found: ReturnType<typeof again.evidence>;
  const rebuildMs = time(() => {
    do found = again.evidence(query, clock.now);
    while (!found);
  });
  return {
    reports: counted.reports,
    reportBytes: counted.bytes / counted.reports,
    workerMs: (spent.worker - spent.object) / counted.reports,
    objectMs: spent.object / counted.reports,
    evidenceMs: spent.evidence / counted.questions,
    boundsMs: spent.bounds,
    sweepMs: spent.sweep,
    rebuildMs,
    databaseMiB: sql.databaseSize / 2 ** 20,
    stageMiB,
    clusters: found?.summary.stable.clusters ?? 0,
    requests: (found?.summary.stable.totals[0] ?? 0) + (found?.summary.canary.totals[0] ?? 0),
  };
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
