/** A gate of several tiers: one that cannot be linked answers, and is counted, for itself alone. */

import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { sharedGate } from "../../../functions/gate.ts";
import { type Telemetry, telemetry } from "../../../functions/gateway/observability/metrics.ts";
import type { Report } from "../../../functions/gateway/observability/report.ts";
import { planAndParts } from "../gate-harness.ts";

/** Reports are sent without a pause. */
const atOnce: Telemetry = (tier, deps, sink) => telemetry(tier, { ...deps, sleep: async () => {} }, sink);

it("reports the requests of a tier that it cannot link", async () => {
  const reports: Report[] = [];
  const control = {
    fetch: async (_: string, init: RequestInit) => {
      reports.push(JSON.parse(String(init.body)) as Report);
      return new Response(null, { status: 204 });
    },
  };
  Object.assign(env, { TELEMETRY: control });
  vi.spyOn(console, "log").mockImplementation(() => {});
  const { plan, parts } = planAndParts({}, {});
  const broken = { ...plan, tier: "broken", routes: null as never };
  const { Behind } = sharedGate([plan, broken], parts, { telemetry: atOnce });
  const context = Object.assign(createExecutionContext(), { props: { tier: "broken" } });
  const response = await new Behind(context as never, env).fetch?.(new Request("https://gate.example/"));
  expect([response?.status, response?.headers.get("retry-after")]).toEqual([503, "5"]);
  await waitOnExecutionContext(context);
  expect(reports).toMatchObject([
    { tier: "broken", series: [{ route: "", status: "503", verdict: "failed", code: "gate-unavailable", count: 1 }] },
  ]);
});
