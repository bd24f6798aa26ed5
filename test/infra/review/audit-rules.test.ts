/** Audit rules beyond their golden cases: similar manifests, hostile files, secrets. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patternProblem } from "../../../functions/gateway/routing/patterns.ts";
import { check } from "../../../infra/commands/authoring/check.ts";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { renderFindings } from "../../../infra/review/audit/human.ts";
import { createPatternCosts } from "../../../infra/review/audit/rule-kit/patterns.ts";
import { writeProject } from "../../e2e/project.ts";
import { checkWithRecheck } from "../recheck.ts";
import { auditOf, auditOfShop, today } from "./audit-cases.ts";

const limit = "{ rate-limit: { limit: 20/s, by: ip } }";
const jwt = "{ jwt: { issuer: https://identity.acme.example, audience: shop, algorithms: [EdDSA], max-age: 1h } }";
const remove = (header: string) => `{ headers: { request: { remove: [${header}] } } }`;

const shop = (filters: readonly string[], routes: string, more = "") =>
  `api: postern/v1\ntier: shop\nhosts: [api.acme.example]\nupstreams: { orders: { http: https://orders.acme.example } }\n${more}filters: [${filters.join(", ")}]\nroutes:\n${routes}`;
const one = "  one: { match: GET /one, to: orders }\n";

const codes = (manifest: string) => auditOfShop(manifest).findings.map(({ code }) => code);

it("finds nothing in the sample manifests", () => {
  const { exitCode, data } = check({ root: codeRoot }, today);
  expect(exitCode).toBe(0);
  expect(data).toMatchObject({ findings: [], ignored: [] });
});

it("a cookie's token on a route that changes something needs csrf, or a form of any site may do so", () => {
  const cookie = jwt.replace("max-age", "from: [header.authorization, cookie.session], max-age");
  const write = "  one: { match: POST /one, to: orders, filters: [{ body-limit: 1KiB }] }\n";
  const csrf = "{ csrf: { origins: [https://shop.acme.example] } }";
  expect(codes(shop([limit, cookie, remove("authorization")], write))).toEqual(["forgeable-write"]);
  expect(codes(shop([limit, csrf, cookie, remove("authorization")], write))).toEqual([]);
});

it("cookies that pages may send need csrf, where no filter asks for more than a cookie", () => {
  const cors = "{ cors: { origins: [https://shop.acme.example], credentials: true } }";
  const write = "  one: { match: POST /one, to: orders, filters: [{ body-limit: 1KiB }] }\n";
  const without = write.replace("to:", "without: [jwt], to:");
  expect(codes(shop([cors, limit], write))).toContain("forgeable-write");
  expect(codes(shop([cors, limit, jwt], without))).toContain("forgeable-write");
});

describe("what looks alike and is right", () => {
  it.each([
    [
      "a write by a token in a header: forms of other sites cannot send it, whatever cookies they bring",
      shop(
        ["{ cors: { origins: [https://shop.acme.example], credentials: true } }", limit, jwt, remove("authorization")],
        `${one.replace("GET", "POST").replace(" }", ", filters: [{ body-limit: 1KiB }] }")}`,
      ),
    ],
    [
      "a cookie's token, where a key in a header is required too",
      shop(
        [
          limit,
          jwt.replace("max-age", "from: cookie.session, max-age"),
          "{ api-key: { header: x-device-key } }",
          remove("x-device-key"),
        ],
        `${one.replace("GET", "POST").replace(" }", ", filters: [{ body-limit: 1KiB }] }")}`,
      ),
    ],
    [
      "a write that only a network may do",
      shop([limit, "{ ip: { allow: [10.0.0.0/8] } }"], one.replace("GET", "POST")),
    ],
    [
      "a public answer with no service behind it",
      shop([], "  one: { match: ANY /one, respond: { status: 200 } }\n").replace(/upstreams.*\n/, ""),
    ],
    [
      "a limit of the few, beside one for all",
      shop([`${limit.slice(0, -1)}, id: a, when: { header: { x-a: b } } }`, limit], one),
    ],
    [
      "a header with the caller on one service, none on the other",
      shop(
        [limit],
        `  mine: { match: GET /mine, to: orders, filters: [${jwt}, ${remove("authorization").replace("remove", 'set: { x-who: "{claim.sub}" }, remove')}] }\n  two: { match: GET /two, to: other }\n`,
      ).replace("orders: {", "other: { http: https://o.example }, orders: {"),
    ],
    ["every path below a prefix", shop([limit], "  one:\n    match: GET /shop/{rest*}\n    to: orders\n")],
    [
      "a whole service, for who is known",
      shop([limit, jwt, remove("authorization")], "  one:\n    match: GET /{rest*}\n    to: orders\n"),
    ],
    [
      "a token of any audience that names its client, under whatever name the issuer has for it",
      shop([limit, jwt.replace("audience: shop", "claims: { azp: shop }"), remove("authorization")], one),
    ],
    [
      "a cookie's token, which goes no further, on routes that change nothing",
      shop([limit, jwt.replace("max-age", "from: cookie.session, max-age")], one),
    ],
    ["a service of this machine", shop([limit], one).replace("https://orders.acme.example", "http://localhost:8080")],
    [
      "a redirect to its own host",
      shop([], "  one: { match: GET /one, redirect: https://api.acme.example/two }\n").replace(/upstreams.*\n/, ""),
    ],
    [
      "a socket that stays open",
      shop([limit], "  one: { match: GET /one, to: orders, upgrade: websocket }\n").replace(
        "orders.acme.example }",
        "orders.acme.example, timeout: 5m }",
      ),
    ],
    [
      "a long wait that the route cuts short",
      shop([limit, "{ timeout: 10s }"], one).replace("orders.acme.example }", "orders.acme.example, timeout: 5m }"),
    ],
    [
      "a key of one consumer under two ids",
      shop(
        [
          limit,
          "{ body-limit: 1KiB }",
          "{ signature: { keys: { a: { secret: KEY, consumer: a }, b: { secret: KEY, consumer: a } } } }",
        ],
        one,
      ),
    ],
  ])("%s", (_, manifest) => {
    expect(codes(manifest)).toEqual([]);
  });
});

describe("what looks right and is not", () => {
  it.each([
    [
      "unauthenticated-write",
      "an identity that the route drops",
      shop([limit, jwt, remove("authorization")], "  one: { match: PATCH /one, to: orders, without: [jwt] }\n"),
    ],
    [
      "evadable-limit",
      "a key of an address and a header together",
      shop(["{ rate-limit: { limit: 20/s, by: [ip, header.x-a] } }"], one),
    ],
    [
      "evadable-limit",
      "a limit with a condition that the client fulfils or not",
      shop([`${limit.slice(0, -1)}, when: { header: { x-a: b } } }`], one),
    ],
    ["unlimited-public-route", "a limit in shadow", shop([`${limit.slice(0, -1)}, mode: shadow } `], one)],
    [
      "spoofable-header",
      "a weighted list of which one gets the identity",
      shop(
        [limit],
        `  mine: { match: GET /mine, to: orders, filters: [${jwt}, ${remove("authorization").replace("remove", 'set: { x-who: "{claim.sub}" }, remove')}] }\n  two: { match: GET /two, to: [{ other: 90 }, { orders: 10 }] }\n`,
      ).replace("orders: {", "other: { http: https://o.example }, orders: {"),
    ],
    [
      "plaintext-upstream",
      "a host that only begins like this machine",
      shop([limit], one).replace("https://orders.acme.example", "http://localhost.acme.example"),
    ],
    [
      "unpinned-transport",
      "a pin of a day",
      shop([limit, '{ secure-headers: { strict-transport-security: "max-age=86400" } }'], one),
    ],
    ["wide-range", "half of everybody", shop([limit, "{ ip: { allow: [128.0.0.0/1] } }"], one)],
    ["long-token", "a day and a second", shop([limit, jwt.replace("1h", "86401s"), remove("authorization")], one)],
    [
      "wide-body",
      "a large limit on the route",
      shop(
        [limit, jwt, remove("authorization")],
        "  one: { match: PUT /one, to: orders, filters: [{ body-limit: 1GiB }] }\n",
      ),
    ],
  ])("%s: %s", (rule, _, manifest) => {
    expect(codes(manifest).filter((it) => it !== "idle-protection")).toEqual([rule]);
  });
});

it("a finding of a preset is reported once, there, for all its tiers", () => {
  const files = {
    "routes/presets/app.yaml": `preset: app\nsummary: For all\nfilters:\n  - rate-limit: { limit: 1/s, by: ip, on-failure: allow }\n`,
    "routes/a.yaml": shop([], one, "preset: app\n").replace("tier: shop", "tier: a\nbase: /a"),
    "routes/b.yaml": shop([], one, "preset: app\n").replace("tier: shop", "tier: b\nbase: /b"),
  };
  expect(auditOf(files).findings).toMatchObject([
    { code: "open-on-failure", file: "routes/presets/app.yaml", line: 4 },
  ]);
});

describe("a secret that was written", () => {
  const token = "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB";
  const password = "correcthorse9";
  const files = {
    "routes/shop.yaml": shop([limit, `{ headers: { request: { set: { x-upstream: ${token} } } } }`], one),
    "routes/environments/production.yaml": `values: { unused: 'postgres://shop:${password}@db.acme.example' }\n`,
  };

  it("is found in manifests and environments, and shown by no output", () => {
    const { findings } = auditOf(files);
    expect(findings.map(({ code, file }) => `${code} ${file}`)).toEqual([
      "written-secret routes/environments/production.yaml",
      "written-secret routes/shop.yaml",
    ]);
    const root = writeProject(files);
    for (const format of ["human", "github", "sarif"] as const) {
      const { text, data } = check({ root, format }, today);
      const all = text + JSON.stringify(data);
      expect(all).toContain("written-secret");
      expect(all).not.toContain(token);
      expect(all).not.toContain(password);
    }
  });

  it("is hidden where another rule marks its line", () => {
    const line = `{ rate-limit: { limit: 1/s, by: ip, on-failure: allow } }, { headers: { request: { set: { x-a: ${token} } } } }`;
    const { findings } = auditOfShop(shop([line], one));
    expect(findings.map(({ code }) => code)).toEqual(["open-on-failure", "written-secret"]);
    expect(JSON.stringify(findings)).not.toContain(token);
  });
});

describe("patterns", () => {
  it.each([
    ["[a-z]+[a-z]{1,20}", true],
    ["[a-z]{0,99}[a-z0-9]*x", true],
    ["\\w*[0-9]{0,64}", true],
    ["[a-z]+-[a-z]{1,20}", false],
    ["[a-z]{1,64}[a-z]{1,64}", false],
    ["[a-z]+[a-z]?", false],
    ["[0-9]{64}[a-f]*", false],
    ["[a-z]*[0-9]{0,99}", false],
  ])("%s can be made to look back: %s", (pattern, costly) => {
    const weight = createPatternCosts()(pattern);
    expect(weight !== undefined).toBe(costly);
    if (!weight?.pump) return;
    // The proof, tried: no text of that length takes as many steps of a pattern whose parts share nothing.
    expect(new RegExp(`^[${weight.pump}\\w]+$`).test(weight.pump.repeat(8))).toBe(true);
    expect(weight.tries).toBeGreaterThan(8);
  });

  it("are found in matches, in conditions of routes and in those of filters", () => {
    const costly = '"[a-z]+[a-z]{1,20}"';
    const routes = `  one:\n    match: GET /one/{x:[a-z]+[a-z]{1,20}}\n    when: { header: { x-a: { matches: ${costly} } } }\n    filters:\n      - rewrite: {}\n        when: { query: { q: { matches: ${costly} } } }\n    to: orders\n`;
    const found = auditOfShop(shop([limit], routes)).findings;
    expect(found.map(({ code, line }) => [code, line])).toEqual([8, 9, 12].map((line) => ["costly-pattern", line]));
  });

  it("are accepted only if they run in linear time: a checker proves it", () => {
    for (const pattern of ["(a+)+", "(a|a)*", "(.*)*x", "a*a*a*", "(\\w+\\s?)+"])
      expect(patternProblem(pattern)).toBeDefined();
    const part = fc
      .tuple(
        fc.constantFrom("[a-z]", "[a-z0-9]", "\\d", "\\w", "a", "-", "[^a]"),
        fc.constantFrom("", "?", "+", "*", "{2}", "{1,4}", "{0,3}"),
      )
      .map((it) => it.join(""));
    const taken = fc
      .array(part, { minLength: 1, maxLength: 5 })
      .map((it) => it.join(""))
      .filter((it) => patternProblem(it) === undefined);
    fc.assert(
      fc.property(taken, (pattern) => {
        expect(checkWithRecheck(`^(?:${pattern})$`)).toBe("safe");
      }),
      { numRuns: 25, seed: 8 },
    );
  });

  it("are weighed however many there are", () => {
    const weigh = createPatternCosts();
    const weights = Array.from({ length: 400 }, (_, index) => weigh(`v${index}[a-z]+[a-z]{1,20}`));
    expect(weights.filter((it) => it?.pump !== undefined).length).toBe(400);
  });
});

it.each([
  ["low", { low: 5, medium: 0, high: 0, never: 0 }],
  ["medium", { low: 5, medium: 5, high: 0, never: 0 }],
  ["high", { low: 5, medium: 5, high: 5, never: 0 }],
] as const)("a finding that is %s decides the exit code by --fail-on", (severity, codes) => {
  const routes = severity === "medium" ? one.replace("/one,", "/one, deprecated: { sunset: 2026-01-01 },") : one;
  const manifest = shop(severity === "high" ? [] : [limit], routes, severity === "low" ? "log: { sample: 0% }\n" : "");
  const root = writeProject({ "routes/shop.yaml": manifest });
  const found = Object.keys(codes).map((failOn) => [failOn, check({ root, failOn: failOn as "low" }, today).exitCode]);
  expect(Object.fromEntries(found)).toEqual(codes);
  expect(check({ root }, today).exitCode).toBe(codes.high);
});

it("a manifest of very many routes is audited in seconds, and reported on one page", () => {
  // Twenty thousand fit into the largest file, and take as long for each.
  const many = process.env.POSTERN_FULL ? 20_000 : 4000;
  const routes = Array.from({ length: many }, (_, index) => `  r${index}: { match: POST /r${index}, to: orders }\n`);
  const start = performance.now();
  const found = auditOfShop(shop([], routes.join("")));
  expect(performance.now() - start).toBeLessThan(20_000);
  expect(found.findings.length).toBe(2 * many);
  const shown = renderFindings(found);
  expect(shown.length).toBeLessThan(50_000);
  expect(shown).toContain(`${2 * many - 100} findings more`);
});

describe("other spellings of a guarded path", () => {
  const guard = "filters: [{ ip: { allow: [203.0.113.0/24] } }]";
  const pair = (guarded: string, other: string, more = "") =>
    codes(
      shop(
        [limit],
        `  a: { match: "GET ${guarded}", to: orders, ${guard} }\n  b: { match: "GET ${other}", to: orders${more} }\n`,
      ),
    ).filter((code) => code === "bypassing-spelling");

  it.each([
    ["/shop/admin", "/shop/{page}"],
    ["/shop/admin", "/shop/{rest*}"],
    ["/shop/admin", "/shop/admin/{rest*}"],
    ["/shop/admin/users", "/shop/{page}/users"],
    ["/shop/admin/users", "/shop/{page}/{rest*}"],
    ["/shop/{id}/admin", "/shop/{id}/{page}"],
    ["/shop/admin", "/shop/{page:[A-Z][a-z]+}"],
    ["/shop/v1", "/shop/{page:[a-z0-9.]+}"],
    ["/shop/2026", "/shop/{page:[0-9.]+}"],
    ["/shop/admin", "/shop/{page:[A-Z]+}"],
    ["/shop/ADMIN", "/shop/{page:[a-z]+}"],
    ["/shop/admin", "/shop/admin/"],
    ["/shop/admin/", "/shop/admin"],
    ["/shop/admin/", "/shop/{page}"],
    ["/{id}", "/{rest*}"],
    ["/shop/{id}", "/shop/{id}/"],
    ["/shop/{id}", "/shop/{id}/{rest*}"],
    ["/shop/{id}.json", "/shop/{page}"],
    ["/shop/{id}.json", "/shop/{page}.{format:[A-Z]+}"],
    ["/shop/report-{id}", "/shop/{page}"],
    ["/shop/{id}:cancel", "/shop/{rest*}"],
    ["/shop/admin/{rest*}", "/shop/{page}/{rest*}"],
    ["/shop/admin{/rest*}", "/shop/{page}"],
  ])("%s is not safe beside %s", (guarded, other) => {
    expect(pair(guarded, other)).toEqual(["bypassing-spelling"]);
  });

  it.each([
    ["/shop/admin", "/shop/other"],
    ["/shop/admin", "/shop/{id:[0-9]+}"],
    ["/shop/admin", "/shop/{page:[a-z]+}"],
    ["/shop/admin", "/shop/{page}/{part}"],
    ["/shop/admin", "/shop/items/{rest*}"],
    ["/shop/{id}", "/shop/{id}/parts"],
    ["/shop/{id}", "/shop/{id}/{part}"],
    ["/shop/{id}.json", "/shop/{page:[a-z]+}"],
    ["/shop/{rest*}", "/{page}"],
  ])("%s is, beside %s", (guarded, other) => {
    expect(pair(guarded, other)).toEqual([]);
  });

  it("nor where both have the guard, or services of their own", () => {
    expect(
      pair("/shop/admin", "/shop/{page}", `, ${guard.replace("ip: {", "ip: { deny: [198.51.100.0/24],")}`),
    ).toEqual(["bypassing-spelling"]);
    const shared = shop(
      [limit, "{ ip: { allow: [203.0.113.0/24] } }"],
      "  a: { match: GET /shop/admin, to: orders }\n  b: { match: 'GET /shop/{page}', to: orders }\n",
    );
    expect(codes(shared)).not.toContain("bypassing-spelling");
    const twice = pair("/shop/admin", "/shop/{page}", `, ${guard}`);
    expect(twice).toEqual([]);
    const apart = shop(
      [limit],
      `  a: { match: GET /shop/admin, to: orders, ${guard} }\n  b: { match: 'GET /shop/{page}', to: pages }\n`,
    ).replace("orders: {", "pages: { http: https://pages.acme.example }, orders: {");
    expect(codes(apart)).not.toContain("bypassing-spelling");
    const renamed = apart.replace("pages.acme.example", "orders.acme.example");
    expect(codes(renamed)).toContain("bypassing-spelling");
    expect(codes(renamed.replace("orders.acme.example }", "orders.acme.example/pages }"))).not.toContain(
      "bypassing-spelling",
    );
  });
});

describe("the release of the front", () => {
  const control = `control:
  host: control.acme.example
  key: g1iQurKfrRPxzIsyvX6RSUXJdeNt3kuA7F7mI9y-7ms
  account: "00000000000000000000000000000001"
  operators: {}
`;
  const shop = (level: string): string => `api: postern/v1
tier: shop
hosts: [api.acme.example]
level: ${level}
upstreams: { orders: { http: https://orders.acme.example } }
routes: { list: { match: GET /orders, to: orders } }
`;
  const found = (level: string, environment: string, rule = "released-at-once") =>
    auditOfShop(`${shop(level)}-- environment --\nvalues: {}\n${environment}`)
      .findings.filter(({ code }) => code === rule)
      .map(({ file, line, message }) => [file, line, message]);

  it("finds a front that reaches all users of a core tier in one step, at the environment", () => {
    const atOnce = `${control}front: { release: { steps: ["0%", "100%"] } }\n`;
    expect(found("core", atOnce)).toEqual([
      ["routes/environments/local.yaml", 7, "a new version of the front reaches all users at once"],
    ]);
    expect(found("standard", atOnce)).toEqual([]);
    expect(found("core", control)).toEqual([]);
    // Without a control plane there are no rollouts.
    expect(found("core", 'front: { release: { steps: ["0%", "100%"] } }\n')).toEqual([]);
  });

  it("has a watch that only alerts, if it has neither a hold-back nor bounds", () => {
    const watch = (more = "") => `${control}front: { release: { watch: { for: 1h, hold-back: "0%" }${more} } }\n`;
    expect(found("standard", watch(), "unguarded-watch")).toEqual([
      ["routes/environments/local.yaml", 7, "errors of the front during its watch would only alert"],
    ]);
    expect(found("standard", watch(', limits: { errors: "1%" }'), "unguarded-watch")).toEqual([]);
  });
});
