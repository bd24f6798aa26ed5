/** The telemetry object of a tier: stores counts, sweeps old ones and pushes metrics to the collector, by alarm. */
import { metricsOf } from "../exporters/otlp/metrics.ts";
import { type Collector, push } from "../exporters/otlp/push.ts";
import type { ControlPlan } from "../model/plan.ts";
import { isOver, type Rollout } from "../model/rollout.ts";
import { rolloutInstruments } from "../rollout/instruments.ts";
import type { Tally } from "../telemetry/counts/tally.ts";
import type { StageQuery } from "../telemetry/evidence/stage-table.ts";
import type { UnitEvidence } from "../telemetry/evidence/stages.ts";
import { type Instrument, instrumentsOf } from "../telemetry/instruments.ts";
import { openStore, type TelemetryStore } from "../telemetry/store.ts";

export interface TelemetryPorts {
  readonly storage: Pick<DurableObjectStorage, "sql" | "getAlarm" | "setAlarm">;
  readonly collector: Collector | null;
  /** The tier's rollouts, which are pushed to the collector too. */
  readonly rollouts: (tier: string) => Promise<readonly Rollout[]>;
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
  readonly take: (...args: Parameters<TelemetryStore["take"]>) => Promise<void>;
  readonly hear: (...args: Parameters<TelemetryStore["hear"]>) => Promise<void>;
  readonly evidence: (query: StageQuery) => UnitEvidence | undefined;
  readonly alarm: () => Promise<void>;
}

type TelemetryPlan = Pick<ControlPlan, "environment" | "scheme" | "tiers">;

export const tierTelemetry = (plan: TelemetryPlan, ports: TelemetryPorts): TelemetryObject => {
  const { storage, collector, now } = ports;
  const store = openStore(storage.sql);
  const everyMs = collector ? pushIntervalMs : sweepIntervalMs;
  const pusher = metricsPusher(plan, store, ports);
  let sweptAt = 0;

  const alarmWithin = async (ms: number): Promise<void> => {
    const at = await storage.getAlarm();
    if (at === null || at > now() + ms) await storage.setAlarm(now() + ms);
  };

  const alarm = async (): Promise<void> => {
    if (now() - sweptAt >= sweepIntervalMs) {
      store.sweep(now());
      sweptAt = now();
    }
    const tier = store.tier();
    const lastReportAt = store.heard();
    // Without them the counts are pushed all the same.
    const rollouts = collector && tier !== undefined ? await ports.rollouts(tier).catch(() => []) : [];
    // Somebody may wait for the state of a rollout that has no requests.
    const isActive = lastReportAt >= now() - silentMs || rollouts.some((it) => !isOver(it));
    // Set before the push, so that a failing push does not end the alarms.
    if (lastReportAt > 0) await storage.setAlarm(now() + (isActive ? everyMs : idleMs));
    if (collector && tier !== undefined && isActive) await pusher(tier, rollouts, collector);
  };

  return {
    take: (...args) => {
      store.take(...args);
      return alarmWithin(everyMs);
    },
    hear: (...args) => {
      store.hear(...args);
      return alarmWithin(everyMs);
    },
    between: store.between,
    evidence: (query) => store.evidence(query, now()),
    series: store.series,
    tallies: store.tallies,
    alarm,
  };
};

/** Pushes a tier's metrics to the collector. After a failure it waits, longer each time. */
const metricsPusher = (plan: TelemetryPlan, store: TelemetryStore, { now, log }: TelemetryPorts) => {
  let failures = 0;
  let waitUntil = 0;
  return async (tier: string, rollouts: readonly Rollout[], target: Collector): Promise<void> => {
    const at = now();
    if (at < waitUntil) return;
    const messages = messagesOf(plan, store, tier, rollouts, at);
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
};

const messagesOf = (
  { environment, scheme, tiers }: TelemetryPlan,
  store: TelemetryStore,
  tier: string,
  rollouts: readonly Rollout[],
  now: number,
) => {
  const stored = { series: store.series(), tallies: store.tallies() };
  const all = [...instrumentsOf(tier, stored), ...rolloutInstruments(rollouts, now)];
  const routes = Object.entries(tiers[tier]?.routes ?? {});
  const paths = Object.fromEntries(routes.map(([route, { path }]) => [route, path]));
  return metricsOf(all, { environment, tier, paths, scheme, now }, activeVersions(all, now - silentMs));
};

const sumOfPoints = (sum: number, { points }: { readonly points: number }): number => sum + points;

const activeVersions = (all: readonly Instrument[], since: number): ReadonlySet<string> =>
  new Set(all.flatMap((it) => it.points.filter(({ heard }) => heard >= since).map(({ version }) => version)));

const talliesOf = ({ pushed, failed, lost }: { pushed: number; failed: number; lost: number }): Tally[] => [
  { name: "pushes", labels: { signal: "metrics", outcome: "taken" }, by: pushed },
  { name: "pushes", labels: { signal: "metrics", outcome: "failed" }, by: failed },
  { name: "push-lost", labels: { signal: "metrics" }, by: lost },
];
