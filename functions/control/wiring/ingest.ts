/** Hands what comes in to the objects of its tiers. */

import type { FrontReport } from "../../front/telemetry.ts";
import { parsed } from "../../gateway/core/json.ts";
import type { Report } from "../../gateway/observability/metrics.ts";
import { groups } from "../../gateway/observability/samples.ts";
import { dataPoints } from "../exporters/analytics-engine.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { World } from "../model/runtime.ts";
import { objectOf } from "../rpc/objects.ts";
import type { TailReport } from "../tail/collector.ts";
import { frontReport, report, tailReport } from "../telemetry/reports.ts";
import { deaths, deathsIn } from "../telemetry/samples.ts";
import type { News } from "../telemetry/store.ts";
import type { Tally } from "../telemetry/tally.ts";
import type { Bindings } from "./bindings.ts";

const mostBytes = 1024 * 1024;

type Tiers = ControlPlan["tiers"];

/** What the binding says of who reports. No request can change it, so no gate speaks for a tier that it does not serve. */
export type IngestProps =
  | { readonly from: "gate"; readonly tiers: readonly string[] }
  | { readonly from: "front" | "tail" };

const paths = { gate: "/v1/report", front: "/v1/front", tail: "/v1/tail" } as const;

export const ingest = async (
  request: Request,
  props: IngestProps,
  { tiers }: Pick<ControlPlan, "tiers">,
  { TELEMETRY: stores, ANALYTICS: analytics }: Pick<Bindings, "TELEMETRY" | "ANALYTICS">,
  { now, random }: Pick<World, "now" | "random">,
): Promise<Response> => {
  const text = await request.text();
  const { pathname } = new URL(request.url);
  if (request.method !== "POST" || text.length > mostBytes) return refused(400, "a report is posted, 1 MiB at most");
  const path = paths[props.from];
  if (pathname !== path) return refused(404, `what is bound as ${props.from} reports to ${path}`);
  const hear = async (news: readonly News[]): Promise<Response> => {
    const known = Map.groupBy(news, ({ tier }) => tier);
    await Promise.all(
      [...known]
        .filter(([tier]) => Object.hasOwn(tiers, tier))
        .map(([tier, it]) => objectOf(stores, tier).hear(it, now())),
    );
    return taken();
  };
  const value = parsed(text);
  switch (path) {
    case "/v1/report": {
      const it = report.safeParse(value);
      if (!it.success) return refused(400, it.error.message);
      const { tier, version, sample, series } = it.data;
      if (!speaksFor(props, tier)) {
        await hear(refusedOf(props));
        return refused(403, `the binding of this gate does not speak for the tier "${tier}"`);
      }
      if (!Object.hasOwn(tiers, tier)) return refused(404, `control knows no tier "${tier}"`);
      const tallies = [...noted(it.data), ...(analytics ? written(it.data, analytics) : [])];
      await objectOf(stores, tier).take(version, sample, series, now(), { tier, tallies });
      return taken();
    }
    case "/v1/tail": {
      const it = tailReport.safeParse(value);
      return it.success ? hear(newsOfTail(it.data, tiers, random)) : refused(400, it.error.message);
    }
    case "/v1/front": {
      const it = frontReport.safeParse(value);
      return it.success ? hear(newsOfFront(it.data, tiers)) : refused(400, it.error.message);
    }
  }
};

/** A gate of before Postern said whom it serves speaks for nobody until it is deployed again. */
const speaksFor = (props: IngestProps, tier: string): boolean =>
  props.from === "gate" && (props.tiers ?? []).includes(tier);

/** Counted with the first tier of the gate that tried. Its version is its own word, so it is left out. */
const refusedOf = (props: IngestProps): News[] => {
  const [tier] = props.from === "gate" ? (props.tiers ?? []) : [];
  if (tier === undefined) return [];
  return [{ tier, version: "", tallies: [{ name: "reports-refused", labels: { from: "gate" }, by: 1 }] }];
};

const noted = ({ marks, streams, lost }: Noted): Tally[] => [
  ...marks.map(({ kind, route, filter, decision, count }) => ({
    name: kind,
    labels: { route, filter, ...(kind === "shadow" && { decision }) },
    by: count,
  })),
  ...streams.map(({ route, how, count }) => ({ name: "streams" as const, labels: { route, how }, by: count })),
  { name: "reports-lost", labels: {}, by: lost },
];

/** How a stream ended is a word of the gate's, which may be newer than control. */
type Noted = Pick<Report, "marks" | "lost"> & {
  readonly streams: readonly { readonly route: string; readonly how: string; readonly count: number }[];
};

/** Written without being waited for. @returns what it would not have taken */
const written = (it: Pick<Report, "tier" | "version" | "series">, analytics: AnalyticsEngineDataset): Tally[] => {
  const { points, lost } = dataPoints(it);
  for (const point of points) analytics.writeDataPoint(point);
  return [{ name: "analytics-lost", labels: {}, by: lost }];
};

/** Whose request died in a gate of several tiers nobody knows, so that is told of each of them. */
const newsOfTail = ({ cpu, deaths: dead, faults, spans }: TailReport, tiers: Tiers, random: () => number): News[] => {
  const tiersOf = (worker: string) =>
    Object.entries(tiers)
      .filter(([, { workers }]) => workers.includes(worker))
      .map(([tier]) => tier);
  return [
    ...cpu.flatMap(({ worker, tier, version, route, requests, cpuMs }): News[] => {
      const of = tier === "" ? tiersOf(worker) : [tier];
      const labels = { route };
      const tallies: Tally[] = [
        { name: "cpu", labels, by: cpuMs },
        { name: "cpu-requests", labels, by: requests },
      ];
      return of.length === 1 ? [{ tier: of[0] as string, version, tallies }] : [];
    }),
    ...dead.flatMap(({ worker, version, outcome, count }) =>
      tiersOf(worker).map((tier, index) => ({
        tier,
        version,
        tallies: [{ name: "deaths" as const, labels: { seen: "tail", outcome }, by: count }],
        // A rollout adds up all tiers of a gate, and each request has died once.
        ...(index === 0 && {
          deaths: { seen: "tail" as const, sample: deaths(count, Math.floor(random() * groups), groups) },
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

/** Who was asked does not say of which tier a report that was lost had told, so that counts with the first one. */
const newsOfFront = ({ counts, deaths: dead, lost }: FrontReport, tiers: Tiers): News[] => [
  ...counts.map(({ tier, status, code, count }, index) => ({
    tier,
    version: "",
    tallies: [
      { name: "front" as const, labels: { status, code }, by: count },
      { name: "reports-lost" as const, labels: { from: "front" }, by: index === 0 ? lost : 0 },
    ],
  })),
  ...[...Map.groupBy(dead, ({ tier, version }) => `${tier}\n${version}`).values()].map((some) => ({
    tier: some[0]?.tier ?? "",
    version: some[0]?.version ?? "",
    tallies: [{ name: "deaths" as const, labels: { seen: "front", outcome: "exception" }, by: some.length }],
    // Of tiers that share a gate the tail's word is taken: the two cannot be held against each other, tier by tier.
    ...(!sharesGate(tiers, some[0]?.tier ?? "") && {
      deaths: { seen: "front" as const, sample: deathsIn(some.map(({ group }) => group % groups)) },
    }),
  })),
];

const sharesGate = (tiers: Tiers, tier: string): boolean => {
  const own = Object.hasOwn(tiers, tier) ? (tiers[tier]?.workers ?? []) : [];
  return Object.entries(tiers).some(([name, { workers }]) => name !== tier && workers.some((it) => own.includes(it)));
};

const taken = (): Response => new Response(null, { status: 204 });

const refused = (status: number, text: string): Response => new Response(text.slice(0, 300), { status });
