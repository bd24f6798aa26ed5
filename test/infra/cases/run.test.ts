/** What a case can say, each once right and once wrong: a test language that never fails would be worth nothing. */
import { describe, expect, it } from "vitest";
import { writeProject } from "../../e2e/project.ts";
import { failureLines, files, ProjectProblems, runAllSuites, runCases, sharedRuntime } from "./run-cases.ts";

const runtime = sharedRuntime();

const open = "routes: { one: { match: 'GET,POST /one/{id}', to: it, path: '/other/{path.id}' } }\n";

const wrong = (cases: string, body = open, others: readonly string[] = []) =>
  runCases(body, cases, runtime(), others).then(failureLines);

describe("what the client gets", () => {
  it.each([
    ["{ status: 200 }", []],
    ["{ status: 404 }", ["1 status: expected 404, got 200"]],
    ["{ code: route-unknown }", ["1 code: expected route-unknown, got none"]],
    ["{ route: one }", []],
    ["{ by: it }", ["1 by: expected it, got nobody"]],
    ["{ json: { b: { c: 2 } } }", []],
    ["{ json: { b: { c: 3 } } }", ['1 body: expected {"b":{"c":3}}, got {"a":[1,2],"b":{"c":2}}']],
    ["{ json: { a: [1] } }", ['1 body: expected {"a":[1]}, got {"a":[1,2],"b":{"c":2}}']],
    ["{ headers: { x-a: one, x-b: absent } }", []],
    ["{ headers: { x-a: { prefix: o } , x-b: present } }", ["1 x-b: expected present, got absent"]],
    ["{ headers: { x-a: { matches: 't\\wo' } } }", ["1 x-a: expected matches t\\wo, got one"]],
    ["{ count: { '200': 1 } }", []],
    ["{ count: { '200': 2 } }", ["1 count: expected 2 × 200, got 1 × 200"]],
  ])("%s: %j", async (expected, differences) => {
    const replies = "{ headers: { x-a: one }, json: { a: [1, 2], b: { c: 2 } } }";
    expect(
      await wrong(
        `- { it: answers, send: GET /t/one/7, upstream: { it: { replies: ${replies} } }, expect: ${expected} }`,
      ),
    ).toEqual(differences);
  });
});

describe("what the service sees", () => {
  it.each([
    ["{ it: { sees: POST /other/7?x=1 } }", []],
    ["{ it: { sees: POST /other/7 } }", ["1 it saw: expected POST /other/7, got POST /other/7?x=1"]],
    ["{ it: { sees: nothing } }", ["1 it saw: expected nothing, got POST /other/7?x=1"]],
    ["{ it: { sees: { headers: { x-b: two, cookie: absent }, json: { n: 1 } } } }", []],
    ["{ it: { sees: { headers: { x-b: three } } } }", ["1 it saw x-b: expected three, got two"]],
    ["{ it: { sees: { json: { n: 2 } } } }", ['1 it saw body: expected {"n":2}, got {"n":1}']],
    ["{ it: { calls: 2 } }", ["1 it saw, calls: expected 2, got 1"]],
    ["{ spare: { sees: nothing } }", ["1 it saw: expected nothing, got POST /other/7?x=1"]],
  ])("%s: %j", async (services, differences) => {
    const two = open.replace("} }", "}, two: { match: GET /two, to: spare } }");
    const send = "{ request: 'POST /t/one/7?x=1', headers: { x-b: two }, json: { n: 1 } }";
    expect(await wrong(`- { it: asks, send: ${send}, upstream: ${services}, expect: {} }`, two, ["spare"])).toEqual(
      differences,
    );
  });

  const mirrored =
    "filters: [{ mirror: { to: 'https://next.example/v2', share: 10% } }]\nroutes:\n  one: { match: 'GET,POST /one/{id}', to: it }\n  two: { match: GET /two, to: it, without: [mirror], filters: [{ mirror: { to: 'https://other.example', timeout: 1s } }] }\n";
  it.each([
    ["GET /t/one/7", "{ it: { sees: GET /t/one/7 }, mirror: { sees: GET /v2/t/one/7 } }", []],
    [
      "GET /t/one/7",
      "{ it: {}, mirror: { sees: { headers: { x-b: two } } } }",
      ["1 mirror saw x-b: expected two, got absent"],
    ],
    ["GET /t/one/7", "{ it: {} }", ["1 mirror saw: expected nothing, got GET /v2/t/one/7"]],
    ["GET /t/one/7", "{ it: {}, mirror: { sees: nothing } }", ["1 mirror saw: expected nothing, got GET /v2/t/one/7"]],
    ["GET /t/two", "{ it: {}, two/mirror: { sees: GET /t/two } }", []],
    ["GET /t/two", "{ it: {}, two/mirror: {}, mirror: { sees: nothing } }", []],
    // What it answers, or does not, changes nothing for the client.
    ["GET /t/two", "{ it: {}, two/mirror: { replies: unreachable } }", []],
    ["GET /t/two", "{ it: {}, two/mirror: { replies: { status: 500, after: 9s } } }", []],
  ])("a copy of %s: %s: %j", async (request, services, differences) => {
    expect(
      await wrong(`- { it: copies, send: ${request}, upstream: ${services}, expect: { status: 200 } }`, mirrored),
    ).toEqual(differences);
  });

  it("a copy has the body, and none goes by a mirror that is off", async () => {
    const send = "{ request: 'POST /t/one/7', json: { n: 1 } }";
    const sees = (n: number) =>
      `- { it: copies, send: ${send}, upstream: { it: {}, mirror: { sees: { json: { n: ${n} } } } }, expect: {} }`;
    expect(await wrong(sees(1), mirrored)).toEqual([]);
    expect(await wrong(sees(2), mirrored)).toEqual(['1 mirror saw body: expected {"n":2}, got {"n":1}']);
    await expect(wrong("- { it: a, send: GET /t/two, upstream: { miror: {} }, expect: {} }", mirrored)).rejects.toThrow(
      'the tier has no upstream "miror"',
    );
  });

  it("requests are checked by the tier's document, as in a gate", async () => {
    const document =
      "openapi: 3.1.0\npaths: { /one: { post: { parameters: [{ in: query, name: n, schema: { type: integer } }], requestBody: { content: { application/json: { schema: { type: object, required: [a] } } } } } } }\n";
    const body =
      "filters: [{ body-limit: 1KiB }, { validate: openapi/it.yaml }]\nroutes: { one: { match: POST /one, to: it } }\n";
    const send = (path: string, json: string) => `send: { request: 'POST /t/${path}', json: ${json} }`;
    const cases = `- { it: takes it, ${send("one?n=1", "{ a: 1 }")}, upstream: { it: {} }, expect: { status: 200 } }
- { it: refuses a body, ${send("one", "{}")}, expect: { status: 422, code: body-invalid, by: validate } }
- { it: refuses a parameter, ${send("one?n=x", "{ a: 1 }")}, expect: { status: 200 } }
`;
    const root = writeProject({ ...files(body, cases), "routes/openapi/it.yaml": document });
    const [report] = await runAllSuites(root, runtime());
    expect(report && failureLines(report)).toEqual(["1 status: expected 200, got 400 parameters-invalid"]);
  });

  it("a refused request reaches no service, and a service that was not called is reported", async () => {
    expect(
      await wrong("- { it: asks, send: GET /t/two, upstream: { it: { sees: GET /two } }, expect: { status: 404 } }"),
    ).toEqual(["1 it saw: expected GET /two, got nothing"]);
  });

  it("replies call by call, late, or not at all", async () => {
    const send = "{ request: GET /t/one/7, repeat: 3 }";
    const replies = "[{ status: 500 }, { status: 503 }, unreachable]";
    expect(
      await wrong(
        `- { it: fails, send: ${send}, upstream: { it: { replies: ${replies}, calls: 3 } }, expect: { count: { "500": 1, "503": 1, "502": 1 } } }
- { it: is late, send: GET /t/one/7, upstream: { it: { replies: { after: 31s } } }, expect: { status: 504, by: it } }
- { it: is in time, send: GET /t/one/7, upstream: { it: { replies: { after: 29s } } }, expect: { status: 200 } }`,
      ),
    ).toEqual([]);
  });
});

const limited = `filters: [{ rate-limit: { limit: 2/s, by: ip, algorithm: fixed-window, count: exact } }]\n${open}`;

describe("time", () => {
  it("passes when a case says so, and every case begins anew", async () => {
    const send = "{ request: GET /t/one/7, repeat: 3 }";
    const three = `send: ${send}, expect: { count: { "200": 2, "429": 1 } }`;
    expect(
      await wrong(
        `- { it: one, ${three}, then: [{ after: 999ms, send: GET /t/one/7, expect: { status: 429 } }, { after: 1ms, send: GET /t/one/7, expect: { status: 200 } }] }
- { it: two, ${three} }
- { it: three, at: "2026-11-01T00:00:00.999Z", send: { request: GET /t/one/7, repeat: 4, every: 1ms, burst: 2 }, expect: { status: 200 } }`,
        limited,
      ),
    ).toEqual([]);
  });

  it("stores can be down", async () => {
    const strict = limited.replace("exact", "exact, on-failure: deny");
    const down = (store: string, status: number) =>
      `- { it: ${store}, down: [${store}], send: GET /t/one/7, expect: { status: ${status} } }\n`;
    expect(await wrong(down("state", 503) + down("counts", 503) + down("nonces", 200), strict)).toEqual([]);
  });
});

const jwt = (settings = "") =>
  `filters: [{ jwt: { issuer: https://id.example, audience: t, algorithms: [ES256]${settings} } }]\n${open}`;

describe("people", () => {
  const says = (as: string, status: number, more = "") =>
    `- { it: '${as.replaceAll("'", "")}', as: ${as}, send: GET /t/one/7, expect: { status: ${status} }${more} }\n`;

  it("bring tokens that are verified for real", async () => {
    expect(
      await wrong(
        says("alice", 200) +
          says("{ name: alice, forged: true }", 401) +
          says("{ name: alice, token: { issuer: https://other.example } }", 401) +
          says("{ name: alice, token: { algorithm: EdDSA } }", 401) +
          says("{ name: alice, token: { life: 1m, age: 2m } }", 401) +
          says("bob", 503, ", down: [issuers]"),
        jwt(),
      ),
    ).toEqual([]);
  });

  it("bring what the filters of the route ask for, unless it is taken from them", async () => {
    const asking = jwt(", scopes: [read], claims: { plan: [gold, silver] }");
    expect(
      await wrong(
        says("alice", 200) +
          says("{ name: alice, token: { scopes: [write] } }", 403) +
          says("{ name: alice, token: { claims: { plan: tin } } }", 401),
        asking,
      ),
    ).toEqual([]);
  });

  it("sign where the manifest holds the issuer's keys, too", async () => {
    const key = "{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }";
    expect(await wrong(says("alice", 200), jwt(`, keys: [${key}]`).replace("ES256", "EdDSA"))).toEqual([]);
  });

  it("are an error if no filter reads a credential", async () => {
    const error = await wrong("- { it: asks, as: alice, send: GET /t/one/7, expect: {} }").catch((it: unknown) => it);
    expect((error as ProjectProblems).problems).toMatchObject([
      {
        file: "routes/t.test.yaml",
        line: 1,
        code: "unknown-value",
        message: expect.stringContaining("no filter on this route identifies the caller"),
      },
    ]);
    expect(error).toBeInstanceOf(ProjectProblems);
  });
});

describe("verdicts of filters", () => {
  const shadowed = `filters:
  - { ip: { deny: [192.0.2.1] }, mode: shadow, id: trial }
  - { ip: { deny: [192.0.2.2] }, id: real }
  - { respond: { status: 418 }, when: { header: { x-tea: present } } }
${open}`;
  it("are compared in the detail that is written", async () => {
    expect(
      await wrong(
        `- { it: passes, send: GET /t/one/7, expect: { filters: { trial: shadowed address-refused, real: passed, respond: skipped } } }
- { it: refuses, from: 192.0.2.2, send: GET /t/one/7, expect: { filters: { real: passed, respond: not reached } } }`,
        shadowed,
      ),
    ).toEqual(["1 real: expected passed, got refused"]);
  });
});

it.each([
  ["that the runtime forwards", ""],
  ["that the gate copies", "limits: { websocket-age: 1h }\n"],
])("a WebSocket %s is one, and a body that breaks off is broken", async (_, limits) => {
  const live = limits + open.replace("to: it", "to: it, upgrade: websocket");
  expect(
    await wrong(
      `- { it: opens, send: { request: GET /t/one/7, headers: { upgrade: websocket } }, expect: { status: 101 } }
- { it: breaks, send: { request: POST /t/one/7, text: abc, stream: broken }, expect: { status: 400, code: body-incomplete } }`,
      live,
    ),
  ).toEqual([]);
});

describe("tiers of every shape", () => {
  it.each([
    ["behind its zone", "entry: zone\n", open],
    ["in a gate that tiers share", "isolation: shared\n", open],
    ["with a route that has a gate of its own", "", open.replace("to: it", "to: it, isolation: route")],
  ])("%s", async (_, head, routes) => {
    expect(
      await wrong(
        "- { it: answers, send: GET /t/one/7, upstream: { it: { sees: GET /other/7 } }, expect: { route: one } }\n- { it: knows no more, send: GET /t/two, expect: { code: route-unknown } }",
        head + routes,
      ),
    ).toEqual([]);
  });

  it("moving from an old gateway", async () => {
    const moving = open.replace("to: it", "to: it, cutover: { legacy: old, percent: 50% }");
    const report = await runCases(
      moving,
      `- it: is on both sides
  send: GET /t/one/7
  upstream: { it: { sees: GET /other/7 } }
  expect: { status: 200 }
  then: { from: 192.0.2.3, send: GET /t/one/7, upstream: { old: { sees: GET /t/one/7 } }, expect: { status: 200 } }
`,
      runtime(),
      ["old"],
    );
    expect(failureLines(report)).toEqual([]);
    expect(report.coverage.untried).toEqual([]);
  });
});

describe("values generated for a run", () => {
  it("a secret is called by its name, and never shown", async () => {
    const body = `filters: [{ headers: { request: { set: { x-key: { secret: IT_KEY } } } } }]\n${open}`;
    const asks = (value: string) =>
      `- { it: asks, send: GET /t/one/7, upstream: { it: { sees: { headers: { x-key: "${value}" } } } }, expect: {} }`;
    expect(await wrong(asks("secret:IT_KEY"), body)).toEqual([]);
    expect(await wrong(asks("another"), body)).toEqual(["1 it saw x-key: expected another, got secret:IT_KEY"]);
  });

  it("a token can be one that was taken back", async () => {
    const body = jwt(", revocation: {}");
    const kv = `values: {}\nkv: { revocations: "${"0".repeat(32)}" }\n`;
    const cases = `- { it: lets her in, as: alice, send: GET /t/one/7, expect: { status: 200 } }
- { it: keeps her out, as: { name: alice, token: { revoked: true } }, send: GET /t/one/7, expect: { code: token-revoked } }
- { it: cannot tell, as: alice, down: [revocations], send: GET /t/one/7, expect: { code: revocations-unavailable } }
`;
    const root = writeProject({ ...files(body, cases), "routes/environments/local.yaml": kv });
    expect((await runAllSuites(root, runtime())).flatMap(failureLines)).toEqual([]);
  });
});
