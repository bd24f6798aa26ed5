/** `test --init`: the cases that it writes hold. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { firstCases } from "../../../infra/cases/first.ts";
import { prepare } from "../../../infra/cases/prepare.ts";
import { createKeys } from "../../../infra/cases/run.ts";
import { type Files, manifest, writeProject } from "../../e2e/project.ts";
import { failureLines, runAllSuites, runCases, sharedRuntime } from "./run-cases.ts";

const runtime = sharedRuntime();

const variable = `$${"{identity}"}`;
const upstreams = "upstreams: { it: { http: https://it.example } }\n";
const jwt = "{ jwt: { issuer: https://id.example, audience: t, algorithms: [EdDSA] } }";
const local = {
  "routes/environments/local.yaml": `kv: { consumers: "${"1".repeat(32)}" }
`,
};
const consumers = {
  ...local,
  "routes/consumers.yaml": `consumers: { acme: { keys: ["sha256:${"a".repeat(64)}"] } }
`,
};

/** Writes first cases of the tier and runs them. */
const initAndRun = async (body: string, more: Files = {}) => {
  const root = writeProject({ "routes/t.yaml": manifest("t", upstreams + body), ...more });
  const prepared = prepare([], { root, env: "local" });
  if ("exitCode" in prepared) throw new Error(prepared.text);
  const [suite] = prepared.suites;
  if (!suite) throw new Error("no suite");
  const keys = await createKeys([suite]);
  const text = await firstCases(suite, prepared.compiled, keys, runtime());
  fs.writeFileSync(path.join(root, suite.file), text);
  const [report] = await runAllSuites(root, runtime());
  return { text, cases: parse(text), root, failures: report && failureLines(report), coverage: report?.coverage };
};

const one = "routes: { one: { match: GET /one, to: it } }\n";

it.each<[string, string, Files?]>([
  ["a token", `filters: [${jwt}]\n${one}`],
  ["a key", `filters: [{ api-key: {} }]\n${one}`, consumers],
  ["a key, and no consumer yet", `filters: [{ api-key: {} }]\n${one}`, local],
  [
    "a key, and an empty list of consumers",
    `filters: [{ api-key: {} }]\n${one}`,
    { ...local, "routes/consumers.yaml": "consumers: {}\n" },
  ],
  [
    "a condition on another header beside a key",
    "filters: [{ api-key: {} }]\nroutes: { one: { match: GET /one, when: { header: { x-version: present } }, to: it } }\n",
    consumers,
  ],
  [
    "a condition on the header of the key",
    "filters: [{ api-key: {} }]\nroutes: { one: { match: GET /one, when: { header: { x-api-key: present } }, to: it } }\n",
    consumers,
  ],
  [
    "a condition on the prefix of a token",
    `filters: [${jwt}]\nroutes: { one: { match: GET /one, when: { header: { authorization: { prefix: "Bearer " } } }, to: it } }\n`,
  ],
  [
    "a key for some, a token for others",
    `routes:
  keyed: { match: GET /one, when: { header: { x-api-key: present } }, filters: [{ api-key: {} }], to: it }
  tokened: { match: GET /one, filters: [${jwt}], to: it }
`,
    consumers,
  ],
  ["a filter with a condition", `filters: [${jwt}, { timeout: 1s, when: { header: { x-a: absent } } }]\n${one}`],
  [
    "a condition on the scheme",
    `filters: [${jwt}]\nroutes: { one: { match: GET /one, when: { scheme: http }, to: it } }\n`,
  ],
  [
    "a condition on the port",
    `filters: [${jwt}]\nroutes: { one: { match: GET /one, when: { port: 8443 }, to: it } }\n`,
  ],
  [
    "a condition on the query",
    `filters: [${jwt}]\nroutes: { one: { match: GET /one, when: { query: { q: "a b&c" } }, to: it } }\n`,
  ],
  [
    "a condition on the method",
    `filters: [${jwt}]\nroutes: { one: { match: ANY /one, when: { method: POST }, to: it } }\n`,
  ],
  [
    "a condition on a cookie",
    `filters: [${jwt}]\nroutes: { one: { match: GET /one, when: { cookie: { sid: { matches: "[0-9]+" } } }, to: it } }\n`,
  ],
  [
    "a condition on a number",
    `filters: [${jwt}]\nroutes: { one: { match: GET /one, when: { header: { x-v: "2" } }, to: it } }\n`,
  ],
  ["an upgrade", `filters: [${jwt}]\nroutes: { one: { match: GET /one, to: it, upgrade: websocket } }\n`],
  ["a token in the query", `filters: [${jwt.replace("algorithms", "from: query.token, algorithms")}]\n${one}`],
  [
    "a signature",
    `filters: [{ body-limit: 1KiB }, { signature: { keys: { one: { secret: KEY, consumer: acme } } } }]\n${one.replace("GET", "POST")}`,
  ],
  ["nothing", one],
])("of a route with %s", async (_, body, more = {}) => {
  const { text, failures, cases } = await initAndRun(body, more);
  expect(failures, text).toEqual([]);
  for (const it of cases) if (it.as) expect(it.expect.status, text).toBeLessThan(400);
  expect(cases).not.toHaveLength(0);
});

it("the first identified case states issuer and audience, so that it fails when the manifest has a wrong one", async () => {
  const filters = `filters: [${jwt.replace("https://id.example", `"${variable}"`)}]\n`;
  const { text, cases, root, coverage } = await initAndRun(
    `${filters}routes: { one: { match: GET /one, to: it }, two: { match: GET /two, to: it } }\n`,
    { "routes/environments/local.yaml": "values: { identity: https://id.example }\n" },
  );
  expect(cases.map(({ as }: { readonly as: unknown }) => as)).toEqual([
    { name: "alice", token: { issuer: variable, audience: "t" } },
    undefined,
    "alice",
    undefined,
  ]);
  expect(text).toContain(`as: { name: alice, token: { issuer: "${variable}", audience: t } }`);
  expect(coverage?.untried.map(({ says }) => says).filter((it) => it.includes("states"))).toEqual([]);

  const file = path.join(root, "routes/t.yaml");
  fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace("audience: t", "audience: others"));
  const [report] = await runAllSuites(root, runtime());
  expect(report && failureLines(report)).toEqual(["1 status: expected 200, got 401 token-rejected"]);
});

it("coverage names issuer and audience that no case states", async () => {
  const cases = `- it: a
  as: alice
  send: GET /t/one
  expect: { status: 200 }
- it: b
  as: { name: alice, token: { issuer: https://id.example } }
  send: GET /t/one
  expect: { status: 200 }
- it: c
  as: { name: alice, token: { audience: others } }
  send: GET /t/one
  expect: { status: 401 }
`;
  const { coverage } = await runCases(`filters: [${jwt}]\n${one}`, cases, runtime());
  expect(coverage.untried.filter(({ kind }) => kind === "credential")).toEqual([
    {
      mark: "states jwt audience",
      kind: "credential",
      says: "a case states the audience that jwt accepts",
      at: "routes/t.yaml:6",
    },
  ]);
});
