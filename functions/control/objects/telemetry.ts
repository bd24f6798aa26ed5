/** The Durable Object of one tier's telemetry. */
import type { Series } from "../../gateway/observability/report.ts";
import type { Sample } from "../../gateway/observability/samples.ts";
import type { Collector } from "../exporters/otlp/push.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { World } from "../model/runtime.ts";
import type { StoredSample } from "../telemetry/counts/samples.ts";
import type { StartedCells } from "../telemetry/evidence/cells.ts";
import type { StageQuery } from "../telemetry/evidence/stage-table.ts";
import type { UnitEvidence } from "../telemetry/evidence/stages.ts";
import type { ObserverReport, TierTallies } from "../telemetry/store.ts";
import type { StoredSeries, StoredTally } from "../telemetry/store-tables.ts";
import type { Bindings, TelemetryCalls } from "../wiring/bindings.ts";
import { rolloutsOfTier } from "../wiring/rollouts-of-tier.ts";
import { tierTelemetry } from "../wiring/telemetry.ts";
import { CalledByName, type ObjectClass } from "./called-by-name.ts";

export const telemetryObject = (plan: ControlPlan, runtime: World): ObjectClass<TelemetryCalls> =>
  class extends CalledByName implements TelemetryCalls {
    readonly #telemetry = tierTelemetry(plan, {
      ...runtime,
      storage: this.ctx.storage,
      collector: collectorOf(plan, this.env, runtime),
      rollouts: (tier) => rolloutsOfTier(plan, this.env, tier),
    });

    take(
      version: string,
      sample: Sample,
      series: readonly Series[],
      now: number,
      tierTallies?: TierTallies,
      causes?: readonly Series[],
      cells?: readonly StartedCells[],
    ): Promise<void> {
      return this.#telemetry.take(version, sample, series, now, tierTallies, causes, cells);
    }

    hear(reports: readonly ObserverReport[], now: number): Promise<void> {
      return this.#telemetry.hear(reports, now);
    }

    between(version: string, since: number, until: number): StoredSample {
      return this.#telemetry.between(version, since, until);
    }

    evidence(query: StageQuery): UnitEvidence | undefined {
      return this.#telemetry.evidence(query);
    }

    series(): readonly StoredSeries[] {
      return this.#telemetry.series();
    }

    tallies(): readonly StoredTally[] {
      return this.#telemetry.tallies();
    }

    override alarm(): Promise<void> {
      return this.#telemetry.alarm();
    }
  };

const collectorOf = ({ otlp }: ControlPlan, env: Bindings, { fetch: send }: World): Collector | null =>
  otlp && { ...otlp, headers: otlp.secret ? env.OTLP_HEADERS : undefined, send };
