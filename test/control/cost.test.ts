/** The cost of routes, and its display. */
import { expect, it } from "vitest";
import { costsOf } from "../../functions/control/telemetry/cost.ts";
import { costTable } from "../../infra/commands/operate/cost.ts";
import { series, since, tally } from "./series.ts";

const cpu = (route: string, ms: number, requests: number) => [
  tally({ labels: { route }, value: ms }),
  tally({ name: "cpu-requests", labels: { route }, value: requests }),
];

it("sums all versions and outcomes of a route, since the first of them", () => {
  const costs = costsOf({
    series: [
      series({ since: since + 1 }),
      series({ version: "v2", status: "500" }),
      series({ route: "list", count: 9, upstream: "" }),
    ],
    tallies: [...cpu("balance", 4, 2), ...cpu("balance", 2, 1), ...cpu("", 5, 0)],
  });
  expect(costs).toEqual([
    { route: "list", requests: 9, cpuMs: 0, cpuRequests: 0, upstreamMs: 1500, bytesIn: 10, bytesOut: 3e9, since },
    { route: "balance", requests: 6, cpuMs: 6, cpuRequests: 3, upstreamMs: 3000, bytesIn: 20, bytesOut: 6e9, since },
    { route: "", requests: 0, cpuMs: 5, cpuRequests: 0, upstreamMs: 0, bytesIn: 0, bytesOut: 0, since },
  ]);
});

it("extrapolates the CPU of a route whose requests are sampled", () => {
  const text = costTable(
    "wallet",
    costsOf({
      series: [series({ route: "heavy", count: 1000 }), series({ route: "light", count: 100 })],
      tallies: [...cpu("heavy", 300, 100), ...cpu("light", 100, 100)],
    }),
  );
  expect(text.split("\n").slice(0, 3)).toEqual([
    "route  requests  CPU     upstream  in   out      share of CPU",
    `heavy      1000  3.0 ms  1.5 ms    0 B  2.9 MiB   97 %  ${"#".repeat(23)}`,
    `light       100  1.0 ms  15 ms     0 B  29 MiB     3 %  #`,
  ]);
});

it("bars show upstream time when no CPU was measured", () => {
  const text = costTable("wallet", costsOf({ series: [series()], tallies: [] }));
  expect(text).toContain("share of upstream time");
  expect(text).toContain(`100 %  ${"#".repeat(24)}`);
  expect(text).toContain("since 2026-11-01 00:00 UTC");
});

it("reports that nothing has been counted", () => {
  expect(costTable("wallet", [])).toBe("nothing has been counted of wallet yet\n");
});
