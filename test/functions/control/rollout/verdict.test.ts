/** The verdict on a rollout, from samples of both versions: what fails, what passes, and what needs more evidence. */
import { describe, expect, it } from "vitest";
import { type Criteria, criteriaOf } from "../../../../functions/control/model/criteria.ts";
import type { Finding } from "../../../../functions/control/model/finding.ts";
import type { Cause } from "../../../../functions/control/telemetry/causes.ts";
import type { Stage } from "../../../../functions/control/verdict/evidence.ts";
import { judge, withFindings } from "../../../../functions/control/verdict/verdict.ts";
import { failureText, timeoutText } from "../../../../functions/control/verdict/verdict-text.ts";
import { type Group, groups, type Sample } from "../../../../functions/gateway/observability/samples.ts";
import { type SampleSpec, sample } from "./evidence.ts";

const criteria = criteriaOf({ tolerate: { errors: "+0.5pp", p99: "+20%", refusals: "+1pp" } });

const stage = (share: number, stable: SampleSpec, canary: SampleSpec): Stage => ({
  share,
  since: 0,
  until: 300_000,
  units: [],
  stable: sample(stable),
  canary: sample(canary),
});

const finding = (stages: readonly Stage[], criterion: Finding["criterion"], by: Criteria = criteria): Finding => {
  const found = judge(stages, by).findings.find((it) => it.criterion === criterion);
  if (!found) throw new Error(`no finding about ${criterion}`);
  return found;
};

const noRequests = { requests: 0, errors: 0, refusals: 0, upstreamErrors: 0, abandoned: 0, latency: [] };
const many = { requests: 900_000, errors: 900, refusals: 18_000, abandoned: 100 };
const equal = { requests: 100_000, errors: 100, refusals: 2000, abandoned: 11 };

it("parses a manifest's tolerances", () => {
  expect(criteria.tolerate).toMatchObject({ errors: 0.005, abandoned: 0.005, upstreamErrors: 0.005, refusals: 0.01 });
  expect(criteria.tolerate.p99).toBeCloseTo(0.2);
  expect(() => criteriaOf({ tolerate: { errors: "0.5pp", p99: "+20%", refusals: "+1pp" } })).toThrow(TypeError);
});

it("passes a version that behaves like stable", () => {
  const { verdict, findings } = judge([stage(0.1, many, equal)], criteria);
  expect(findings.filter((it) => it.verdict !== "pass")).toEqual([]);
  expect(verdict).toBe("pass");
});

it("neither passes nor fails on a few requests", () => {
  expect(judge([], criteria).verdict).toBe("not-enough");
  const few = judge([stage(0.1, { requests: 900, errors: 1 }, { requests: 100, errors: 1 })], criteria);
  expect(few.verdict).toBe("not-enough");
  expect(few.findings.every(({ verdict }) => verdict === "not-enough")).toBe(true);
});

it.each(["canary", "stable"] as const)(
  "proves nothing by bodies of %s that break off after the split, if their requests were before it",
  (side) => {
    // Bodies from 5 users of the step before, and the first request of this one.
    const group = (number: number): Group => ({
      ...noRequests,
      requests: Number(number === 0),
      errors: 3,
      upstreamErrors: 3,
    });
    const late = { groups: Object.fromEntries([0, 1, 2, 3, 4].map((it) => [it, group(it)])), cold: 0 };
    const found = judge([{ ...stage(0.1, many, equal), [side]: late }], criteria).findings;
    for (const criterion of ["errors", "upstream-errors"]) {
      const it = found.find((one) => one.criterion === criterion);
      expect(it).toMatchObject({ verdict: side === "canary" ? "not-enough" : "pass", [side]: 1 });
      expect(Math.abs(it?.low ?? 9)).toBeLessThanOrEqual(1);
    }
  },
);

it("ignores stages in which only one version had users", () => {
  const broken = { requests: 10_000, errors: 10_000 };
  expect(judge([stage(0, many, broken), stage(1, { requests: 0 }, broken)], criteria).verdict).toBe("not-enough");
});

describe("fails early, at 1 % of users, a version that", () => {
  const stable = { requests: 99_000, errors: 99, refusals: 1980, abandoned: 10 };
  const base = { requests: 1000, errors: 1, refusals: 20 };
  it.each([
    ["answers 5xx", "errors", { ...base, errors: 30 }],
    ["has a failing upstream", "upstream-errors", { ...base, upstreamErrors: 30 }],
    ["refuses good users", "refusals", { ...base, refusals: 80 }],
    ["hangs", "abandoned", { ...base, abandoned: 20 }],
    ["is slow everywhere", "latency", { ...base, slower: 2 }],
    ["is slow in its tail", "latency", { ...base, tail: 2 }],
    ["reports nothing", "sample-ratio", { requests: 0 }],
    ["reports a fifth of its requests", "sample-ratio", { requests: 200 }],
  ] as const)("%s", (_, criterion, canary) => {
    const { verdict, findings } = judge([stage(0.01, stable, canary)], criteria);
    expect(findings.find((it) => it.criterion === criterion)?.verdict).toBe("fail");
    expect(verdict).toBe("fail");
  });
});

it("fails a version that is slower than tolerated everywhere but in its tail", () => {
  const { verdict, why } = finding([stage(0.1, { requests: 18_000 }, { requests: 2000, head: 1.5 })], "latency");
  expect(verdict).toBe("fail");
  expect(why).toMatch(/elsewhere in the distribution more than 20 % slower$/);
});

it("passes a version whose latency is below the edge's clock resolution", () => {
  const fast = stage(0.1, { requests: 90_000, slower: 0.001 }, { requests: 10_000, slower: 0.001 });
  expect(finding([fast], "latency").verdict).toBe("pass");
});

it("explains a failure with both rates and the least difference", () => {
  const { why, low, high } = finding(
    [stage(0.01, { requests: 337_211, errors: 371 }, { requests: 3410, errors: 35 })],
    "errors",
  );
  expect(why).toMatch(
    /^35 of 3,410 requests failed \(1\.03 %\), from at least 32 clients; stable 0\.11 % of 337,211; at least 0\.\d\d points more, and 0\.5 points cannot be excluded$/,
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
  expect(found.low).toBeGreaterThan(0);
});

it("does not fail for an incident that affects both versions", () => {
  const stages = [stage(0.1, { requests: 90_000, errors: 9000 }, { requests: 10_000, errors: 1010 })];
  expect(finding(stages, "errors").verdict).not.toBe("fail");
});

it("compares versions within each stage: a good night at 1 % does not distort a bad morning at 50 %", () => {
  const night = stage(
    0.01,
    { requests: 990_000, errors: 50, slower: 0.5 },
    { requests: 10_000, errors: 1, slower: 0.5 },
  );
  const morning = stage(0.5, { requests: 100_000, errors: 2000 }, { requests: 100_000, errors: 2000 });
  expect(finding([night, morning], "errors").verdict).toBe("pass");
  expect(finding([night, morning], "latency").verdict).toBe("pass");
});

/** All errors in one group: one user's, as far as the data shows. */
const oneUser = (requests: number, errors: number): Sample => {
  const base = sample({ requests });
  const group = base.groups["3"] as Group;
  return { ...base, groups: { ...base.groups, "3": { ...group, errors } } };
};

it("counts one failing user once, however often the user retries", () => {
  const stages = (canary: Sample) => [{ ...stage(0.01, { requests: 99_000, errors: 99 }, equal), canary }];
  expect(finding(stages(sample({ requests: 1000, errors: 25 })), "errors").verdict).toBe("fail");
  expect(finding(stages(oneUser(1000, 25)), "errors").verdict).toBe("not-enough");
});

it("detects failures of many users, also beside one user with more failures than all others", () => {
  const base = sample({ requests: 3000, errors: 40 });
  const group = base.groups["3"] as Group;
  const canary = {
    ...base,
    groups: { ...base.groups, "3": { ...group, requests: group.requests + 900, errors: 300 } },
  };
  const stages = [{ ...stage(0.01, { requests: 300_000, errors: 300 }, equal), canary }];
  expect(finding(stages, "errors").verdict).toBe("fail");
});

it("counts missing reports as evidence only once the split has settled", () => {
  const silent = stage(0.1, many, { requests: 0 });
  expect(finding([silent], "sample-ratio").verdict).toBe("fail");
  expect(finding([{ ...silent, until: 20_000 }], "sample-ratio").verdict).toBe("not-enough");
});

it("has no limit by default, and enforces one regardless of stable", () => {
  const bad = stage(0.1, { requests: 90_000, errors: 9000 }, { requests: 10_000, errors: 1000 });
  expect(judge([bad], criteria).findings.map(({ criterion }) => criterion)).not.toContain("limit");
  const limited = { ...criteria, limits: { errors: 0.05 } };
  expect(finding([bad], "limit", limited).verdict).toBe("fail");
  expect(finding([stage(0.1, many, equal)], "limit", limited).verdict).toBe("pass");
  expect(finding([stage(0.1, many, equal)], "limit", { ...criteria, limits: { p99: 100 } }).verdict).toBe("fail");
  expect(finding([stage(0.1, many, equal)], "limit", { ...criteria, limits: { p99: 500 } }).verdict).toBe("pass");
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
    canary: SampleSpec,
    causes: readonly Cause[],
    stable: SampleSpec = { requests: 190_112, refusals: 190 },
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
      /^1,100 of 1,943 requests were refused \(56\.6 %\): 1,000 `route-unknown` on `open\/rates` by `router`, 90 `rate-limited` on `open\/rates` by `limit`, 10 others, from at least 32 clients; stable 0\.1 % of 190,112; at least \d+(\.\d)? points more, 1 is tolerated$/,
    );
    expect(counts).toEqual({ stable: { hits: 190, requests: 190_112 }, canary: { hits: 1100, requests: 1943 } });
    expect(causes).toMatchObject([{ code: "route-unknown", canary: 1000, stable: 0 }, { code: "rate-limited" }]);
    expect(clients).toBe(32);
  });

  it("that one client may have sent all, and that the clients of requests that died are unknown", () => {
    const group = (errors: number, requests: number): Group => ({
      ...{ requests, errors, refusals: 0, upstreamErrors: 0, abandoned: 0, latency: [] },
    });
    const it = (causes: readonly Cause[]): Finding =>
      finding(
        [
          {
            ...stage(0.1, many, equal),
            canary: { cold: 0, groups: { "3": group(40, 60), "4": group(0, 60) }, causes },
          },
        ],
        "errors",
      );
    expect(it([]).why).toMatch(/^40 of 120 requests failed \(33\.3 %\), perhaps all from one client;/);
    const dead = it([cause({ kind: "errors", route: "open", code: "died", count: 40 })]);
    expect(dead).toMatchObject({ clients: null, why: expect.stringMatching(/: all died without an answer; stable/) });
  });

  it("which service answered, and which requests no route matched", () => {
    const errors = { requests: 500, errors: 3, upstreamErrors: 3 };
    const answered = cause({ kind: "errors", status: "503", upstream: "rates", count: 3 });
    expect(worded("upstream-errors", errors, [answered]).why).toContain("all 503 from `rates` on `open/rates`");
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
        "no successful request in a warm isolate, so no latency",
      ]),
    );
  });

  it("how much evidence is missing: with as much more it passes, with less it does not", () => {
    const at = (times: number) => {
      const [stable, canary] = [
        { requests: 99_000 * times, errors: 99 * times, refusals: 1980 * times },
        { requests: 1000 * times, errors: Math.round(times), refusals: Math.round(20 * times) },
      ];
      const { findings } = judge([stage(0.01, stable, canary)], criteria, { forecast: true });
      return findings.find(({ criterion }) => criterion === "refusals") as Finding;
    };
    const { verdict, needs } = at(1);
    expect(verdict).toBe("not-enough");
    // The period took five minutes.
    expect(needs?.ms).toBeCloseTo((needs?.requests ?? 0) * 300, -5);
    expect(at(1 + (1.15 * (needs?.requests ?? 0)) / 1000).verdict).toBe("pass");
    expect(at(1 + (0.6 * (needs?.requests ?? 0)) / 1000).verdict).toBe("not-enough");
  });

  it("that a version does not pass at its rates, rather than for how long to wait", () => {
    const stable = { requests: 9000, refusals: 90 };
    const it = worded("refusals", { requests: 100, refusals: 3 }, [], stable);
    expect(it).toMatchObject({ verdict: "not-enough", needs: null });
    expect(it.why).toMatch(/2 points more, 1 is tolerated: it does not pass at these rates$/);
    expect(timeoutText({ verdict: "not-enough", findings: [it] }, 600_000, 1)).toBe(
      `not enough evidence after 10 min at 1 %: ${it.why}`,
    );
  });

  it("the first failing criterion in full, and the others by name", () => {
    const stable = { requests: 99_000, errors: 99, upstreamErrors: 90 };
    const verdict = judge([stage(0.01, stable, { requests: 1000, errors: 90, upstreamErrors: 90 })], criteria);
    expect(failureText(verdict)).toMatch(/^90 of 1,000 requests failed \(9 %\).*; also failing: upstream errors$/);
  });
});

it("is valid JSON for any sample", () => {
  const odd: Sample = {
    cold: 3,
    groups: {
      "0": {
        ...(sample({ requests: 1 }).groups["0"] as Group),
        latency: [
          [999, 1],
          [-4, 1],
        ],
      },
    },
  };
  const verdict = judge(
    [{ share: 0.5, since: 0, until: 300_000, units: [], stable: { cold: 0, groups: {} }, canary: odd }],
    {
      ...criteria,
      limits: { p99: 1 },
    },
  );
  expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
  expect(Object.keys(odd.groups).length).toBeLessThan(groups);
});

describe("without users on stable, after the promotion", () => {
  const before = stage(0.5, many, { ...many, requests: 900_000 });
  const alone = (canary: SampleSpec, deaths: SampleSpec = { requests: 0 }): Stage => ({
    ...stage(1, { requests: 0 }, canary),
    deaths: sample(deaths),
  });
  const fine = { requests: 100_000, errors: 100, refusals: 2000, abandoned: 11 };

  it("a good version passes, and nothing is expected of stable", () => {
    const { verdict, findings } = judge([before, alone(fine)], criteria);
    expect(verdict).toBe("pass");
    expect(findings.map(({ criterion }) => criterion)).not.toContain("sample-ratio");
  });

  it("compares with stable as it was before, and says so", () => {
    const { verdict, why } = finding([before, alone({ ...fine, errors: 3000 })], "errors");
    expect(verdict).toBe("fail");
    expect(why).toMatch(
      /^3,000 of 100,000 requests failed \(3 %\), from .*; stable 0\.1 % of .*\(stable as it was before\)$/,
    );
  });

  it("has nothing to compare with, if stable had no users", () => {
    expect(finding([alone({ ...fine, errors: 3000 })], "errors").verdict).toBe("not-enough");
  });

  it.each([
    [20, "pass"],
    [450, "not-enough"],
    [2000, "fail"],
  ] as const)("%i deaths in 100,000 requests, of which 0.5 %% are tolerated: %s", (count, verdict) => {
    const died = { requests: count, errors: count };
    const found = finding([before, alone({ ...fine, errors: 100 + count }, died)], "deaths");
    expect(found).toMatchObject({ verdict, canary: count / 100_000, tolerate: 0.005 });
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
    expect(findings.map(({ criterion }) => criterion)).not.toContain("deaths");
  });
});
