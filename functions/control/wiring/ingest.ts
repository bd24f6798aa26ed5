/** Receives the reports of gates, fronts and the tail, and passes them to the tiers' telemetry objects. */

import { frontName } from "../../front/own-counts.ts";
import type { FrontReport } from "../../front/telemetry.ts";
import { parsed } from "../../gateway/core/json.ts";
import type { Report, Series } from "../../gateway/observability/report.ts";
import { groups } from "../../gateway/observability/samples.ts";
import { dataPoints } from "../exporters/analytics-engine.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { World } from "../model/runtime.ts";
import { objectOf } from "../rpc/objects.ts";
import type { TailReport } from "../tail/counts.ts";
import { frontReport, report, tailReport } from "../telemetry/reports.ts";
import { deathsIn, spreadCounts, spreadDeaths } from "../telemetry/samples.ts";
import type { ObserverReport } from "../telemetry/store.ts";
import type { Tally } from "../telemetry/tally.ts";
import type { Bindings } from "./bindings.ts";

const maxReportChars = 1024 * 1024;

type Tiers = ControlPlan["tiers"];

/** The reporter's identity, from the service binding's `props`. A request cannot change it, so no gate can report for a tier that it does not serve. */
export type IngestProps =
  | { readonly from: "gate"; readonly tiers: readonly string[] }
  | { readonly from: "front" | "tail" };

const reportPaths = { gate: "/v1/report", front: "/v1/front", tail: "/v1/tail" } as const;

export const ingest = async (
  request: Request,
  props: IngestProps,
  { tiers, frontFacts }: Pick<ControlPlan, "tiers" | "frontFacts">,
  { TELEMETRY: stores, ANALYTICS: analytics }: Pick<Bindings, "TELEMETRY" | "ANALYTICS">,
  { now, random }: Pick<World, "now" | "random">,
): Promise<Response> => {
  const text = await request.text();
  const { pathname } = new URL(request.url);
  if (request.method !== "POST" || text.length > maxReportChars)
    return refuse(400, "a report is posted, 1 MiB at most");
  const path = reportPaths[props.from];
  if (pathname !== path) return refuse(404, `what is bound as ${props.from} reports to ${path}`);
  const recordReports = async (news: readonly ObserverReport[]): Promise<Response> => {
    const byTier = Map.groupBy(news, ({ tier }) => tier);
    await Promise.all(
      [...byTier]
        .filter(([tier]) => Object.hasOwn(tiers, tier) || tier === frontName)
        .map(([tier, it]) => objectOf(stores, tier).hear(it, now())),
    );
    return accepted();
  };
  const value = parsed(text);
  switch (path) {
    case "/v1/report": {
      const it = report.safeParse(value);
      if (!it.success) return refuse(400, it.error.message);
      const { tier, version, sample, series, causes } = it.data;
      if (!mayReportFor(props, tier)) {
        await recordReports(refusedReport(props));
        return refuse(403, `the binding of this gate does not speak for the tier "${tier}"`);
      }
      if (!Object.hasOwn(tiers, tier)) return refuse(404, `there is no tier "${tier}" in control's plan`);
      const tallies = [...talliesOf(it.data), ...(analytics ? writeAnalytics(it.data, analytics) : [])];
      const fronts = it.data.fronts.map((front) => ({
        version: front.version,
        sample: { groups: front.groups, cold: 0 },
      }));
      await objectOf(stores, tier).take(version, sample, series, now(), { tier, tallies, fronts }, causes);
      return accepted();
    }
    case "/v1/tail": {
      const it = tailReport.safeParse(value);
      if (!it.success) return refuse(400, it.error.message);
      const [front] = frontFacts.workers;
      return recordReports([
        ...tailReportsByTier(it.data, tiers, random),
        ...tailReportsOfFront(it.data, front, () => Math.floor(random() * groups)),
      ]);
    }
    case "/v1/front": {
      const it = frontReport.safeParse(value);
      if (!it.success) return refuse(400, it.error.message);
      await recordReports(frontReportsByTier(it.data, tiers));
      const { version, sample, answers } = it.data;
      if (version !== "")
        await objectOf(stores, frontName).take(version, sample, answers.map(frontSeries), now(), {
          tier: frontName,
          tallies: [],
        });
      return accepted();
    }
  }
};

/** A gate that was deployed before `props` named its tiers may report for none until it is deployed again. */
const mayReportFor = (props: IngestProps, tier: string): boolean =>
  props.from === "gate" && (props.tiers ?? []).includes(tier);

/** Counts a rejected report with the gate's first tier, without its version, which is unverified. */
const refusedReport = (props: IngestProps): ObserverReport[] => {
  const [tier] = props.from === "gate" ? (props.tiers ?? []) : [];
  if (tier === undefined) return [];
  return [{ tier, version: "", tallies: [{ name: "reports-refused", labels: { from: "gate" }, by: 1 }] }];
};

const talliesOf = ({ marks, streams, bodies, lost }: TalliedReport): Tally[] => [
  ...marks.map(({ kind, route, filter, decision, count }) => ({
    name: kind,
    labels: { route, filter, ...(kind === "shadow" && { decision }) },
    by: count,
  })),
  ...streams.map(({ route, how, kind, count }) => ({
    name: "streams" as const,
    labels: { route, how, kind },
    by: count,
  })),
  ...bodies.map(({ count, ...labels }) => ({ name: "bodies" as const, labels, by: count })),
  { name: "reports-lost", labels: {}, by: lost },
];

/** How a stream or a body ended is free text: the gate may be newer than control. */
type TalliedReport = Pick<Report, "marks" | "lost"> & {
  readonly streams: readonly {
    readonly route: string;
    readonly how: string;
    readonly kind: string;
    readonly count: number;
  }[];
  readonly bodies: readonly {
    readonly route: string;
    readonly upstream: string;
    readonly how: string;
    readonly count: number;
  }[];
};

/** Writes data points without waiting. @returns a count of those beyond the limit */
const writeAnalytics = (
  it: Pick<Report, "tier" | "version" | "series">,
  analytics: AnalyticsEngineDataset,
): Tally[] => {
  const { points, lost } = dataPoints(it);
  for (const point of points) analytics.writeDataPoint(point);
  return [{ name: "analytics-lost", labels: {}, by: lost }];
};

/** A death in a shared gate counts for each of its tiers, because the request's tier is unknown. */
const tailReportsByTier = (
  { cpu, deaths: deathCounts, faults, spans }: TailReport,
  tiers: Tiers,
  random: () => number,
): ObserverReport[] => {
  const tiersOf = (worker: string) =>
    Object.entries(tiers)
      .filter(([, { workers }]) => workers.includes(worker))
      .map(([tier]) => tier);
  return [
    ...cpu.flatMap(({ worker, tier, version, route, requests, cpuMs }): ObserverReport[] => {
      const of = tier === "" ? tiersOf(worker) : [tier];
      const labels = { route };
      const tallies: Tally[] = [
        { name: "cpu", labels, by: cpuMs },
        { name: "cpu-requests", labels, by: requests },
      ];
      return of.length === 1 ? [{ tier: of[0] as string, version, tallies }] : [];
    }),
    ...deathCounts.flatMap(({ worker, version, outcome, count }) =>
      tiersOf(worker).map((tier, index) => ({
        tier,
        version,
        tallies: [{ name: "deaths" as const, labels: { seen: "tail", outcome }, by: count }],
        // A rollout sums all tiers of a gate, and each request died once.
        ...(index === 0 && {
          deaths: { seen: "tail" as const, sample: spreadDeaths(count, Math.floor(random() * groups), groups) },
        }),
      })),
    ),
    ...faults.map(({ tier, version, code, count }) => ({
      tier,
      version,
      tallies: [{ name: "faults" as const, labels: { code }, by: count }],
    })),
    ...spans.map(({ tier, taken, failed, lost }) => ({
      tier,
      version: "",
      tallies: [
        { name: "pushes" as const, labels: { signal: "traces", outcome: "taken" }, by: taken },
        { name: "pushes" as const, labels: { signal: "traces", outcome: "failed" }, by: failed },
        { name: "push-lost" as const, labels: { signal: "traces" }, by: lost },
      ],
    })),
  ];
};

/** What the tail saw of the front: its requests by version, and those that died. */
const tailReportsOfFront = (
  { deaths, fronts }: TailReport,
  front: string | undefined,
  anyGroup: () => number,
): ObserverReport[] => [
  ...deaths
    .filter(({ worker }) => worker === front)
    .map(({ version, outcome, count }) => ({
      tier: frontName,
      version,
      // They are among the statuses as well.
      tallies: [{ name: "deaths" as const, labels: { seen: "tail", outcome }, by: count }],
    })),
  ...(fronts.length === 0
    ? []
    : [
        {
          tier: frontName,
          version: "",
          tallies: [],
          fronts: fronts.map(({ version, ...counts }) => ({
            version,
            sample: spreadCounts({ ...counts, upstreamErrors: 0, abandoned: 0 }, anyGroup(), groups),
          })),
        },
      ]),
];

const frontSeries = ({ status, count, latency }: FrontReport["answers"][number]): Series => ({
  ...{ route: "", method: "", status, verdict: "passed", by: "", code: "", upstream: "", count, latency },
  ...{ upstreamMs: 0, bytesIn: 0, bytesOut: 0 },
});

/** Lost reports count with the first tier, because their tiers are unknown. */
const frontReportsByTier = (
  { counts, deaths: deathCounts, lost, version: frontVersion }: FrontReport,
  tiers: Tiers,
): ObserverReport[] => [
  ...counts.map(({ tier, status, code, count }, index) => ({
    tier,
    version: frontVersion,
    tallies: [
      { name: "front" as const, labels: { status, code }, by: count },
      { name: "reports-lost" as const, labels: { from: "front" }, by: index === 0 ? lost : 0 },
    ],
  })),
  ...[...Map.groupBy(deathCounts, ({ tier, version }) => `${tier}\n${version}`).values()].map((sameVersion) => ({
    tier: sameVersion[0]?.tier ?? "",
    version: sameVersion[0]?.version ?? "",
    tallies: [{ name: "deaths" as const, labels: { seen: "front", outcome: "exception" }, by: sameVersion.length }],
    // For tiers of a shared gate only the tail counts: the two observers cannot be compared tier by tier.
    ...(!sharesGate(tiers, sameVersion[0]?.tier ?? "") && {
      deaths: { seen: "front" as const, sample: deathsIn(sameVersion.map(({ group }) => group % groups)) },
    }),
  })),
];

const sharesGate = (tiers: Tiers, tier: string): boolean => {
  const own = Object.hasOwn(tiers, tier) ? (tiers[tier]?.workers ?? []) : [];
  return Object.entries(tiers).some(([name, { workers }]) => name !== tier && workers.some((it) => own.includes(it)));
};

const accepted = (): Response => new Response(null, { status: 204 });

const refuse = (status: number, text: string): Response => new Response(text.slice(0, 300), { status });
