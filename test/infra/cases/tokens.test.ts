/** Tokens of cases: they stand where the filter reads them, and say what it asks, however deep. */
import { describe, expect, it } from "vitest";
import { writeProject } from "../../e2e/project.ts";
import { failureLines, files, type ProjectProblems, runAllSuites, runCases, sharedRuntime } from "./run-cases.ts";

const runtime = sharedRuntime();

const jwt = (more: string) => `{ jwt: { issuer: https://i.example, algorithms: [RS256, Ed25519], ${more} } }`;
const route = (filters: string) =>
  `filters: [${filters}]\nroutes: { one: { match: 'GET /one', upgrade: websocket, to: it } }\n`;

const ofCase = (filters: string, rest: string) =>
  runCases(route(filters), `- { it: asks, as: alice, ${rest} }`, runtime()).then(failureLines);

describe("a token is where the filter reads it, and is not forwarded", () => {
  it.each([
    ["header.authorization", "send: GET /t/one, upstream: { it: { sees: { headers: { authorization: present } } } }"],
    [
      "cookie.session",
      "send: { request: GET /t/one, headers: { cookie: a=b } }, upstream: { it: { sees: { headers: { cookie: a=b, authorization: absent } } } }",
    ],
    ["query.access_token", "send: GET /t/one?a=b, upstream: { it: { sees: GET /t/one?a=b } }"],
    ["query.access_token", "send: GET /t/one, upstream: { it: { sees: GET /t/one } }"],
    [
      "subprotocol.bearer",
      "send: { request: GET /t/one, headers: { sec-websocket-protocol: chat } }, upstream: { it: { sees: { headers: { sec-websocket-protocol: chat } } } }",
    ],
    ["subprotocol", "send: GET /t/one, upstream: { it: { sees: { headers: { sec-websocket-protocol: absent } } } }"],
    ["header.x-token", "send: GET /t/one, upstream: { it: { sees: { headers: { x-token: absent } } } }"],
  ])("%s: %s", async (from, rest) => {
    expect(await ofCase(jwt(`audience: a, from: ${from}`), `${rest}, expect: { status: 200 }`)).toEqual([]);
  });

  it("in another place that the filter reads, where the case says so; elsewhere it is none", async () => {
    const filter = jwt("audience: a, from: [header.authorization, cookie.t]");
    const as = (from: string) => `- { it: asks, as: { name: alice, token: { from: ${from} } }, send: GET /t/one, `;
    const sees = "upstream: { it: { sees: { headers: { cookie: absent } } } }, ";
    expect(
      failureLines(await runCases(route(filter), `${as("cookie.t")}${sees}expect: { status: 200 } }`, runtime())),
    ).toEqual([]);
    expect(
      failureLines(
        await runCases(route(filter), `${as("query.t")}expect: { status: 401, code: token-missing } }`, runtime()),
      ),
    ).toEqual([]);
    const broken = runAllSuites(writeProject(files(route(filter), `${as("body.t")}expect: {} }`)), runtime());
    expect(await broken.catch((error: ProjectProblems) => error.problems.map(({ code }) => code))).toEqual([
      "wrong-format",
    ]);
  });

  it("keeps a cookie that the case sets itself", async () => {
    const rest = "send: { request: GET /t/one, headers: { cookie: t=x.y.z } }, expect: { code: token-invalid }";
    expect(await ofCase(jwt("audience: a, from: cookie.t"), rest)).toEqual([]);
  });
});

it("claims are nested as the filters of the route lead to them", async () => {
  const filters = [
    jwt("consumer: 'https://h\\.io/claims.user', claims: { client_id: c, 'a.b': 1, 'a.c': [x, y] }"),
    "{ access: { claims: { realm_access.roles: teller, 'kubernetes\\.io.namespace': shop } } }",
    "{ headers: { request: { set: { x-who: '{consumer.id}', x-roles: '{claim.realm_access.roles}' } } } }",
  ];
  const sees = "upstream: { it: { sees: { headers: { x-who: alice, x-roles: teller } } } }";
  expect(await ofCase(filters.join(", "), `send: GET /t/one, ${sees}, expect: { status: 200 }`)).toEqual([]);
});

it("a signature covers the query with the token in it", async () => {
  const filters = [
    jwt("audience: a, from: query.t"),
    "{ body-limit: 1KiB }",
    "{ signature: { keys: { k: { secret: SHOP_KEY, consumer: alice } } } }",
  ];
  const rest = "send: GET /t/one?a=b, upstream: { it: { sees: GET /t/one?a=b } }, expect: { status: 200 }";
  expect(await ofCase(filters.join(", "), rest)).toEqual([]);
});
