/** Counts requests of routes that are cut over once more, by the side that served them, so that the two can be compared as versions are. */

import type { Context, Count } from "../core/types.ts";
import { sideKey } from "../service/cutover.ts";
import type { Telemetry } from "./metrics.ts";

export const bySide =
  (telemetry: Telemetry): Telemetry =>
  (tier, deps, audience) => {
    const all = telemetry(tier, deps, audience);
    // Two for each route of the plan, so they are bounded.
    const sides = new Map<string, Count>();
    const counterOf = (version: string): Count => {
      const known = sides.get(version);
      if (known) return known;
      // What came of a request has been told with the version of the gate already.
      const made = telemetry(
        tier,
        { ...deps, version },
        {
          ...audience,
          send: (report) => audience.send({ ...report, series: [], marks: [], streams: [], lost: 0 }),
        },
      ).count;
      sides.set(version, made);
      return made;
    };
    const count: Count = (request, response, status, context, started) => {
      all.count(request, response, status, context, started);
      const { side } = context.outcome;
      if (side)
        counterOf(sideKey(context.route.name, side))(
          request,
          response,
          status,
          seenFromOutside(context, status),
          started,
        );
    };
    return { ...all, count };
  };

/** Of an old gateway nobody knows which 4xx are its own and which its services', so all of them are refusals, on both sides. */
const seenFromOutside = (context: Context, status: number): Context =>
  status >= 400 && status < 500 && context.outcome.verdict !== "left"
    ? { ...context, outcome: { ...context.outcome, verdict: "refused" } }
    : context;
