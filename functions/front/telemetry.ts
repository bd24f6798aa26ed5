/** Counts what the front handed on and what it answered itself, and asks which version died where a gate says nothing. Per isolate. */

import { hashPosition } from "../gateway/core/pipeline.ts";
import { groups } from "../gateway/observability/samples.ts";
import {
  overridesHeader,
  requestIdHeader,
  setCallerHeader,
  smokeHeader,
  versionHeader,
  versionKeyHeader,
} from "../gateway/proxy/forwarding.ts";

export interface FrontCount {
  readonly tier: string;
  readonly status: string;
  /** The front's own problem; empty where a gate answered. */
  readonly code: string;
  readonly count: number;
}

export interface FrontDeath {
  readonly tier: string;
  /** Empty where it could not be found out. */
  readonly version: string;
  /** Of the user, as gates number them. */
  readonly group: number;
}

/** Version 1 of what a front tells. */
export interface FrontReport {
  readonly counts: readonly FrontCount[];
  readonly deaths: readonly FrontDeath[];
  /** Reports that reached nobody before this one. */
  readonly lost: number;
}

export interface TelemetrySink {
  /** Control; undefined where the front is not bound to it. */
  readonly control: Pick<Fetcher, "fetch"> | undefined;
  /** Lets the request end before the work does. */
  readonly defer: (work: Promise<unknown>) => void;
}

export interface FrontTelemetry {
  readonly recordAnswer: (sink: TelemetrySink, tier: string, status: number, code: string, headers: Headers) => void;
  /** @param headers as the gate was given them */
  readonly recordDeath: (sink: TelemetrySink, tier: string, gate: Pick<Fetcher, "fetch">, headers: Headers) => void;
}

const flushMs = 2000;
const sendTimeoutMs = 5000;
const probeTimeoutMs = 1000;
/** More are counted together, by tier. */
const maxCounts = 2000;
/** Of one report, for which a version is asked; of more, each is taken for one of these. */
const maxProbes = 50;
const maxDeaths = 1000;

export const frontTelemetry = (sleep: (ms: number) => Promise<unknown>): FrontTelemetry => {
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
    const report: FrontReport = { counts: [...countsToSend.values()], deaths: await Promise.all(deathsToSend), lost };
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
    recordAnswer: (sink, tier, status, code, headers) => {
      // A tester is no user.
      if (!sink.control || headers.has(smokeHeader)) return;
      const key = `${tier}\n${status}\n${code}`;
      const known = counts.get(key) ?? (counts.size < maxCounts ? undefined : counts.get(tier));
      if (known) known.count++;
      else if (counts.size < maxCounts) counts.set(key, { tier, status: String(status), code, count: 1 });
      else counts.set(tier, { tier, status: "", code: "other", count: 1 });
      scheduleFlush(sink);
    },
    recordDeath: (sink, tier, gate, headers) => {
      if (!sink.control || headers.has(smokeHeader) || deaths.length >= maxDeaths) return;
      const group = Math.floor(hashPosition(headers.get(versionKeyHeader) ?? "") * groups);
      const tierProbes = probes.get(tier) ?? [];
      if (deaths.length < maxProbes) {
        const probe = versionOf(gate, headers);
        tierProbes.unshift(probe);
        probes.set(tier, tierProbes);
        sink.defer(probe);
      }
      // The newest for who was asked for, any other for who was not.
      const version = deaths.length < maxProbes ? tierProbes[0] : tierProbes[deaths.length % tierProbes.length];
      deaths.push((version ?? Promise.resolve("")).then((it) => ({ tier, version: it, group })));
      scheduleFlush(sink);
    },
  };
};

/** A user stays with a version, so it is this one that the request met. It answers a tester, who counts for nobody, that it serves no such host. */
const versionOf = async (gate: Pick<Fetcher, "fetch">, requestHeaders: Headers): Promise<string> => {
  const headers = new Headers({ traceparent: unsampled, [smokeHeader]: "1" });
  for (const name of [requestIdHeader, versionKeyHeader, overridesHeader]) {
    const value = requestHeaders.get(name);
    if (value !== null) headers.set(name, value);
  }
  setCallerHeader(headers, requestHeaders.get(versionKeyHeader) ?? "", [smokeHeader]);
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
