/** Formats simulation results: a table, and bars without color. */
import { wideTable as table } from "../terminal/table.ts";
import type { Figures } from "./simulate.ts";

export const simulationReport = (all: readonly Figures[]): string => `${summary(all)}\n${all.map(bars).join("\n")}`;

const summary = (all: readonly Figures[]): string =>
  table(
    [
      "the new version",
      "req/s",
      "users",
      "rolled back",
      "promoted",
      "paused",
      "users exposed",
      "requests exposed",
      "ended after",
      "95 % within",
    ],
    all.map(({ name, rate, users, ends, medianShare, medianRequests, medianSeconds, mostSeconds }) => [
      name,
      rate,
      users.toLocaleString("en"),
      percent(ends["rolled-back"]),
      percent(ends.promoted),
      percent(ends.paused),
      percent(medianShare),
      medianRequests.toLocaleString("en"),
      time(medianSeconds),
      time(mostSeconds),
    ]),
  );

const width = 50;

/** Where rollouts ended, and by which criterion. */
const bars = ({ name, runs, shares, criteria }: Figures): string =>
  [
    name,
    ...shares.map(({ share, rollouts }) => bar(`ended at ${percent(share)} of users`, rollouts, runs)),
    ...Object.entries(criteria).map(([criterion, count]) => bar(criterion, count, runs)),
  ].join("\n");

const bar = (title: string, count: number, runs: number): string =>
  `  ${title.padEnd(28)} ${"#".repeat(Math.ceil((count / runs) * width)).padEnd(width, ".")} ${percent(count / runs)}`;

const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;
const time = (seconds: number): string => (seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`);
