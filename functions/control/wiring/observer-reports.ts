/** What the tail and the fronts reported, by tier. */
import { frontName } from "../../front/front-name.ts";
import type { Series } from "../../gateway/observability/report.ts";
import { groups } from "../../gateway/observability/samples.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { TailReport } from "../tail/counts.ts";
import { deathsIn, spreadCounts, spreadDeaths } from "../telemetry/counts/samples.ts";
import type { Tally } from "../telemetry/counts/tally.ts";
import { cellsOfDeaths, deathsOfUnknown } from "../telemetry/evidence/report-cells.ts";
import type { ReceivedFrontReport } from "../telemetry/reports.ts";
import type { ObserverReport } from "../telemetry/store.ts";

type Tiers = ControlPlan["tiers"];

/** A death in a shared gate counts for each of its tiers, because the request's tier is unknown. */
export const tailReportsByTier = (
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
          deaths: {
            seen: "tail" as const,
            sample: spreadDeaths(count, Math.floor(random() * groups), groups),
            cells: deathsOfUnknown(count),
          },
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
export const tailReportsOfFront = (
  { deaths, fronts }: TailReport,
  front: string | undefined,
  anyGroup: () => number,
): ObserverReport[] => {
  const own = deaths.filter(({ worker }) => worker === front);
  return [
    ...own.map(({ version, outcome, count }) => ({
      tier: frontName,
      version,
      tallies: [{ name: "deaths" as const, labels: { seen: "tail", outcome }, by: count }],
    })),
    ...(fronts.length === 0
      ? []
      : [
          {
            tier: frontName,
            version: "",
            tallies: [],
            fronts: fronts.map(({ version, ...counts }) => {
              const died = own.filter((it) => it.version === version).reduce((sum, { count }) => sum + count, 0);
              const first = anyGroup();
              return {
                version,
                sample: spreadCounts({ ...counts, upstreamErrors: 0, abandoned: 0 }, first, groups),
                ...(died > 0 && { deaths: spreadDeaths(died, first, groups) }),
              };
            }),
          },
        ]),
  ];
};

export const frontSeries = ({ status, count, latency }: ReceivedFrontReport["answers"][number]): Series => ({
  ...{ route: "", method: "", status, verdict: "passed", by: "", code: "", upstream: "", count, latency },
  ...{ upstreamMs: 0, bytesIn: 0, bytesOut: 0 },
});

/** Lost reports count with the first tier, because their tiers are unknown. */
export const frontReportsByTier = (
  { counts, deaths: deathCounts, lost, version: frontVersion }: ReceivedFrontReport,
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
      deaths: {
        seen: "front" as const,
        sample: deathsIn(sameVersion.map(({ group }) => group % groups)),
        cells: cellsOfDeaths(sameVersion),
      },
    }),
  })),
];

const sharesGate = (tiers: Tiers, tier: string): boolean => {
  const own = Object.hasOwn(tiers, tier) ? (tiers[tier]?.workers ?? []) : [];
  return Object.entries(tiers).some(([name, { workers }]) => name !== tier && workers.some((it) => own.includes(it)));
};
