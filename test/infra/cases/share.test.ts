/** `as: { share: … }`: somebody on one side of a split. */
import { expect, it } from "vitest";
import { type Files, manifest, writeProject } from "../../e2e/project.ts";
import { failureLines, ProjectProblems, runAllSuites, sharedRuntime } from "./run-cases.ts";

const runtime = sharedRuntime();

/** Of those names that a tier uses. */
const upstreamsOf = (body: string) =>
  `upstreams: { ${["stable", "next", "old"]
    .filter((name) => body.includes(name))
    .map((name) => `${name}: { http: https://${name}.example }`)
    .join(", ")} }\n`;
const jwt = "{ jwt: { issuer: https://id.example, audience: t, algorithms: [EdDSA] } }";
const weighted = "to: [{ stable: 99 }, { next: 1 }]";
const environment: Files = {
  "routes/environments/local.yaml": `front: { gray-key: { header: x-device } }\n`,
};
const consumers = (count: number) =>
  `consumers:\n${Array.from({ length: count }, (_, at) => `  c${at}: { keys: ["sha256:${String(at).padStart(64, "0")}"] }\n`).join("")}`;

const run = async (body: string, cases: string, more: Files = {}) => {
  const files = {
    "routes/t.yaml": manifest("t", upstreamsOf(body) + body),
    "routes/t.test.yaml": cases,
    ...environment,
    ...more,
  };
  const [report] = await runAllSuites(writeProject(files), runtime());
  return { failures: report && failureLines(report), untried: report?.coverage.untried.map(({ mark }) => mark) };
};

/** A case of each upstream: a request of somebody on its side reaches it. */
const each = (upstreams: readonly string[], more = "") =>
  upstreams
    .map(
      (it) => `- it: reaches ${it}
  as: { share: ${it} }
  send: GET /t/one
  upstream: { ${it}: {} }
  expect: { status: 200 }
${more}`,
    )
    .join("");

it.each<[string, string, readonly string[], Files?]>([
  ["an address", `routes: { one: { match: GET /one, ${weighted} } }`, ["stable", "next"]],
  [
    "an address, straight from the zone",
    `entry: zone\nroutes: { one: { match: GET /one, ${weighted} } }`,
    ["stable", "next"],
  ],
  ["a token's owner", `filters: [${jwt}]\nroutes: { one: { match: GET /one, ${weighted} } }`, ["stable", "next"]],
  [
    "a consumer of the file",
    "filters: [{ api-key: {} }]\nroutes: { one: { match: GET /one, to: [{ stable: 50 }, { next: 50 }] } }",
    ["stable", "next"],
    {
      "routes/consumers.yaml": consumers(20),
      "routes/environments/local.yaml": `kv: { consumers: "${"1".repeat(32)}" }\n`,
    },
  ],
  [
    "an address, for a cutover",
    `filters: [${jwt}]\nroutes: { one: { match: GET /one, to: stable, cutover: { legacy: old, percent: 5% } } }`,
    ["stable", "old"],
  ],
  [
    "an address for the cutover, and a token's owner for the weight",
    `filters: [${jwt}]\nroutes: { one: { match: GET /one, ${weighted}, cutover: { legacy: old, percent: 5% } } }`,
    ["stable", "next", "old"],
  ],
  [
    "an address for both",
    "routes: { one: { match: GET /one, to: [{ stable: 9 }, { next: 1 }], cutover: { legacy: old, percent: 10% } } }",
    ["stable", "next", "old"],
  ],
])("finds %s", async (_, body, names, more = {}) => {
  const { failures, untried } = await run(body, each(names), more);
  expect(failures).toEqual([]);
  if (names.includes("stable")) expect(untried?.filter((it) => /^(?:weight|side)/.test(it))).toEqual([]);
});

it("the same person stays there, and may have another credential", async () => {
  const cases = `- it: reaches next
  as: { share: next, token: { age: 30m } }
  send: { request: GET /t/one, repeat: 5 }
  upstream: { next: { calls: 5 } }
  expect: { status: 200 }
  then: { send: GET /t/one, upstream: { next: {} }, expect: { status: 200 } }
`;
  expect((await run(`filters: [${jwt}]\nroutes: { one: { match: GET /one, ${weighted} } }`, cases)).failures).toEqual(
    [],
  );
});

it.each([
  ["as: { share: nxt }", 'one leads to no upstream "nxt"'],
  ["from: 192.0.2.1, as: { share: next }", "192.0.2.1 is not on the side of next"],
  ["as: { share: old }", "no client is on the side of old"],
  ["as: { share: next, name: alice }", "give a `name` or a `share`"],
  ["as: { forged: true }", "give a `name` or a `share`"],
])("says why %s finds nobody", async (keys, message) => {
  const body = "routes: { one: { match: GET /one, to: [{ stable: 99 }, { next: 1 }, { old: 0 }] } }";
  const found = await run(body, `- { it: a, ${keys}, send: GET /t/one, expect: {} }\n`).catch((it) => it);
  expect(found).toBeInstanceOf(ProjectProblems);
  expect((found as ProjectProblems).problems.map((it) => it.message)).toEqual([message]);
});

it("a gray key of the case decides by itself", async () => {
  const send = "{ request: GET /t/one, headers: { x-device: d } }";
  const found = await run(
    `routes: { one: { match: GET /one, ${weighted} } }`,
    `- { it: a, as: { share: next }, send: ${send}, expect: {} }\n`,
  ).catch((it) => it);
  expect(found.message).toContain("the request brings a gray key, which decides its side");
});
