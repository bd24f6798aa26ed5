/** The Durable Object of what one tier's gates counted. */
import type { Series } from "../../gateway/observability/metrics.ts";
import type { Sample } from "../../gateway/observability/samples.ts";
import type { Collector } from "../exporters/otlp/push.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { World } from "../model/runtime.ts";
import type { Beside, KeptSeries, KeptTally, News } from "../telemetry/store.ts";
import type { Bindings, TelemetryCalls } from "../wiring/bindings.ts";
import { telemetryOn } from "../wiring/telemetry.ts";
import { CalledByName, type ObjectClass } from "./called-by-name.ts";

export const telemetryObject = (plan: ControlPlan, world: World): ObjectClass<TelemetryCalls> =>
  class extends CalledByName implements TelemetryCalls {
    readonly #telemetry = telemetryOn(plan, {
      ...world,
      storage: this.ctx.storage,
      collector: collectorOf(plan, this.env, world),
    });

    take(version: string, sample: Sample, series: readonly Series[], now: number, beside?: Beside): Promise<void> {
      return this.#telemetry.take(version, sample, series, now, beside);
    }

    hear(news: readonly News[], now: number): Promise<void> {
      return this.#telemetry.hear(news, now);
    }

    between(version: string, since: number, until: number): Sample {
      return this.#telemetry.between(version, since, until);
    }

    series(): readonly KeptSeries[] {
      return this.#telemetry.series();
    }

    tallies(): readonly KeptTally[] {
      return this.#telemetry.tallies();
    }

    override alarm(): Promise<void> {
      return this.#telemetry.alarm();
    }
  };

const collectorOf = ({ otlp }: ControlPlan, env: Bindings, { fetch: send }: World): Collector | null =>
  otlp && { ...otlp, headers: otlp.secret ? env.OTLP_HEADERS : undefined, send };
