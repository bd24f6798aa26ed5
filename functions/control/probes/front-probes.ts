/**
 * Probes of the front: control sends the same request through both versions and compares the answers. They find what no
 * count shows, such as a header that the new version drops.
 */
import { labelHeader } from "../../gateway/identity/label.ts";
import { frontVersionHeader, overridesHeader } from "../../gateway/proxy/forwarding.ts";
import type { Finding } from "../model/finding.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { Rollout, Subject } from "../model/rollout.ts";
import { truncate } from "../model/text.ts";

/** A request, and the tier that it is for. */
export interface ProbeTarget {
  readonly tier: string | null;
  /** `GET /wallet/v1/`, by which a finding names it. */
  readonly send: string;
  readonly url: string;
  readonly expect?: number | undefined;
}

export interface ProbePorts {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** The label of a tester in these tiers, so that no gate counts the probe as a user. */
  readonly label: (tiers: readonly string[]) => Promise<string>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** As many as a release may have smoke tests. */
const maxTargets = 20;
/** Per evaluation, which waits for their answers. */
const maxTargetsPerRound = 3;
/** One probe proves nothing: the network can lose it. */
const maxInRow = 3;
const maxSmokeAttempts = 3;
const timeoutMs = 2000;
/** Of a service's headers in a sentence, which is stored. */
const [maxNamed, maxNameChars] = [5, 100];
/** Between two rounds other targets come up. */
const roundMs = 2000;

/** The release's own requests, else the root of each tier. */
export const probeTargets = (
  { tiers, front, frontFacts }: Pick<ControlPlan, "tiers" | "front" | "frontFacts">,
  smoke: Rollout["smoke"],
): readonly ProbeTarget[] => {
  const urlOf = (host: string, path: string): string => `${front ?? `https://${host.replace("*", "probe")}`}${path}`;
  if (smoke.length === 0)
    return Object.entries(tiers)
      .slice(0, maxTargets)
      .map(([tier, { host, base }]) => {
        const path = base === "/" ? "/" : `${base}/`;
        return { tier, send: `GET ${path}`, url: urlOf(host, path) };
      });
  return smoke.map(({ send, expect }) => {
    const path = send.split(" ")[1] ?? "/";
    const [tier] = Object.entries(tiers)
      .filter(([, { base }]) => base === "/" || path === base || path.startsWith(`${base}/`))
      .toSorted(([, a], [, b]) => b.base.length - a.base.length);
    return { tier: tier?.[0] ?? null, send, url: urlOf(tier?.[1].host ?? frontFacts.host, path), expect };
  });
};

/** The smoke test of a front at 0 %. */
export const smokeTestFront = async (
  { subjects: [subject] }: Pick<Rollout, "subjects">,
  targets: readonly ProbeTarget[],
  ports: ProbePorts,
): Promise<{ readonly ok: boolean; readonly why: string }> => {
  if (!subject) return { ok: false, why: "the rollout has no Worker" };
  for (const target of targets) {
    let result = await probe(subject, target, ports);
    for (let attempt = 1; attempt < maxSmokeAttempts && result !== "alike"; attempt++)
      result = await probe(subject, target, ports);
    if (result !== "alike")
      return { ok: false, why: `smoke test ${target.send}: ${"worse" in result ? result.worse : result.unknown}` };
  }
  const count = `${targets.length} ${targets.length === 1 ? "probe was" : "probes were"}`;
  return { ok: true, why: `${count} answered alike by both versions` };
};

/** Sends the next probes, those first that were answered worse before. @returns one finding for all of them */
export const probeFront = async (
  { subjects: [subject], verdict }: Pick<Rollout, "subjects" | "verdict">,
  targets: readonly ProbeTarget[],
  ports: ProbePorts,
): Promise<Finding[]> => {
  if (!subject || targets.length === 0) return [];
  const before = verdict?.findings.find(({ criterion }) => criterion === "probe")?.probes ?? {};
  const round = nextTargets(targets, before, ports.now());
  const results = await Promise.all(
    round.map(async (target) => [target.send, await probe(subject, target, ports)] as const),
  );
  const probes = Object.fromEntries(
    Object.entries(before).filter(([send, count]) => count > 0 && targets.some((it) => it.send === send)),
  );
  const reasons: string[] = [];
  const unknown: string[] = [];
  for (const [send, result] of results) {
    if (result === "alike") delete probes[send];
    else if ("unknown" in result) unknown.push(`${send}: ${result.unknown}`);
    else {
      probes[send] = (probes[send] ?? 0) + 1;
      reasons.push(`${send}: ${result.worse}, ${Math.min(probes[send], maxInRow)} of ${maxInRow} times in a row`);
    }
  }
  const counts = Object.values(probes);
  const isFailed = counts.some((count) => count >= maxInRow);
  const isOpen = counts.length > 0 || unknown.length === results.length;
  const without = isOpen ? `to be tried again: ${Object.keys(probes).join(", ")}` : "both versions answer alike";
  return [
    {
      ...noFigures,
      verdict: isFailed ? "fail" : isOpen ? "not-enough" : "pass",
      probes,
      why: `probes: ${[...reasons, ...(isOpen ? unknown : [])].join("; ") || without}`,
    },
  ];
};

const noFigures = { criterion: "probe", stable: null, canary: null, low: null, high: null, tolerate: null } as const;

const nextTargets = (
  targets: readonly ProbeTarget[],
  before: Readonly<Record<string, number>>,
  now: number,
): readonly ProbeTarget[] => {
  const first = (Math.floor(now / roundMs) * maxTargetsPerRound) % targets.length;
  const inTurn = [...targets.slice(first), ...targets.slice(0, first)];
  const isSuspect = ({ send }: ProbeTarget): boolean => (before[send] ?? 0) > 0;
  return inTurn.toSorted((a, b) => Number(isSuspect(b)) - Number(isSuspect(a))).slice(0, maxTargetsPerRound);
};

/** `unknown`: why the probe says nothing, such as that another version answered, or that the stable one failed as well. */
type ProbeResult = "alike" | { readonly unknown: string } | WorseAnswer;

interface WorseAnswer {
  readonly worse: string;
  /** Headers that stable's answer has besides. */
  readonly missing?: readonly string[];
}

interface ProbeAnswer {
  readonly status: number;
  /** The front's version, if the response names it. */
  readonly version: string | null;
  readonly headers: readonly string[];
}

/** A worse answer is compared again at once: a service may fail, or send a header, by chance. */
const probe = async (subject: Subject, target: ProbeTarget, ports: ProbePorts): Promise<ProbeResult> => {
  const first = await probeOnce(subject, target, ports);
  if (first === "alike" || "unknown" in first) return first;
  const second = await probeOnce(subject, target, ports);
  if (second === "alike" || "unknown" in second || !first.missing || !second.missing) return second;
  const missing = second.missing.filter((name) => first.missing?.includes(name));
  return missing.length > 0 ? withoutHeaders(missing) : "alike";
};

const withoutHeaders = (missing: readonly string[]): WorseAnswer => {
  const named = missing.slice(0, maxNamed).map((name) => truncate(name, maxNameChars));
  const more = missing.length - named.length;
  return { worse: `its answer has no header ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`, missing };
};

const probeOnce = async (subject: Subject, target: ProbeTarget, ports: ProbePorts): Promise<ProbeResult> => {
  const label = await ports.label(target.tier === null ? [] : [target.tier]);
  const [stable, canary] = await Promise.all([
    answerThrough(subject, subject.stable, target, label, ports),
    answerThrough(subject, subject.canary, target, label, ports),
  ]);
  if (typeof canary === "string")
    return typeof stable === "string"
      ? { unknown: `neither version answered (${canary})` }
      : { worse: `no answer (${canary})` };
  // A new split takes a moment.
  if (isOther(canary, subject.canary)) return { unknown: "the new version was not reached" };
  const { expect } = target;
  if (expect !== undefined && canary.status !== expect) return { worse: `it answered ${canary.status}, not ${expect}` };
  const before = comparableAnswer(stable, subject.stable);
  if (typeof before === "string") return expect === undefined ? { unknown: before } : "alike";
  if (expect === undefined && isWorse(canary.status, before.status))
    return { worse: `it answered ${canary.status}, the stable version ${before.status}` };
  if (canary.version === null) return { worse: `it answered ${canary.status} and did not name its version` };
  const missing = before.headers.filter((name) => !canary.headers.includes(name) && !isVolatile(name));
  return missing.length > 0 && canary.status === before.status ? withoutHeaders(missing) : "alike";
};

/** An older front does not name its version. */
const isOther = ({ version }: ProbeAnswer, expected: string): boolean => version !== null && version !== expected;

/** @returns why it says nothing about the new version's answer, as a text; after the promotion nobody reaches the stable one */
const comparableAnswer = (stable: ProbeAnswer | string, version: string): ProbeAnswer | string => {
  if (typeof stable === "string") return `the stable version did not answer (${stable})`;
  if (isOther(stable, version)) return "the stable version was not reached";
  return stable.status >= 500 ? `the stable version answered ${stable.status}` : stable;
};

/** What stable does not find yet, the new version may find: a tier that it adds. */
const isWorse = (canary: number, stable: number): boolean => {
  const [a, b] = [Math.floor(canary / 100), Math.floor(stable / 100)];
  return a > b || (a === b && canary !== stable && stable !== 404);
};

/** Headers that differ between two answers to one request. */
const isVolatile = (name: string): boolean =>
  /^(?:age|alt-svc|cf-.*|connection|content-length|date|etag|expires|keep-alive|last-modified|nel|report-to|retry-after|server-timing|transfer-encoding)$/.test(
    name,
  );

/** @returns why there is no answer, as a text */
const answerThrough = async (
  { worker }: Subject,
  version: string,
  { url, send }: ProbeTarget,
  label: string,
  ports: ProbePorts,
): Promise<ProbeAnswer | string> => {
  try {
    const response = await ports.fetch(url, {
      method: send.split(" ")[0] ?? "GET",
      headers: { [overridesHeader]: `${worker}="${version}"`, [labelHeader]: label },
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    const { status, headers } = response;
    return { status, version: headers.get(frontVersionHeader), headers: [...headers.keys()] };
  } catch (error) {
    return truncate(error instanceof Error ? error.message : String(error), maxNameChars);
  }
};
