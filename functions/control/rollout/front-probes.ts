/**
 * Probes of the front: control sends the same request through both versions and compares the answers. They find what no
 * count shows, such as a header that the new version drops.
 */
import { labelHeader } from "../../gateway/identity/label.ts";
import { frontVersionHeader, overridesHeader } from "../../gateway/proxy/forwarding.ts";
import type { Finding } from "../model/finding.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { Rollout, Subject } from "../model/rollout.ts";
import { truncate } from "../notifications/notification.ts";

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
    let result: ProbeResult = "unknown";
    for (let attempt = 0; attempt < maxSmokeAttempts && result !== "alike"; attempt++)
      result = await probe(subject, target, ports);
    if (result !== "alike")
      return {
        ok: false,
        why: `smoke test ${target.send}: ${result === "unknown" ? "the new version was not reached" : result.worse}`,
      };
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
  for (const [send, result] of results) {
    if (result === "unknown") continue;
    if (result === "alike") delete probes[send];
    else {
      probes[send] = (probes[send] ?? 0) + 1;
      reasons.push(`${send}: ${result.worse}, ${Math.min(probes[send], maxInRow)} of ${maxInRow} times in a row`);
    }
  }
  const counts = Object.values(probes);
  const isFailed = counts.some((count) => count >= maxInRow);
  const isOpen = counts.length > 0 || results.every(([, result]) => result === "unknown");
  return [
    {
      ...noFigures,
      verdict: isFailed ? "fail" : isOpen ? "not-enough" : "pass",
      probes,
      why: `probes: ${reasons.length > 0 ? reasons.join("; ") : isOpen ? "the new version was not reached" : "both versions answer alike"}`,
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

/** `unknown`: the probe says nothing, because the other version answered, or the stable one failed as well. */
type ProbeResult = "alike" | "unknown" | WorseAnswer;

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
  if (typeof first === "string") return first;
  const second = await probeOnce(subject, target, ports);
  if (typeof second === "string" || !first.missing || !second.missing) return second;
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
  if (typeof canary === "string") return typeof stable === "string" ? "unknown" : { worse: `no answer (${canary})` };
  // A new split takes a moment.
  if (canary.version !== null && canary.version !== subject.canary) return "unknown";
  const { expect } = target;
  if (expect !== undefined && canary.status !== expect) return { worse: `it answered ${canary.status}, not ${expect}` };
  if (typeof stable === "string" || stable.status >= 500) return expect === undefined ? "unknown" : "alike";
  if (expect === undefined && isWorse(canary.status, stable.status))
    return { worse: `it answered ${canary.status}, the stable version ${stable.status}` };
  if (canary.version === null) return { worse: `it answered ${canary.status} and did not name its version` };
  const missing = stable.headers.filter((name) => !canary.headers.includes(name) && !isVolatile(name));
  return missing.length > 0 && canary.status === stable.status ? withoutHeaders(missing) : "alike";
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
