/** The load test of control's telemetry, with little load. */
import { expect, it } from "vitest";
import { measureTelemetryLoad } from "../../infra/bench/measure/telemetry-load.ts";
import { seededRandom } from "../../infra/sim/traffic/random.ts";

it("what is loaded is counted, a report and a stage are small, and a restart changes nothing", async () => {
  const load = { isolates: 10, requestsPerSecond: 60, clients: 1000, minutes: 1 };
  const cost = await measureTelemetryLoad(load, seededRandom(1).uniform);
  // The last reports have not been counted yet.
  expect(cost.requests).toBeGreaterThan(60 * 50);
  expect(cost.clusters).toBeGreaterThan(400);
  expect(cost.reportBytes).toBeLessThan(4000);
  expect(cost.databaseMiB).toBeLessThan(1);
});
