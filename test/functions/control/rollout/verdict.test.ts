/** The verdict on a rollout, from the evidence of both versions: what fails, what holds, what passes, and what needs more evidence. */
import { describe, expect, it } from "vitest";
import { type Criteria, criteriaOf } from "../../../../functions/control/model/criteria.ts";
import type { Finding } from "../../../../functions/control/model/finding.ts";
import { indexOf, measures } from "../../../../functions/control/stats/measures.ts";
import { StageEvidence } from "../../../../functions/control/stats/stage-evidence.ts";
import type { Cause } from "../../../../functions/control/telemetry/counts/causes.ts";
import { emptySample } from "../../../../functions/control/telemetry/counts/samples.ts";
import { failureText, holdText, timeoutText } from "../../../../functions/control/verdict/decision-text.ts";
import type { Stage } from "../../../../functions/control/verdict/evidence.ts";
import { judge, withFindings } from "../../../../functions/control/verdict/verdict.ts";
import { firstOf } from "../../../../functions/gateway/observability/clusters.ts";
import { binOf } from "../../../../functions/gateway/observability/samples.ts";
import { type Clients, type Counts, evidenceOf, summaryOf } from "./evidence.ts";

const criteria = criteriaOf({ tolerate: { errors: "+0.5pp", p99: "+20%", refusals: "+1pp" } });

const stage = (share: number, stable: Counts, canary: Counts, clients?: Clients): Stage => ({
  share,
  since: 0,
  until: 300_000,
  units: [summaryOf(share, stable, canary, clients)],
  stable: emptySample,
  canary: emptySample,
});

const finding = (stages: readonly Stage[], criterion: Finding["criterion"], by: Criteria = criteria): Finding => {
  const found = judge(stages, by).findings.find((it) => it.criterion === criterion);
  if (!found) throw new Error(`no finding about ${criterion}`);
  return found;
};

const many = { requests: 900_000, errors: 900, refusals: 18_000, abandoned: 100 };
const equal = { requests: 100_000, errors: 100, refusals: 2000, abandoned: 11 };

it("parses a manifest's tolerances", () => {
  expect(criteria.tolerate).toMatchObject({ errors: 0.005, abandoned: 0.005, refusals: 0.01 });
  expect(criteria.tolerate.p99).toBeCloseTo(0.2);
  expect(() => criteriaOf({ tolerate: { errors: "0.5pp", p99: "+20%", refusals: "+1pp" } })).toThrow(TypeError);
});

it("passes a version that behaves like stable", () => {
  const { verdict, findings } = judge([stage(0.1, many, equal)], criteria);
  expect(findings.filter((it) => it.verdict !== "pass")).toEqual([]);
  expect(verdict).toBe("pass");
});

it("errors within their tolerance neither roll back by latency nor keep it from passing", () => {
  const stable = { requests: 100_000, errors: 100 };
  const judged = (canary: Partial<Counts>) => {
    const stages = [stage(0.5, stable, { ...stable, errors: 400, ...canary })];
    return (["errors", "latency"] as const).map((it) => finding(stages, it).verdict);
  };
  expect(judged({ tail: 1.15 })).toEqual(["pass", "pass"]);
  expect(judged({ tail: 1.4 })).toEqual(["pass", "fail"]);
});

it("neither passes nor fails on a few requests", () => {
  expect(judge([], criteria).verdict).toBe("not-enough");
  const few = judge([stage(0.1, { requests: 900, errors: 1 }, { requests: 100, errors: 1 })], criteria);
  expect(few.verdict).toBe("not-enough");
});

it("does not pass on the requests of a few clients, however many they send", () => {
  const found = finding([stage(0.1, many, equal, { clusters: 300 })], "errors");
  expect(found).toMatchObject({
    verdict: "not-enough",
    why: expect.stringMatching(/30 of the 50 clients that a pass needs/),
  });
  expect(finding([stage(0.1, many, equal, { clusters: 600 })], "errors").verdict).toBe("pass");
});

it("ignores stages in which only one version had users", () => {
  const broken = { requests: 10_000, errors: 10_000 };
  expect(judge([stage(0, many, broken), stage(1, { requests: 0 }, broken)], criteria).verdict).toBe("not-enough");
});

const early = { requests: 99_000, errors: 99, refusals: 1980, abandoned: 10 };
const base = { requests: 1000, errors: 1, refusals: 20 };
const harms = [
  ["answers 5xx", "errors", { ...base, errors: 60 }],
  ["refuses good users", "refusals", { ...base, refusals: 120 }],
  ["calls a wrong path of its service", "client-errors", { ...base, clientErrors: 100 }],
  ["hangs", "abandoned", { ...base, abandoned: 40 }],
  ["is slow everywhere", "latency", { ...base, slower: 2 }],
  ["is slow in its tail", "latency", { ...base, tail: 2 }],
] as const;

describe("fails early, at 1 % of users, a version that", () => {
  it.each([
    ...harms,
    ["dies", "faults", { ...base, errors: 20, faults: 20 }],
    ["reports nothing", "sample-ratio", { requests: 0 }],
    ["reports a fifth of its requests", "sample-ratio", { requests: 200 }],
  ] as const)("%s", (_, criterion, canary) => {
    const { verdict, findings } = judge([stage(0.01, early, canary)], criteria);
    expect(findings.find((it) => it.criterion === criterion)?.verdict).toBe("fail");
    expect(verdict).toBe("fail");
  });
});

it("does not blame a version for the users of one Worker that has a larger share than the others", () => {
  const half = { requests: 50_000, errors: 200, faults: 50, refusals: 1000, clientErrors: 500, abandoned: 200 };
  const mixed = { ...stage(0.5, half, half), share: 0.01 };
  expect(judge([mixed], criteria).verdict).toBe("fail");
  const { findings } = judge([{ ...mixed, most: 0.5 }], criteria);
  expect(findings.filter(({ verdict }) => verdict === "fail" || verdict === "hold")).toEqual([]);
});

describe("by clients that nobody authenticated, a version that", () => {
  const verdicts: Readonly<Record<string, Finding["verdict"]>> = { errors: "fail" };
  it.each(harms)("%s (errors fail, others hold)", (_, criterion, canary) => {
    const found = judge([stage(0.01, early, canary, { kind: "anonymous" })], criteria);
    const expected = verdicts[criterion] ?? "hold";
    expect(found.findings.find((it) => it.criterion === criterion)?.verdict).toBe(expected);
    expect(found.verdict).toBe(expected);
  });

  it("fails by requests that were dealt one by one, which no client can aim", () => {
    const dealt = { clusters: 10_000, kind: "dealt" } as const;
    expect(finding([stage(0.01, early, { ...base, refusals: 120 }, dealt)], "refusals")).toMatchObject({
      verdict: "fail",
      clients: 100,
    });
    const same = { ...dealt, hitting: 1 };
    expect(finding([stage(0.01, early, { ...base, refusals: 120 }, same)], "refusals")).toMatchObject({
      verdict: "fail",
      clients: 1,
      why: expect.stringMatching(/, perhaps all from one client; /),
    });
  });

  it("names the clusters, and says that a person decides", () => {
    const verdict = judge([stage(0.01, early, { ...base, refusals: 120 }, { kind: "anonymous" })], criteria);
    expect(holdText(verdict, 1)).toMatch(
      /^held at 1 %: 120 of 1,000 requests were refused .*; clients that nobody authenticated can cause this, so a person decides \(most from `[0-9a-f]{4}`.*: `cluster` in the access log\)$/,
    );
  });
});

describe("however many requests they send, two clients", () => {
  it.each(harms)("do not make it look as if a version %s", (_, criterion, canary) => {
    const attacked = stage(0.01, early, { ...canary, slower: 1, tail: 1 }, { hitting: 2 });
    expect(finding([attacked], criterion).verdict).not.toMatch(/fail|hold/);
  });

  it("do not keep a harmless version from passing", () => {
    const canary = { ...equal, requests: 110_000, refusals: 12_000 };
    const evidence = evidenceOf(0.1, many, equal);
    const counts = new Float64Array(measures.length);
    counts[indexOf.requests] = counts[indexOf.refusals] = 5000;
    for (const cluster of [7, 8]) evidence.add("canary", 1000, firstOf.anonymous + cluster, counts);
    evidence.close(300_000);
    const attacked = { ...stage(0.1, many, canary), units: [evidence.summary(true)] };
    expect(judge([attacked], criteria).verdict).toBe("pass");
  });
});

it("fails a version that is slower than tolerated everywhere but in its tail", () => {
  const { verdict, why } = finding([stage(0.1, { requests: 18_000 }, { requests: 2000, head: 4 })], "latency");
  expect(verdict).toBe("fail");
  expect(why).toMatch(/slower, and not by chance$/);
});

it("explains a failure with both rates and the least difference", () => {
  const { why, low, high } = finding(
    [stage(0.01, { requests: 337_211, errors: 371 }, { requests: 3410, errors: 35 })],
    "errors",
  );
  expect(why).toMatch(
    /^35 of 3,410 requests failed \(1\.03 %\), from at least 35 clients; stable 0\.11 % of 337,211; at least 0\.\d\d points more, 0\.5 is tolerated$/,
  );
  expect(low).toBeGreaterThan(0);
  expect(high).toBeGreaterThan(0.005);
});

it("passes a significant difference that is smaller than tolerated", () => {
  const found = finding(
    [stage(0.5, { requests: 1_000_000, refusals: 20_000 }, { requests: 1_000_000, refusals: 21_000 })],
    "refusals",
  );
  expect(found.verdict).toBe("pass");
});

it("does not fail for an incident that affects both versions", () => {
  const stages = [stage(0.1, { requests: 90_000, errors: 9000 }, { requests: 10_000, errors: 1010 })];
  expect(finding(stages, "errors").verdict).not.toBe("fail");
});

it("judges each stage by itself: a good night at 1 % does not distort a bad morning at 50 %", () => {
  const night = stage(
    0.01,
    { requests: 990_000, errors: 50, slower: 0.5 },
    { requests: 10_000, errors: 1, slower: 0.5 },
  );
  const morning = stage(0.5, { requests: 100_000, errors: 2000 }, { requests: 100_000, errors: 2000 });
  expect(finding([night, morning], "errors").verdict).toBe("pass");
  expect(finding([night, morning], "latency").verdict).toBe("pass");
});

it("passes a latency with a few hundred requests where stable is faster than in its past", () => {
  const faster = (requests: number, slower: number) => ({ requests, slower });
  const verdictOf = (slower: number, requests = 600) =>
    finding([stage(0.1, faster(5400, 0.5), faster(requests, slower))], "latency").verdict;
  expect(verdictOf(0.5)).toBe("pass");
  // As slow as in the past, when a hundredth exceeded the percentile.
  expect(verdictOf(1.2)).not.toBe("pass");
  expect(verdictOf(1.2, 6000)).not.toBe("pass");
});

it("passes no latency that is longer than stable's, but not than the past, while stable is faster", () => {
  const slowest = (tail: number) =>
    finding([stage(0.1, { requests: 10_800, slower: 0.6 }, { requests: 1200, slower: 0.6, tail })], "latency").verdict;
  expect([slowest(1), slowest(1.5)]).toEqual(["pass", "not-enough"]);
});

it("still fails for the harm of a stage that is over", () => {
  const harmful = stage(0.1, many, { ...equal, errors: 3000 });
  expect(finding([harmful, stage(0.5, many, many)], "errors").verdict).toBe("fail");
});

it("a person's promotion ends a hold: it rests on the newest stage", () => {
  const held = stage(0.01, early, { ...base, refusals: 120 }, { kind: "anonymous" });
  expect(judge([held, stage(0.1, many, equal)], criteria).verdict).toBe("pass");
});

it("finds harm that begins late, in a window that begins after it", () => {
  const evidence = new StageEvidence({ requests: 0, latency: 0 });
  const counts = (errors: number) => {
    const all = new Float64Array(measures.length);
    all[indexOf.requests] = 20;
    all[indexOf.errors] = errors;
    return all;
  };
  const clusters = 4000;
  const minutes = 60;
  for (let minute = 0; minute < minutes; minute++) {
    for (let cluster = 0; cluster < clusters; cluster++) {
      const canary = cluster % 10 === 0;
      // One in ten clusters fails in each minute; in the last three minutes four in ten of the canary.
      const often = canary && minute >= minutes - 3 ? 40 : 10;
      const errors = (cluster * 37 + minute * 61) % 1000 < often * 10 ? 1 : 0;
      evidence.add(canary ? "canary" : "stable", minute * 60_000, firstOf.authenticated + cluster, counts(errors));
    }
    evidence.close((minute + 1) * 60_000 - 1);
  }
  const late = { ...stage(0.1, many, equal), units: [evidence.summary(true)] };
  expect(finding([late], "errors").verdict).toBe("fail");
});

it("holds if the canary gets far more requests than its users send", () => {
  const more = stage(0.1, many, { ...equal, requests: 200_000 });
  for (const it of [more, { ...more, witnessed: { stable: 900_000, canary: 200_000 } }])
    expect(finding([it], "sample-ratio")).toMatchObject({
      verdict: "hold",
      why: expect.stringMatching(/it gets requests that are not its users'$/),
    });
});

it("holds if two fifths of the requests are missing, which clients may have stopped to send", () => {
  expect(finding([stage(0.1, many, { ...equal, requests: 60_000 })], "sample-ratio").verdict).toBe("hold");
});

it("holds if only anonymous clients are missing: who knows the versions can send all requests to the other one", () => {
  const attacked = (canary: Counts) => {
    const evidence = evidenceOf(0.1, many, canary);
    const counts = new Float64Array(measures.length);
    counts[indexOf.requests] = 150;
    for (let cluster = 0; cluster < 16_000; cluster++)
      evidence.add("stable", 1000, firstOf.anonymous + cluster, counts);
    evidence.close(300_000);
    return { ...stage(0.1, many, canary), units: [evidence.summary(true)] };
  };
  expect(finding([attacked(equal)], "sample-ratio").verdict).toBe("hold");
  expect(finding([attacked({ requests: 200 })], "sample-ratio").verdict).toBe("fail");
});

it("holds if the tail saw the requests whose reports are missing", () => {
  const silent = stage(0.1, many, { requests: 2000 });
  expect(finding([silent], "sample-ratio").verdict).toBe("fail");
  const seen = { ...silent, witnessed: { stable: 900_000, canary: 100_000 } };
  expect(finding([seen], "sample-ratio")).toMatchObject({
    verdict: "hold",
    why: expect.stringMatching(/its reports are missing, and the tail saw its requests$/),
  });
  const ratioIf = (canary: number) =>
    finding([{ ...silent, witnessed: { stable: 900_000, canary } }], "sample-ratio").verdict;
  // Its clients may send a bit less than their share.
  expect([60_000, 40_000, 2000].map(ratioIf)).toEqual(["hold", "fail", "fail"]);
});

it("counts a stage whose requests are in several stores", () => {
  const one = stage(0.01, early, { ...base, errors: 60 });
  const two = { ...one, units: [...one.units, summaryOf(0.01, early, base)] };
  expect(finding([two], "errors")).toMatchObject({ verdict: "fail", counts: { canary: { hits: 61, requests: 2000 } } });
});

it("has no limit by default, and enforces one regardless of stable", () => {
  const bad = stage(0.1, { requests: 90_000, errors: 9000 }, { requests: 10_000, errors: 1000 });
  expect(judge([bad], criteria).findings.map(({ criterion }) => criterion)).not.toContain("limit");
  const limited = { ...criteria, limits: { errors: 0.05 } };
  expect(finding([bad], "limit", limited).verdict).toBe("fail");
  expect(finding([stage(0.1, many, equal)], "limit", limited).verdict).toBe("pass");
  const timed = { ...stage(0.1, many, equal), canary: latencies(100_000) };
  const slow = { ...stage(0.1, many, { ...equal, slower: 2 }), canary: latencies(100_000) };
  expect(finding([slow], "limit", { ...criteria, limits: { p99: 100 } }).verdict).toBe("fail");
  expect(finding([timed], "limit", { ...criteria, limits: { p99: 500 } }).verdict).toBe("pass");
});

it("holds at a limit of what anonymous clients can cause, and fails if others confirm it", () => {
  const bad = (kind: "anonymous" | "authenticated" | "dealt") =>
    stage(0.1, { requests: 90_000, refusals: 9000 }, { requests: 10_000, refusals: 1000 }, { kind });
  const limited = { ...criteria, limits: { refusals: 0.05 } };
  expect(finding([bad("anonymous")], "limit", limited).verdict).toBe("hold");
  expect(finding([bad("authenticated")], "limit", limited).verdict).toBe("fail");
  expect(finding([bad("dealt")], "limit", limited).verdict).toBe("fail");
});

it("holds at a limit of latency that one client exceeds with its uploads", () => {
  const limited = { ...criteria, limits: { p99: 100 } };
  const uploads = { ...stage(0.1, many, { ...equal, slower: 2 }, { kind: "anonymous" }), canary: latencies(100_000) };
  const usual = { ...stage(0.1, many, equal), canary: latencies(100_000) };
  for (const it of [uploads, usual])
    expect(finding([it], "limit", limited)).toMatchObject({
      verdict: "hold",
      why: expect.stringMatching(/; the limit is 100 ms; clients that nobody authenticated can cause this, so a/),
    });
});

it("parses a manifest's limits; abandoned requests have the limit of errors", () => {
  const { limits } = criteriaOf({
    tolerate: { errors: "+0.5pp", p99: "+20%", refusals: "+1pp" },
    limits: { errors: "1%", p99: "800ms" },
  });
  expect(limits).toEqual({ errors: 0.01, abandoned: 0.01, p99: 800 });
});

it("counts a query's finding like the other criteria", () => {
  const query: Finding = {
    criterion: "query",
    verdict: "fail",
    stable: 1,
    canary: 2,
    low: null,
    high: null,
    tolerate: null,
    why: "payments: half as many",
  };
  const own = judge([stage(0.1, many, equal)], criteria);
  expect(withFindings(own, [query])).toMatchObject({ verdict: "fail", findings: [...own.findings, query] });
  expect(withFindings(own, [{ ...query, verdict: "not-enough" }])).toMatchObject({ verdict: "not-enough" });
  expect(withFindings(own, [])).toEqual(own);
});

describe("says", () => {
  const cause = (it: Partial<Cause>): Cause => ({
    ...{ kind: "refusals", route: "open/rates", by: "", code: "", status: "", upstream: "", count: 1 },
    ...it,
  });
  const worded = (
    criterion: Finding["criterion"],
    canary: Counts,
    causes: readonly Cause[],
    stable: Counts = { requests: 190_112, refusals: 190 },
  ): Finding => {
    const it = stage(0.01, stable, canary);
    const { findings } = judge([{ ...it, canary: { ...it.canary, causes } }], criteria, { forecast: true });
    return findings.find((finding) => finding.criterion === criterion) as Finding;
  };

  it("which route, filter and code, and how many clients", () => {
    const refused = { requests: 1943, refusals: 1100 };
    const { why, causes, counts, clients } = worded("refusals", refused, [
      cause({ by: "router", code: "route-unknown", count: 1000 }),
      cause({ by: "limit", code: "rate-limited", count: 90 }),
      cause({ kind: "errors", by: "rates", code: "upstream-timeout", count: 5 }),
    ]);
    expect(why).toMatch(
      /^1,100 of 1,943 requests were refused \(56\.6 %\): 1,000 `route-unknown` on `open\/rates` by `router`, 90 `rate-limited` on `open\/rates` by `limit`, 10 others, from at least 100 clients; stable 0\.1 % of 190,112; at least \d+(\.\d)? points more, 1 is tolerated$/,
    );
    expect(counts).toEqual({ stable: { hits: 190, requests: 190_112 }, canary: { hits: 1100, requests: 1943 } });
    expect(causes).toMatchObject([{ code: "route-unknown", canary: 1000, stable: 0 }, { code: "rate-limited" }]);
    expect(clients).toBe(100);
  });

  it("that one client may have sent all", () => {
    const it = finding([stage(0.1, many, { requests: 120, errors: 40 }, { hitting: 1 })], "errors");
    expect(it.why).toMatch(/^40 of 120 requests failed \(33\.3 %\), perhaps all from one client;/);
  });

  it("which service answered, and which requests no route matched", () => {
    const answered = cause({ kind: "errors", status: "503", upstream: "rates", count: 3 });
    expect(worded("errors", { requests: 500, errors: 3 }, [answered]).why).toContain(
      "all 503 from `rates` on `open/rates`",
    );
    const unrouted = cause({ route: "open", code: "route-unknown", count: 2 });
    expect(worded("refusals", { requests: 500, refusals: 2 }, [unrouted]).why).toContain(
      "all `route-unknown` in `open`, where no route matched",
    );
  });

  it("nothing of zero requests, of which zero were expected", () => {
    for (const { why } of judge([], criteria, { forecast: true }).findings) expect(why).not.toMatch(/\b0 of 0|unknown/);
    const { findings } = judge([{ ...stage(0.2, { requests: 39 }, { requests: 0 }), until: 5000 }], criteria);
    expect(new Set(findings.map(({ why }) => why))).toEqual(
      new Set([
        "not judged in the first 30 s after a new share",
        "the new version has had no request",
        "no request yet whose latency can be compared",
      ]),
    );
  });

  it("how much evidence is missing: with as much more it passes, with less it does not", () => {
    const at = (times: number) => {
      const [stable, canary] = [
        { requests: Math.round(9000 * times), refusals: Math.round(180 * times) },
        { requests: Math.round(1000 * times), refusals: Math.round(20 * times) },
      ];
      const { findings } = judge([stage(0.1, stable, canary)], criteria, { forecast: true });
      return findings.find(({ criterion }) => criterion === "refusals") as Finding;
    };
    const { verdict, needs } = at(1);
    expect(verdict).toBe("not-enough");
    // The period took five minutes.
    expect(needs?.ms).toBeCloseTo((needs?.requests ?? 0) * 300, -5);
    expect(at(1 + (2 * (needs?.requests ?? 0)) / 1000).verdict).toBe("pass");
    expect(at(1 + (0.3 * (needs?.requests ?? 0)) / 1000).verdict).toBe("not-enough");
  });

  it("that a version does not pass at its rates, rather than for how long to wait", () => {
    const stable = { requests: 9000, refusals: 90 };
    const it = worded("refusals", { requests: 100, refusals: 4 }, [], stable);
    expect(it).toMatchObject({ verdict: "not-enough", needs: null });
    expect(it.why).toMatch(/3 points more, 1 is tolerated: it does not pass at these rates$/);
    expect(timeoutText({ verdict: "not-enough", findings: [it] }, 600_000, 1)).toBe(
      `not enough evidence after 10 min at 1 %: ${it.why}`,
    );
  });

  it("the first failing criterion in full, and the others by name", () => {
    const verdict = judge(
      [stage(0.01, { requests: 99_000, errors: 99 }, { requests: 1000, errors: 90, refusals: 90 })],
      criteria,
    );
    expect(failureText(verdict)).toMatch(/^90 of 1,000 requests failed \(9 %\).*; also failing: refusals/);
  });
});

it("is valid JSON", () => {
  const verdict = judge([{ ...stage(0.5, many, many), canary: latencies(1) }], { ...criteria, limits: { p99: 1 } });
  expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
});

describe("without users on stable, after the promotion", () => {
  const before = stage(0.5, many, many);
  const alone = (canary: Counts): Stage => stage(1, { requests: 0 }, canary);
  const fine = { requests: 100_000, errors: 100, refusals: 2000, abandoned: 11 };

  it("a good version passes, and nothing is expected of stable", () => {
    const { verdict, findings } = judge([before, alone(fine)], criteria);
    expect(findings.filter((it) => it.verdict !== "pass")).toEqual([]);
    expect(verdict).toBe("pass");
    expect(findings.map(({ criterion }) => criterion)).not.toContain("sample-ratio");
  });

  it("compares with stable as it was before, and says so", () => {
    const { verdict, why } = finding([before, alone({ ...fine, errors: 3000 })], "errors");
    expect(verdict).toBe("fail");
    expect(why).toMatch(/^3,000 of 100,000 requests failed \(3 %\).*; stable 0\.1 % of .*\(stable as it was before\)$/);
  });

  it("has nothing to compare with, if stable had no users", () => {
    expect(finding([alone({ ...fine, errors: 3000 })], "errors").verdict).toBe("not-enough");
  });

  it.each([
    [20, "pass"],
    [450, "not-enough"],
    [2000, "fail"],
  ] as const)("%i faults in 100,000 requests, of which 0.5 %% are tolerated: %s", (faults, verdict) => {
    const found = finding([before, alone({ ...fine, errors: 100 + faults, faults })], "faults");
    expect(found).toMatchObject({ verdict, canary: faults / 100_000, tolerate: 0.005 });
  });

  it("limits bound it, also if nothing can be compared", () => {
    const limited = criteriaOf({
      tolerate: { errors: "+0.5pp", p99: "+20%", refusals: "+1pp" },
      limits: { errors: "1%" },
    });
    expect(finding([alone({ ...fine, errors: 3000 })], "limit", limited)).toMatchObject({
      verdict: "fail",
      limit: "errors",
    });
    expect(finding([before, alone(fine)], "limit", limited).verdict).toBe("pass");
  });

  it("a later split with both versions is compared as usual", () => {
    const { findings } = judge([before, alone({ ...fine, errors: 3000 }), stage(0.1, many, equal)], criteria);
    expect(findings.map(({ criterion }) => criterion)).toContain("sample-ratio");
  });
});

/** Exponential above 20 ms: 99 % are below 158 ms. */
function latencies(requests: number): Stage["canary"] {
  const bins = new Map<number, number>();
  for (let index = 0; index < requests; index++) {
    const bin = binOf(20 - 30 * Math.log(1 - (index + 0.5) / requests));
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  const none = { requests, errors: 0, refusals: 0, upstreamErrors: 0, abandoned: 0 };
  return { cold: 0, groups: { "0": { ...none, latency: [...bins].toSorted(([a], [b]) => a - b) } } };
}
