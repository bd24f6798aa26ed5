/** The verdict on a rollout, from samples of both versions: what fails, what passes, and what needs more evidence. */
import { describe, expect, it } from "vitest";
import { type Criteria, criteriaOf } from "../../../../functions/control/model/criteria.ts";
import type { Finding } from "../../../../functions/control/model/finding.ts";
import type { Stage } from "../../../../functions/control/rollout/evidence.ts";
import { judge, withFindings } from "../../../../functions/control/rollout/verdict.ts";
import { type Group, groups, type Sample } from "../../../../functions/gateway/observability/samples.ts";
import { type SampleSpec, sample } from "./evidence.ts";

const criteria = criteriaOf({ tolerate: { errors: "+0.5pp", p99: "+20%", refusals: "+1pp" } });

const stage = (share: number, stable: SampleSpec, canary: SampleSpec): Stage => ({
  share,
  since: 0,
  until: 300_000,
  stable: sample(stable),
  canary: sample(canary),
});

const finding = (stages: readonly Stage[], criterion: Finding["criterion"], by: Criteria = criteria): Finding => {
  const found = judge(stages, by).findings.find((it) => it.criterion === criterion);
  if (!found) throw new Error(`no finding about ${criterion}`);
  return found;
};

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
  expect(why).toMatch(/more than 20\.0 % slower elsewhere in its distribution$/);
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
    /^errors: 1\.03 % of 3,410 requests against 0\.11 % of 337,211; at least 0\.\d\d points more, and 0\.50 points cannot be excluded$/,
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
  const verdict = judge([{ share: 0.5, since: 0, until: 300_000, stable: { cold: 0, groups: {} }, canary: odd }], {
    ...criteria,
    limits: { p99: 1 },
  });
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
    expect(why).toMatch(/^errors: 3.00 % of 100,000 requests against 0.10 % of .*\(stable as it was before\)$/);
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
