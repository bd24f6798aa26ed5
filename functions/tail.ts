/** The Worker that hears how requests of gates ended, also of those that died and could not tell. It makes spans of them. */
import type { TailPlan } from "./control/model/plan.ts";
import { hearing, type TailReport } from "./control/tail/collector.ts";
import { uncached } from "./gateway/http/uncached.ts";

interface Bindings {
  readonly TELEMETRY: Fetcher;
  readonly OTLP_HEADERS?: string;
}

/** Nobody waits for it but the isolate. */
const patienceMs = 5000;

export const tail = (plan: TailPlan): ExportedHandler<Bindings> => {
  const hear = hearing(plan);
  return {
    tail: (events, { TELEMETRY, OTLP_HEADERS }, context) => {
      const { otlp } = plan;
      const tell = async (report: TailReport) => {
        const signal = AbortSignal.timeout(patienceMs);
        const { ok, status } = await TELEMETRY.fetch("https://control/v1/tail", {
          method: "POST",
          body: JSON.stringify(report),
          signal,
        });
        if (!ok) throw new Error(`it answered ${status}`);
      };
      const heard = hear(events, {
        tell,
        collector: otlp && {
          ...otlp,
          headers: otlp.secret ? OTLP_HEADERS : undefined,
          send: (url, init) => fetch(url, { ...init, cf: uncached }),
        },
        sleep: (ms) => scheduler.wait(ms),
        now: () => Date.now(),
        log: (line) => console.log(JSON.stringify(line)),
      });
      context.waitUntil(heard);
    },
  };
};
