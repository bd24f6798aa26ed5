/** The telemetry object of a tier: stores counts, sweeps old ones and pushes metrics to the collector, by alarm. */
import { metricsOf } from "../exporters/otlp/metrics.ts";
import { type Collector, push } from "../exporters/otlp/push.ts";
import type { ControlPlan } from "../model/plan.ts";
import { type Instrument, instruments } from "../telemetry/instruments.ts";
import { openStore, type TelemetryStore } from "../telemetry/store.ts";
import type { Tally } from "../telemetry/tally.ts";

export interface TelemetryPorts {
  readonly storage: Pick<DurableObjectStorage, "sql" | "getAlarm" | "setAlarm">;
  readonly collector: Collector | null;
  readonly now: () => number;
  readonly log: (line: object) => void;
}

const pushIntervalMs = 10_000;
const sweepIntervalMs = 60_000;
/** A version without reports for this long is no longer exported. */
const silentMs = 10 * 60_000;
/** Alarm of an idle tier, so that its counts are deleted in the end. */
const idleMs = 24 * 60 * 60_000 + 60_000;
/** Messages per push; the store's bounds stay below it. */
const maxMessagesPerPush = 30;
const maxWaitMs = 5 * 60_000;

/** What its object does: a part of the store's, with alarms. */
export interface TelemetryObject extends Pick<TelemetryStore, "between" | "series" | "tallies"> {
  readonly take: (...given: Parameters<TelemetryStore["take"]>) => Promise<void>;
  readonly hear: (...given: Parameters<TelemetryStore["hear"]>) => Promise<void>;
  readonly alarm: () => Promise<void>;
}

export const tierTelemetry = (
  plan: Pick<ControlPlan, "environment" | "scheme" | "tiers">,
  ports: TelemetryPorts,
): TelemetryObject => {
  const { storage, collector, now, log } = ports;
  const store = openStore(storage.sql);
  const everyMs = collector ? pushIntervalMs : sweepIntervalMs;
  let failures = 0;
  let waitUntil = 0;
  let sweptAt = 0;

  const alarmWithin = async (ms: number): Promise<void> => {
    const at = await storage.getAlarm();
    if (at === null || at > now() + ms) await storage.setAlarm(now() + ms);
  };

  const pushMetrics = async (tier: string, target: Collector): Promise<void> => {
    const at = now();
    const all = instruments({ series: store.series(), tallies: store.tallies() });
    const { environment, scheme } = plan;
    const routes = Object.entries(plan.tiers[tier]?.routes ?? {});
    const paths = Object.fromEntries(routes.map(([route, { path }]) => [route, path]));
    const messages = metricsOf(all, { environment, tier, paths, scheme, now: at }, activeVersions(all, at - silentMs));
    const counted = { pushed: 0, failed: 0, lost: messages.slice(maxMessagesPerPush).reduce(sumOfPoints, 0) };
    for (const { message, points } of messages.slice(0, maxMessagesPerPush)) {
      const result = await push("metrics", message, target);
      if (result.ok) {
        failures = 0;
        counted.pushed++;
        counted.lost += result.rejected;
        continue;
      }
      failures++;
      counted.failed++;
      // A permanently refused push is lost; anything else is contained in the next push's sums.
      if (!result.retryable) counted.lost += points;
      waitUntil = now() + Math.max(result.afterMs, Math.min(maxWaitMs, pushIntervalMs * 2 ** failures));
      log({ type: "fault", tier, cause: `metrics were not pushed: ${result.why}` });
      break;
    }
    store.note(talliesOf(counted), at);
  };

  const alarm = async (): Promise<void> => {
    if (now() - sweptAt >= sweepIntervalMs) {
      store.sweep(now());
      sweptAt = now();
    }
    const tier = store.tier();
    const lastReportAt = store.heard();
    const isActive = lastReportAt >= now() - silentMs;
    // Set before the push, so that a failing push does not end the alarms.
    if (lastReportAt > 0) await storage.setAlarm(now() + (isActive ? everyMs : idleMs));
    if (collector && tier !== undefined && isActive && now() >= waitUntil) await pushMetrics(tier, collector);
  };

  return {
    take: (...given) => {
      store.take(...given);
      return alarmWithin(everyMs);
    },
    hear: (...given) => {
      store.hear(...given);
      return alarmWithin(everyMs);
    },
    between: store.between,
    series: store.series,
    tallies: store.tallies,
    alarm,
  };
};

const sumOfPoints = (sum: number, { points }: { readonly points: number }): number => sum + points;

const activeVersions = (all: readonly Instrument[], since: number): ReadonlySet<string> =>
  new Set(all.flatMap((it) => it.points.filter(({ heard }) => heard >= since).map(({ version }) => version)));

const talliesOf = ({ pushed, failed, lost }: { pushed: number; failed: number; lost: number }): Tally[] => [
  { name: "pushes", labels: { signal: "metrics", outcome: "taken" }, by: pushed },
  { name: "pushes", labels: { signal: "metrics", outcome: "failed" }, by: failed },
  { name: "push-lost", labels: { signal: "metrics" }, by: lost },
];
