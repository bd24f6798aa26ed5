/**
 * The tail Worker: receives the outcome of gates' requests, including those that crashed, and makes spans of them.
 */
import type { TailPlan } from "./control/model/plan.ts";
import { tailCollector } from "./control/tail/collector.ts";
import type { TailReport } from "./control/tail/counts.ts";
import { bypassCache } from "./gateway/http/uncached.ts";

interface Bindings {
  readonly TELEMETRY: Fetcher;
  readonly OTLP_HEADERS?: string;
}

/** No request waits for it. */
const reportTimeoutMs = 5000;

export const tail = (plan: TailPlan): ExportedHandler<Bindings> => {
  const handleEvents = tailCollector(plan);
  return {
    tail: (events, { TELEMETRY, OTLP_HEADERS }, context) => {
      const { otlp } = plan;
      const tell = async (report: TailReport) => {
        const signal = AbortSignal.timeout(reportTimeoutMs);
        const { ok, status } = await TELEMETRY.fetch("https://control/v1/tail", {
          method: "POST",
          body: JSON.stringify(report),
          signal,
        });
        if (!ok) throw new Error(`it answered ${status}`);
      };
      const work = handleEvents(events, {
        report: tell,
        collector: otlp && {
          ...otlp,
          headers: otlp.secret ? OTLP_HEADERS : undefined,
          send: (url, init) => fetch(url, { ...init, cf: bypassCache }),
        },
        sleep: (ms) => scheduler.wait(ms),
        now: () => Date.now(),
        log: (line) => console.log(JSON.stringify(line)),
      });
      context.waitUntil(work);
    },
  };
};
