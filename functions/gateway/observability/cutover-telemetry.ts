/** Counts requests of routes that are cut over once more, by the side that served them, so that the two can be compared as versions are. */

import type { Context, RecordRequest } from "../core/types.ts";
import { sideKey } from "../service/cutover.ts";
import type { Telemetry } from "./metrics.ts";

export const bySide =
  (telemetry: Telemetry): Telemetry =>
  (tier, deps, sink) => {
    const all = telemetry(tier, deps, sink);
    // Two for each route of the plan, so they are bounded.
    const sides = new Map<string, RecordRequest>();
    const counterOf = (version: string): RecordRequest => {
      const known = sides.get(version);
      if (known) return known;
      // What came of a request has been told with the version of the gate already.
      const made = telemetry(
        tier,
        { ...deps, version },
        {
          ...sink,
          send: (report) => sink.send({ ...report, series: [], marks: [], streams: [], lost: 0 }),
        },
      ).recordRequest;
      sides.set(version, made);
      return made;
    };
    const count: RecordRequest = (request, response, status, context, started) => {
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
    return { ...all, recordRequest: count };
  };

/** Of an old gateway nobody knows which 4xx are its own and which its services', so all of them are refusals, on both sides. */
const withRefusalFor4xx = (context: Context, status: number): Context =>
  status >= 400 && status < 500 && context.outcome.verdict !== "left"
    ? { ...context, outcome: { ...context.outcome, verdict: "refused" } }
    : context;
