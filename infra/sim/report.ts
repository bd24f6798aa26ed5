/** Formats simulation results: tables without color. */
import { wideTable as table } from "../terminal/table.ts";
import type { Figures } from "./figures.ts";

export const scenarioReport = (all: readonly Figures[]): string =>
  table(
    [
      "the new version",
      "req/s",
      "clients",
      "rolled back",
      "promoted",
      "paused",
      "users exposed",
      "requests exposed",
      "ended after",
      "95 % within",
      "by",
    ],
    all.map((it) => [
      ...[it.name, it.rate, it.clients.toLocaleString("en")],
      ...endsOf(it),
      ...[
        percent(it.medianShare),
        it.medianRequests.toLocaleString("en"),
        time(it.medianSeconds),
        time(it.mostSeconds),
      ],
      criteriaText(it),
    ]),
  );

export const worldReport = (all: readonly Figures[]): string =>
  [
    table(
      [
        "world",
        "release",
        "wanted",
        "rolled back",
        "promoted",
        "paused",
        "exposed users",
        "ended after",
        "failing requests",
        "by",
        "",
      ],
      all.map((it) => [
        ...[it.name, it.harm, it.wanted],
        ...endsOf(it),
        ...[Math.round(it.medianShare * it.clients).toLocaleString("en"), time(it.medianSeconds)],
        `${percent(it.failing.stable, 1)} → ${percent(it.failing.canary, 1)}`,
        criteriaText(it),
        it.missed.length > 0 ? "missed" : "",
      ]),
    ),
    ...all.map(({ name, about }) => `${name}: ${about}`),
  ].join("\n");

const endsOf = ({ ends }: Figures): string[] => [
  percent(ends["rolled-back"]),
  percent(ends.promoted),
  percent(ends.paused),
];

const shownCriteria = 2;

/** The criteria by which most rollouts ended, and in what share of all. */
export const criteriaText = ({ criteria, runs }: Pick<Figures, "criteria" | "runs">): string =>
  Object.entries(criteria)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, shownCriteria)
    .map(([criterion, count]) => `${criterion} ${percent(count / runs, 0)}`)
    .join(", ");

export const percent = (share: number, digits = 2): string => `${Number((share * 100).toFixed(digits))} %`;
export const time = (seconds: number): string => (seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`);
