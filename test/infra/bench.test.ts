/** What the bench says of its counts. */
import { expect, it } from "vitest";
import { buildRouteTable } from "../../functions/gateway/routing/route-table.ts";
import { router } from "../../functions/gateway/routing/router.ts";
import { bars } from "../../infra/bench/chart.ts";
import { toRows } from "../../infra/bench/report/report.ts";
import { kindsIn } from "../../infra/bench/runtime/symbols.ts";
import { manyRoutes, requestsTo } from "../../infra/bench/workers/many-routes.ts";

it("a ratio is to the first subject, without the greatest and the least of four rounds or more", () => {
  const rows = toRows([
    { name: "unit", rounds: [100, 100, 100, 9_000] },
    { name: "dear", rounds: [1, 150, 250, 300] },
    { name: "few", rounds: [100, 300] },
  ]);
  expect(rows.map(({ name, instructions, ratio }) => [name, instructions, ratio])).toEqual([
    ["unit", 100, 1],
    ["dear", 200, 2],
    ["few", 200, 2],
  ]);
});

it("a chart's longest bar is as wide as there is room, and names are escaped", () => {
  const svg = bars("a < b", [
    { name: '"all" & one', value: 4, label: "4.00", own: true },
    { name: "half", value: 2, label: "2.00", own: false },
  ]);
  expect(svg).toContain('aria-label="a &lt; b"');
  expect(svg).toContain(">&quot;all&quot; &amp; one<");
  expect([...svg.matchAll(/<rect[^>]* width="([\d.]+)"/g)].map(([, width]) => width)).toEqual(["420.0", "210.0"]);
});

it("each of many routes is met once by the requests to them", () => {
  const match = router(buildRouteTable(manyRoutes(1_000)));
  const url = new URL("https://gate.example");
  const request = new Request(url);
  const met = requestsTo(1_000).map(({ method, path }) => {
    const found = match(method, path, request, url);
    return found.kind === "found" ? found.route : found.kind;
  });
  expect(new Set(met).size).toBe(1_000);
});

it("a dump's instructions are counted where they were executed, by the kind of their function", () => {
  const dump = `events: Ir
summary: 1190

fn=(1) v8::internal::Scavenger::Process(v8::JobDelegate*)
0 700
cfn=(2) operator new(unsigned long)
calls=3 0
0 90
fn=(2)
0 60
+3 30

fn=(3) 0x00000000644427c0
* 400
cfn=(4) Builtins_StringAdd
calls=1 0
* 250
`;
  const counted = [...kindsIn(dump)].filter(([, sum]) => sum > 0);
  expect(counted.map(([kind, sum]) => [kind.split(":")[0], sum])).toEqual([
    ["memory", 90],
    ["garbage collection", 700],
    ["JavaScript", 400],
  ]);
});
