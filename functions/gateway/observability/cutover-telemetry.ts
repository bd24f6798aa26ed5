/** Counts requests of routes in cutover a second time, by gateway, so that both can be compared like versions. */

import type { Context, RecordBodyFailure, RecordRequest } from "../core/types.ts";
import { sideKey } from "../service/cutover.ts";
import { partyClusterOf } from "./clusters.ts";
import type { GateRecorder, Telemetry } from "./metrics.ts";
import type { Series } from "./report.ts";

export const bySide =
  (telemetry: Telemetry): Telemetry =>
  (tier, deps, sink) => {
    const all = telemetry(tier, deps, sink);
    // Bounded: two for each route of the plan.
    const sides = new Map<string, GateRecorder>();
    const counterOf = (version: string): GateRecorder => {
      const known = sides.get(version);
      if (known) return known;
      // The series are already reported under the gate's own version. The cells are by the causes.
      const recorder = telemetry(
        tier,
        { ...deps, version },
        {
          ...sink,
          send: (report) =>
            sink.send({
              ...report,
              series: [],
              causes: report.series.map(withoutLatency),
              marks: [],
              streams: [],
              bodies: [],
              fronts: [],
              lost: 0,
            }),
        },
        partyClusterOf,
      );
      sides.set(version, recorder);
      return recorder;
    };
    const recordBySide: RecordRequest = (request, response, status, context, started) => {
      all.recordRequest(request, response, status, context, started);
      const { side } = context.outcome;
      if (side)
        counterOf(sideKey(context.route.name, side)).recordRequest(
          request,
          response,
          status,
          withRefusalFor4xx(context, status),
          started,
        );
    };
    const recordBodyBySide: RecordBodyFailure = (context, how, status) => {
      all.recordBodyFailure(context, how, status);
      const { side } = context.outcome;
      if (side) counterOf(sideKey(context.route.name, side)).recordBodyFailure(context, how, status);
    };
    return { ...all, recordRequest: recordBySide, recordBodyFailure: recordBodyBySide };
  };

/**
 * The previous gateway does not distinguish its own 4xx from those of its services, so every 4xx counts as refused, for both
 * gateways.
 */
const withRefusalFor4xx = (context: Context, status: number): Context =>
  status >= 400 && status < 500 && context.outcome.verdict !== "left"
    ? { ...context, outcome: { ...context.outcome, verdict: "refused" } }
    : context;

const withoutLatency = (it: Series): Series => ({ ...it, latency: [] });
