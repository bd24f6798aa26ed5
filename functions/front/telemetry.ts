/**
 * Counts requests that the front forwarded or answered, also by its own version, and finds out the version of a gate that
 * crashed. Per isolate.
 */

import { cellMs } from "../gateway/observability/cells.ts";
import { groups } from "../gateway/observability/samples.ts";
import {
  frontVersionName,
  grayKeyOf,
  overridesHeader,
  requestIdHeader,
  setCallerHeader,
  smokeHeader,
  versionHeader,
  versionKeyHeader,
} from "../gateway/proxy/forwarding.ts";
import { type OwnReport, ownCounts } from "./own-counts.ts";

export interface FrontCount {
  readonly tier: string;
  readonly status: string;
  /** The front's own problem code; empty when a gate answered. */
  readonly code: string;
  readonly count: number;
}

export interface FrontDeath {
  readonly tier: string;
  /** Empty when unknown. */
  readonly version: string;
  /** The client's, numbered as in gates. */
  readonly cluster: number;
  /** The start of the interval of `cellMs` in which the request started, in milliseconds since the epoch. */
  readonly at: number;
  /** Control of an earlier release reads it in place of the cluster. */
  readonly group: number;
}

/** A front's report, version 1 of the format. */
export interface FrontReport extends OwnReport {
  readonly counts: readonly FrontCount[];
  readonly deaths: readonly FrontDeath[];
  /** Earlier reports that could not be delivered. */
  readonly lost: number;
}

export interface TelemetrySink {
  /** The binding to control; undefined when there is none. */
  readonly control: Pick<Fetcher, "fetch"> | undefined;
  /** Keeps the work running after the response. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** A response of the front. */
export interface FrontAnswer {
  /** Null if the request belongs to no tier. */
  readonly tier: string | null;
  readonly status: number;
  /** The front's own problem code; empty when a gate answered. */
  readonly code: string;
  readonly cluster: number;
  /** The client chose the front's version, so its request does not measure it. */
  readonly choosesVersion: boolean;
  /** Milliseconds since the epoch. */
  readonly started: number;
}

/** A request whose gate crashed. */
export interface DeadRequest {
  readonly tier: string;
  readonly gate: Pick<Fetcher, "fetch">;
  /** As the gate received them. */
  readonly headers: Headers;
  readonly cluster: number;
  /** Milliseconds since the epoch. */
  readonly started: number;
}

interface FrontTelemetryPorts {
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The front's version. */
  readonly version: string;
}

export interface FrontTelemetry {
  /** The front's version. */
  readonly version: string;
  /** The name in the caller header that tells gates the version. */
  readonly versionName: string;
  readonly recordAnswer: (sink: TelemetrySink, answer: FrontAnswer) => void;
  /** @param headers of the request to the gate */
  readonly recordDeath: (sink: TelemetrySink, request: DeadRequest) => void;
}

const flushMs = 2000;
const sendTimeoutMs = 5000;
const probeTimeoutMs = 1000;
/** Beyond this, requests are counted by tier only. */
const maxCounts = 2000;
/** The most versions looked up per report. Further crashes are assigned one of these. */
const maxProbes = 50;
const maxDeaths = 1000;

export const frontTelemetry = ({ sleep, now, version }: FrontTelemetryPorts): FrontTelemetry => {
  const own = ownCounts(version);
  let counts = new Map<string, { tier: string; status: string; code: string; count: number }>();
  let deaths: Promise<FrontDeath>[] = [];
  /** Versions by tier. */
  let probes = new Map<string, Promise<string>[]>();
  let lost = 0;
  let pending = false;

  const flush = async ({ control }: TelemetrySink): Promise<void> => {
    await sleep(flushMs);
    const [countsToSend, deathsToSend] = [counts, deaths];
    pending = false;
    counts = new Map();
    deaths = [];
    probes = new Map();
    const report: FrontReport = {
      ...own.take(),
      counts: [...countsToSend.values()],
      deaths: await Promise.all(deathsToSend),
      lost,
    };
    try {
      const body = JSON.stringify(report);
      const signal = AbortSignal.timeout(sendTimeoutMs);
      const response = await control?.fetch("https://control/v1/front", { method: "POST", body, signal });
      if (!response?.ok) throw new Error(`control answered ${response?.status}`);
      lost -= report.lost;
    } catch {
      lost += 1;
    }
  };
  const scheduleFlush = (sink: TelemetrySink): void => {
    if (pending) return;
    pending = true;
    sink.defer(flush(sink));
  };

  return {
    version,
    versionName: frontVersionName(version),
    recordAnswer: (sink, { tier, status, code, cluster, choosesVersion, started }) => {
      if (!sink.control) return;
      scheduleFlush(sink);
      if (!choosesVersion) own.add(started, cluster, status, code, now() - started);
      if (tier === null) return;
      const key = `${tier}\n${status}\n${code}`;
      const known = counts.get(key) ?? (counts.size < maxCounts ? undefined : counts.get(tier));
      if (known) known.count++;
      else if (counts.size < maxCounts) counts.set(key, { tier, status: String(status), code, count: 1 });
      else counts.set(tier, { tier, status: "", code: "other", count: 1 });
    },
    recordDeath: (sink, { tier, gate, headers, cluster, started }) => {
      if (!sink.control || headers.has(smokeHeader) || deaths.length >= maxDeaths) return;
      const at = started - (started % cellMs);
      const tierProbes = probes.get(tier) ?? [];
      if (deaths.length < maxProbes) {
        const probe = versionOf(gate, headers);
        tierProbes.unshift(probe);
        probes.set(tier, tierProbes);
        sink.defer(probe);
      }
      // The probe of this crash, if one was sent; otherwise another probe of the tier.
      const version = deaths.length < maxProbes ? tierProbes[0] : tierProbes[deaths.length % tierProbes.length];
      deaths.push(
        (version ?? Promise.resolve("")).then((it) => ({ tier, version: it, cluster, at, group: cluster % groups })),
      );
      scheduleFlush(sink);
    },
  };
};

/**
 * Asks the gate for its version. Requests of one user reach the same version, so it is the one that crashed. The
 * probe counts as a tester's, and the gate answers it with an unknown host.
 */
const versionOf = async (gate: Pick<Fetcher, "fetch">, requestHeaders: Headers): Promise<string> => {
  const headers = new Headers({ traceparent: unsampled, [smokeHeader]: "1" });
  for (const name of [requestIdHeader, versionKeyHeader, overridesHeader]) {
    const value = requestHeaders.get(name);
    if (value !== null) headers.set(name, value);
  }
  setCallerHeader(headers, grayKeyOf(requestHeaders), [smokeHeader]);
  try {
    const response = await gate.fetch("https://postern.invalid/", {
      headers,
      signal: AbortSignal.timeout(probeTimeoutMs),
    });
    await response.body?.cancel();
    return response.headers.get(versionHeader) ?? "";
  } catch {
    return "";
  }
};

const unsampled = `00-${"0".repeat(31)}1-${"0".repeat(15)}1-00`;
