/** What is done to a filter is graded as the table of the reference says: every filter, in every direction. */
import { describe, expect, it } from "vitest";
import { registry } from "../../../infra/project/registry.ts";
import { compareProjects } from "../../../infra/review/compare.ts";
import { plainText } from "../../../infra/review/core/sentence.ts";
import { type Grading, gradingOf } from "../../../infra/review/diff/grade/grading.ts";
import { type Files, writeProject } from "../../e2e/project.ts";

const document = "openapi: 3.1.0\npaths: { /a: { post: { operationId: one, responses: {} } } }\n";
const files = (filters: readonly string[]): Files => ({
  "routes/environments/local.yaml": `values: {}\nkv: { consumers: "${"1".repeat(32)}" }\n`,
  // Whatever is tried, somebody looks consumers up.
  "routes/u.yaml":
    "api: postern/v1\ntier: u\nhosts: [localhost]\nbase: /u\nfilters: [{ api-key: {} }]\nroutes: { a: { match: GET /a, respond: {} } }\n",
  "routes/openapi/a.yaml": document,
  "routes/openapi/b.yaml": document,
  "routes/t.yaml": `api: postern/v1\ntier: t\nhosts: [localhost]\nfilters:\n${filters.map((it) => `  - ${it}\n`).join("")}  - ip: { allow: [10.0.0.0/8] }\n    id: last\nupstreams: { it: { http: "https://it.example" } }\nroutes: { a: { match: POST /a, to: it } }\n`,
});

const token = "issuer: https://us.example, audience: it, algorithms: [EdDSA]";
/** Keeps callers identified where another filter that does so is tried. */
const otherFilter = "api-key: { header: x-other }\n    id: stays";

interface TestedFilter {
  /** What has to stand ahead of it. */
  readonly ahead?: readonly string[];
  readonly as: string;
  /** The same, protecting less; backwards it protects more. */
  readonly weaker?: string;
  /** A number of it lets ten times as much through. */
  readonly multiplied?: string;
  readonly other?: string;
  /** It is a guard that may be shadowed where it stands. */
  readonly shadow?: true;
}

const testedFilters: Readonly<Record<string, TestedFilter>> = {
  jwt: {
    ahead: [otherFilter],
    as: `${token}, max-age: 1h`,
    weaker: `${token}, max-age: 2h`,
    multiplied: `${token}, max-age: 10h`,
    other: `${token.replace("us", "them")}, max-age: 1h`,
    shadow: true,
  },
  "api-key": {
    ahead: [otherFilter],
    as: "header: x-key, cache: 60s",
    weaker: "header: x-key, cache: 90s",
    other: "header: x-kei, cache: 60s",
    shadow: true,
  },
  signature: {
    ahead: [otherFilter, "body-limit: 1KiB"],
    as: "keys: { k: { secret: KEY_ONE, consumer: a } }, window: 1m",
    weaker: "keys: { k: { secret: KEY_ONE, consumer: a } }, window: 2m",
    other: "keys: { k: { secret: KEY_ONE, consumer: b } }, window: 1m",
    shadow: true,
  },
  access: { ahead: [otherFilter], as: "consumers: [a]", weaker: "consumers: [a, b]", shadow: true },
  ip: { as: "allow: [10.0.0.0/16]", weaker: "allow: [10.0.0.0/8]", shadow: true },
  "rate-limit": {
    as: "limit: 5/s, by: ip",
    weaker: "limit: 6/s, by: ip",
    multiplied: "limit: 50/s, by: ip",
    other: "limit: 5/s, by: route",
    shadow: true,
  },
  "body-limit": { as: "max: 1KiB", weaker: "max: 2KiB", multiplied: "max: 10KiB", shadow: true },
  cors: {
    as: 'origins: ["https://a.example"]',
    weaker: 'origins: ["https://a.example", "https://b.example"]',
    other: 'origins: ["https://a.example"], max-age: 9m',
  },
  csrf: { as: 'origins: ["https://a.example"]', weaker: 'origins: ["https://a.example", "https://b.example"]' },
  "secure-headers": {
    as: "x-frame-options: DENY",
    weaker: "x-frame-options: false",
    other: "x-frame-options: SAMEORIGIN",
  },
  validate: {
    ahead: ["body-limit: 1KiB"],
    as: "openapi: openapi/a.yaml",
    other: "openapi: openapi/b.yaml",
    shadow: true,
  },
  headers: { as: "request: { set: { x-a: one } }", other: "request: { set: { x-a: two } }" },
  timeout: { as: "after: 1s", weaker: "after: 2s", multiplied: "after: 10s" },
  mirror: {
    as: "to: https://a.example, share: 10%",
    weaker: "to: https://a.example, share: 20%",
    multiplied: "to: https://a.example, share: 100%",
    other: "to: https://b.example, share: 10%",
  },
  redirect: { as: "https: true", other: "https: true, status: 307" },
  respond: { as: "status: 200, text: a", other: "status: 200, text: b" },
  rewrite: { as: "path: /b", other: "path: /c" },
};

const kindsOf = (before: readonly string[], after: readonly string[]): string[] => {
  const { changes, problems } = compareProjects(writeProject(files(before)), writeProject(files(after)), "local");
  if (problems.length > 0) throw new Error(JSON.stringify(problems, null, 1));
  return changes.map(({ kind }) => kind).filter((it) => !it.startsWith("secret-"));
};

it("there is a trial for every filter", () => {
  expect(Object.keys(testedFilters).sort()).toEqual(Object.keys(registry.filters).sort());
});

describe.each(Object.entries(testedFilters))("%s", (use, { ahead = [], as, weaker, multiplied, other, shadow }) => {
  const about = registry.filters[use];
  const grading = gradingOf(use, about as NonNullable<typeof about>);
  const whole = (config: string) => [...ahead, `${use}: { ${config} }`];
  const shadowed = [...ahead, `${use}: { ${as} }\n    mode: shadow`];
  const steps: readonly (readonly [keyof Grading, readonly string[], readonly string[]])[] = [
    ["added", ahead, whole(as)],
    ["dropped", whole(as), ahead],
    ...(weaker === undefined
      ? []
      : ([
          ["weaker", whole(as), whole(weaker)],
          ["stronger", whole(weaker), whole(as)],
        ] as const)),
    ...(multiplied === undefined ? [] : ([["multiplied", whole(as), whole(multiplied)]] as const)),
    ...(other === undefined ? [] : ([["other", whole(as), whole(other)]] as const)),
    ...(shadow
      ? ([
          ["dropped", whole(as), shadowed],
          ["added", shadowed, whole(as)],
        ] as const)
      : []),
  ];
  it.each(steps)("%s", (what, before, after) => {
    expect(kindsOf(before, after)).toEqual([grading[what]]);
  });
});

it.each([
  ["allow: [10.0.0.0/8]", "allow: [10.1.0.0/16, 10.2.3.4]", "access-strengthened"],
  ["allow: [10.1.0.0/16]", 'allow: [10.1.0.0/16, "2001:db8::/32"]', "access-weakened"],
  ["deny: [10.0.0.0/8]", "deny: [10.1.0.0/16]", "access-weakened"],
  ["deny: [10.1.0.0/16]", "deny: [10.0.0.0/8]", "access-strengthened"],
  ["allow: [10.0.0.7]", "allow: [10.0.0.7/32]", "access-changed"],
  ["allow: [10.0.0.0/8], deny: [10.6.6.6]", "allow: [10.0.0.0/8]", "access-weakened"],
])("addresses: %s, then %s: %s", (before, after, kind) => {
  expect(kindsOf([`ip: { ${before} }`], [`ip: { ${after} }`])).toEqual([kind]);
});

it("a filter that applies to no request, or is off, counts as removed", () => {
  const limit = "rate-limit: { limit: 5/s, by: ip }";
  expect(kindsOf([limit], [`${limit}\n    mode: off`])).toEqual(["limit-removed"]);
  expect(kindsOf([`${limit}\n    mode: off`], [])).toEqual(["filter-removed"]);
  expect(kindsOf([limit], [`${limit}\n    percent: 50%`])).toEqual(["limit-raised"]);
});

it.each([
  ["100/s", "1000/s", "limit-multiplied", "10 times as many"],
  ["100/s", "999/s", "limit-raised", "9.9 times as many"],
  ["100/s", "150/s", "limit-raised", undefined],
  ["100/s", "100000/m", "limit-multiplied", "17 times as many (6000/m before, 100000/m now)"],
  ["1000/m", "500/s", "limit-multiplied", "30 times as many (1000/m before, 30000/m now)"],
  // More at once, and as many in the long run.
  ["100/s", "6000/m", "limit-raised", undefined],
  // A burst that the day does not give.
  ["100/s", "5000/day", "limit-changed", undefined],
  ["5/s", "5/30s", "limit-lowered", undefined],
  ["[100/s, 5000/day]", "100/s", "limit-multiplied", "1728 times as many (5000/day before, 8640000/day now)"],
  ["[100/s, 5000/day]", "[400/s, 5000/day]", "limit-raised", "4 times as many"],
])("rates: %s, then %s: %s", (before, after, kind, says) => {
  const [a, b] = [before, after].map((it) => writeProject(files([`rate-limit: { limit: ${it}, by: ip }`]))) as [
    string,
    string,
  ];
  const [change] = compareProjects(a, b, "local").changes;
  expect([change?.kind, /(?<=, )[\d.]+ times.*/.exec(plainText(change?.message ?? []))?.[0]]).toEqual([kind, says]);
});

it("a limit for a tenth of the users is weaker, and one for none counts as removed", () => {
  const limit = "rate-limit: { limit: 5/s, by: ip }";
  expect(kindsOf([limit], [`${limit}\n    percent: 10%`])).toEqual(["limit-multiplied"]);
  expect(kindsOf([limit], [`${limit}\n    percent: 0%`])).toEqual(["limit-removed"]);
  expect(kindsOf([`${limit}\n    percent: 0%`], [limit])).toEqual(["limit-lowered"]);
});

it("a secret of an environment is hidden wherever it comes to stand, also where it is too long to be shown whole", () => {
  const secret = `${"0123456789abcdef".repeat(12)}9x`;
  const value = (text: string): Files => ({
    ...files([`headers: { request: { set: { x-plain: "$\{my-token}" } } }`]),
    "routes/environments/local.yaml": `values: { my-token: ${text} }\nkv: { consumers: "${"1".repeat(32)}" }\n`,
  });
  const { changes } = compareProjects(writeProject(value("none")), writeProject(value(secret)), "local");
  expect(changes.map(({ kind }) => kind)).toEqual(["secret-written", "filter-changed"]);
  expect(JSON.stringify(changes)).not.toContain(secret.slice(0, 16));
});
