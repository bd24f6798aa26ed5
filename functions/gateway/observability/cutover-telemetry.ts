/** Counts requests of routes in cutover a second time, by gateway, so that both can be compared like versions. */

import type { Context, RecordRequest } from "../core/types.ts";
import { sideKey } from "../service/cutover.ts";
import type { Telemetry } from "./metrics.ts";

export const bySide =
  (telemetry: Telemetry): Telemetry =>
  (tier, deps, sink) => {
    const all = telemetry(tier, deps, sink);
    // Bounded: two for each route of the plan.
    const sides = new Map<string, RecordRequest>();
    const counterOf = (version: string): RecordRequest => {
      const known = sides.get(version);
      if (known) return known;
      // The series are already reported under the gate's own version.
      const recordRequest = telemetry(
        tier,
        { ...deps, version },
        {
          ...sink,
          send: (report) => sink.send({ ...report, series: [], marks: [], streams: [], fronts: [], lost: 0 }),
        },
      ).recordRequest;
      sides.set(version, recordRequest);
      return recordRequest;
    };
    const recordBySide: RecordRequest = (request, response, status, context, started) => {
      all.recordRequest(request, response, status, context, started);
      const { side } = context.outcome;
      if (side)
        counterOf(sideKey(context.route.name, side))(
          request,
          response,
          status,
          withRefusalFor4xx(context, status),
          started,
        );
    };
    return { ...all, recordRequest: recordBySide };
  };

/**
 * The previous gateway does not distinguish its own 4xx from those of its services, so every 4xx counts as refused, for both
 * gateways.
 */
const withRefusalFor4xx = (context: Context, status: number): Context =>
  status >= 400 && status < 500 && context.outcome.verdict !== "left"
    ? { ...context, outcome: { ...context.outcome, verdict: "refused" } }
    : context;
