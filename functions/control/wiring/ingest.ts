/** Receives the reports of gates, fronts and the tail, and passes them to the tiers' telemetry objects. */

import { frontName } from "../../front/front-name.ts";
import { parsed } from "../../gateway/core/json.ts";
import type { Report } from "../../gateway/observability/report.ts";
import { groups, type Sample } from "../../gateway/observability/samples.ts";
import { dataPoints } from "../exporters/analytics-engine.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { World } from "../model/runtime.ts";
import { objectOf } from "../rpc/objects.ts";
import type { Tally } from "../telemetry/counts/tally.ts";
import type { StartedCells } from "../telemetry/evidence/cells.ts";
import { cellsOfFront, cellsOfGate, cellsThrough, sampleOfAll } from "../telemetry/evidence/report-cells.ts";
import { frontReport, report, tailReport } from "../telemetry/reports.ts";
import type { ObserverReport } from "../telemetry/store.ts";
import type { Bindings } from "./bindings.ts";
import { frontReportsByTier, frontSeries, tailReportsByTier, tailReportsOfFront } from "./observer-reports.ts";

const maxReportChars = 1024 * 1024;

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
      const { tier, version, series, causes } = it.data;
      if (!mayReportFor(props, tier)) {
        await recordReports(refusedReport(props));
        return refuse(403, `the binding of this gate does not speak for the tier "${tier}"`);
      }
      if (!Object.hasOwn(tiers, tier)) return refuse(404, `there is no tier "${tier}" in control's plan`);
      const tallies = [...talliesOf(it.data), ...(analytics ? writeAnalytics(it.data, analytics) : [])];
      const fronts = it.data.fronts.map((front) => ({
        version: front.version,
        ...counted({ groups: front.groups, cold: 0 }, cellsThrough(front)),
      }));
      const { sample, cells } = counted(it.data.sample, cellsOfGate(it.data));
      await objectOf(stores, tier).take(version, sample, series, now(), { tier, tallies, fronts }, causes, cells);
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
      const { version, answers } = it.data;
      const { sample, cells } = counted(it.data.sample, cellsOfFront(it.data));
      const own = { tier: frontName, tallies: [] };
      if (version !== "")
        await objectOf(stores, frontName).take(version, sample, answers.map(frontSeries), now(), own, undefined, cells);
      return accepted();
    }
  }
};

/** Cells, with their totals: a gate of an earlier release reports totals by groups of users in their place. */
const counted = (
  reported: Sample,
  cells: readonly StartedCells[],
): { readonly sample: Sample; readonly cells: readonly StartedCells[] } => ({
  sample: Object.keys(reported.groups).length > 0 ? reported : sampleOfAll(cells),
  cells,
});

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

const accepted = (): Response => new Response(null, { status: 204 });

const refuse = (status: number, text: string): Response => new Response(text.slice(0, 300), { status });
