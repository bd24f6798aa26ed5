/** Case files: problems, coverage, snapshots, mutation testing and generated cases. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { percentOf } from "../../../infra/cases/coverage.ts";
import { firstCases } from "../../../infra/cases/first.ts";
import type { Suite } from "../../../infra/cases/input/read.ts";
import { renderJunit } from "../../../infra/cases/junit.ts";
import { mutate } from "../../../infra/cases/mutations/mutate.ts";
import { prepare } from "../../../infra/cases/prepare.ts";
import { renderCoverage, renderReports } from "../../../infra/cases/report.ts";
import { createKeys } from "../../../infra/cases/run.ts";
import type { Runtime } from "../../../infra/cases/runtime.ts";
import { testWith } from "../../../infra/commands/review/test.ts";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { manifest, writeProject } from "../../e2e/project.ts";
import { bank } from "../../fixtures/bank.ts";
import { failureLines, files, ProjectProblems, runAllSuites, runCases, sharedRuntime } from "./run-cases.ts";

const runtime = sharedRuntime();

const open = "routes: { one: { match: 'GET,POST /one/{id}', to: it } }\n";

describe("a problem of a case file has its location", () => {
  it.each([
    ["an unknown key", "- { it: asks, sned: GET /t, expect: {} }", '1:15 unknown-key "sned" did you mean "send"?'],
    ["no request", "- { it: asks, send: get /t, expect: {} }", "1:21 wrong-format a method and a path"],
    [
      "an upstream that is not there",
      "- { it: asks, send: GET /t, upstream: { ti: {} }, expect: {} }",
      "1:41 unknown-value one of it",
    ],
    [
      "a code that nobody gives",
      "- { it: asks, send: GET /t, expect: { code: route-unknwon } }",
      '1:45 unknown-value did you mean "route-unknown"?',
    ],
    ["a filter that is not there", "- { it: asks, send: GET /t, expect: { by: ipp } }", "1:43 unknown-value"],
    [
      "a duration without its unit",
      "- { it: asks, send: GET /t, expect: {}, then: { after: 1, send: GET /t, expect: {} } }",
      "1:56 wrong-type",
    ],
    [
      "two of one name",
      "- { it: asks, send: GET /t, expect: {} }\n- { it: asks, send: GET /t, expect: {} }",
      "2:9 duplicate-id",
    ],
    [
      "more requests than anybody waits for",
      `- { it: asks, send: [${Array(11).fill("{ request: GET /t, repeat: 10000 }").join(", ")}], expect: {} }`,
      "1:1 out-of-range the cases send 110000 requests",
    ],
    ["a consumer that is not there", "- { it: asks, as: nobody, send: GET /t/key, expect: {} }", "1:19 unknown-value"],
    [
      "a request of another tier",
      "- { it: asks, send: GET /u/x, expect: {} }",
      "1:21 unknown-value put the case into routes/u.test.yaml",
    ],
  ])("%s", async (_, cases, said) => {
    const body = `${open.replace(" }\n", "")}, key: { match: GET /key, to: it, filters: [{ api-key: {} }] } }\n`;
    const root = writeProject({
      ...files(body, cases),
      "routes/u.yaml": manifest("u", `routes: { x: { match: GET /x, respond: { status: 200 } } }\n`),
      "routes/environments/local.yaml": `values: {}\nkv: { consumers: "${"0".repeat(32)}" }\n`,
    });
    const error = await runAllSuites(root, runtime()).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(ProjectProblems);
    const [problem] = (error as ProjectProblems).problems;
    const shown = `${problem?.line}:${problem?.column} ${problem?.code} ${problem?.message} ${problem?.remedy}`;
    expect(problem?.file).toBe("routes/t.test.yaml");
    for (const word of said.split(/ (?=did|put|one of|")/)) expect(shown).toContain(word);
  });

  it("a file beside no manifest", () => {
    const root = writeProject({ ...files(open, "[]"), "routes/tt.test.yaml": "[]\n" });
    const { data } = prepare([], { root, env: "local" }) as { data: { problems: readonly { code: string }[] } };
    expect(data.problems).toMatchObject([
      { file: "routes/tt.test.yaml", code: "file-name", remedy: 'did you mean "routes/t.yaml"?' },
    ]);
  });

  it("of one tier: its own, and not another's", () => {
    const root = writeProject({ ...files(open, "[]"), "routes/u.yaml": "oops\n", "routes/u.test.yaml": "- oops\n" });
    expect(prepare(["t"], { root, env: "local" })).toMatchObject({ suites: [{ file: "routes/t.test.yaml" }] });
    expect(prepare([], { root, env: "local" })).toMatchObject({ exitCode: 1 });
    expect(() => prepare(["tt"], { root, env: "local" })).toThrow('there is no tier "tt"; did you mean "t"?');
  });
});

it("a word that no case says is a slip of the pen, and so is a share that is none", async () => {
  const root = writeProject(files(open, "- { it: asks, send: GET /t/one/7, expect: {} }\n"));
  const run = (options: object) => testWith(runtime, [], { root, env: "local", ...options });
  await expect(run({ only: "answers" })).rejects.toThrow('no case says "answers"');
  await expect(run({ failUnder: "101" })).rejects.toThrow("--fail-under takes per cent, 0 to 100");
  expect((await run({ only: "ASKS", failUnder: "100" })).exitCode).toBe(0);
});

describe("coverage", () => {
  const body = `filters:
  - { ip: { deny: [192.0.2.6] }, id: real }
  - { ip: { deny: [192.0.2.9] }, when: { header: { x-a: present } } }
  - { rate-limit: { limit: 9/s, by: ip, count: local }, percent: 50% }
  - { timeout: 2s, when: { query: { slow: absent } } }
  - { ip: { deny: [192.0.2.8] }, id: later, mode: shadow }
  - { ip: { deny: [192.0.2.7] }, id: never, mode: off }
routes:
  one: { match: GET /one, to: [{ it: 50 }, { other: 50 }, { idle: 0 }] }
  two: { match: GET /two, when: { header: { x-b: present } }, to: it }
`;
  const untried = async (cases: string) => {
    const report = await runCases(body, cases, runtime(), ["other", "idle"]);
    expect(failureLines(report)).toEqual([]);
    return { says: report.coverage.untried.map(({ says }) => says), percent: percentOf([report.coverage]), report };
  };

  it("names each thing that no case has tried, and no more", async () => {
    const { says, percent, report } = await untried("[]");
    expect(says).toMatchInlineSnapshot(`
      [
        "one answers a request",
        "real passes a request of one",
        "ip passes a request of one",
        "rate-limit passes a request of one",
        "timeout passes a request of one",
        "later passes a request of one",
        "one goes to it",
        "one goes to other",
        "two answers a request",
        "a request misses the conditions of two",
        "real passes a request of two",
        "ip passes a request of two",
        "rate-limit passes a request of two",
        "timeout passes a request of two",
        "later passes a request of two",
        "real refuses: address-refused",
        "ip refuses: address-refused",
        "ip is skipped by its \`when\`",
        "rate-limit refuses: rate-limited",
        "rate-limit skips users outside its percent",
        "timeout refuses: timeout",
        "timeout is skipped by its \`when\`",
        "later refuses: address-refused",
      ]
    `);
    expect(percent).toBe(0);
    expect(report.coverage.untried.find((it) => it.says === "later refuses: address-refused")?.at).toBe(
      "routes/t.yaml:11",
    );
  });

  it("counts what was tried", async () => {
    const cases = `- it: goes here and there
  send: GET /t/one
  expect: { status: 200 }
  then:
    - { from: 192.0.2.2, send: GET /t/one, expect: { status: 200 } }
    - { from: 192.0.2.3, send: GET /t/one?slow=1, expect: { status: 200 } }
    - { from: 192.0.2.5, send: { request: GET /t/one, headers: { x-a: a } }, expect: { status: 200 } }
    - { from: 192.0.2.9, send: { request: GET /t/one, headers: { x-a: a } }, expect: { status: 403 } }
    - { from: 192.0.2.6, send: GET /t/one, expect: { status: 403, by: real } }
    - { from: 192.0.2.8, send: GET /t/one, expect: { status: 200 } }
- it: needs a header
  send: GET /t/two
  expect: { code: condition-unmet }
  then: { send: { request: GET /t/two, headers: { x-b: b } }, expect: { route: two } }
`;
    const { says } = await untried(cases);
    expect(says).toMatchInlineSnapshot(`
      [
        "ip passes a request of two",
        "rate-limit refuses: rate-limited",
        "timeout refuses: timeout",
      ]
    `);
  });
});

describe("snapshots", () => {
  const cases =
    "- { it: answers, send: GET /t/one/7, upstream: { it: { replies: { json: { n: 1 } } } }, expect: snapshot }\n";

  it("are written by --update, compared, and differ line by line", async () => {
    const root = writeProject(files(open, cases));
    const options = { root, env: "local" };
    vi.stubEnv("CI", "");
    expect((await testWith(runtime, [], options)).text).toContain("none yet; --update writes it");
    expect((await testWith(runtime, [], { ...options, update: true })).exitCode).toBe(0);
    const file = path.join(root, "routes/t.test.snap");
    const text = fs.readFileSync(file, "utf8");
    expect(text).toContain("status: 200");
    expect(text).toContain("it: GET /t/one/7");
    expect(text).not.toMatch(/x-request-id|traceparent/);
    fs.writeFileSync(file, text.replace("n: 1", "n: 2"));
    const changed = await testWith(runtime, [], options);
    expect(changed.exitCode).toBe(1);
    expect(changed.text).toMatch(/expected snapshot +n: 2\n.*got +n: 1/);
    vi.stubEnv("CI", "true");
    await expect(testWith(runtime, [], { ...options, update: true })).rejects.toThrow("CI does not write snapshots");
    vi.unstubAllEnvs();
  });
});

it("a failure reads as a dialogue, and says why; CI systems read it as JUnit's XML", async () => {
  const report = await runCases(
    `filters: [{ ip: { allow: [10.0.0.0/8] } }]\n${open}`,
    "- { it: lets <everybody> in, send: GET /t/one/7, expect: { status: 200 } }\n",
    runtime(),
  );
  expect(renderReports([report], 1000)).toMatchInlineSnapshot(`
    "✗ t: lets <everybody> in  routes/t.test.yaml:1
      the client sends       GET /t/one/7
      the client gets        403 address-refused by ip  (one)
        expected status      200
        got                  403 address-refused
        filter  verdict                   manifest
        ip      refused: address-refused  routes/t.yaml:6

    ✗ t                1 case     1 failed

    1 of 1 case failed, 1 request in 1.0 s
    "
  `);
  expect(renderJunit([report], [])).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="t" file="routes/t.test.yaml" tests="1" failures="1">
        <testcase classname="t" name="lets &lt;everybody&gt; in">
          <failure>line 1: GET /t/one/7
      status: expected 200, got 403 address-refused</failure>
        </testcase>
      </testsuite>
    </testsuites>
    "
  `);
});

const mutants = async (root: string, limit: number) => {
  const ready = prepare([], { root, env: "local" });
  if ("exitCode" in ready) throw new Error(ready.text);
  const keys = await createKeys(ready.suites);
  return mutate({ root, env: "local", ...ready, keys, runtime: runtime(), limit, onProgress: () => {} });
};

it("a mutant that no case detects has its location", async () => {
  const root = writeProject(
    files(
      `filters:
  - { ip: { allow: [10.0.0.0/8] } }
  - { timeout: 2s }
${open}`,
      `- { it: refuses strangers, send: GET /t/one/7, expect: { status: 403 } }
- { it: lets a network in, from: 10.1.1.1, send: GET /t/one/7, expect: { status: 200 } }
`,
    ),
  );
  const said = (await mutants(root, 100)).map(
    ({ says, file, line, outcome }) => `${outcome.kind}: ${says} ${file}:${line}`,
  );
  expect(said.toSorted()).toMatchInlineSnapshot(`
    [
      "noticed: ip is dropped routes/t.yaml:7",
      "noticed: one does without ip routes/t.yaml:9",
      "refused: ip loses 10.0.0.0/8 routes/t.yaml:7",
      "refused: ip loses allow routes/t.yaml:7",
      "survived: 10.0.0.0/8 becomes 10.0.0.0/7 routes/t.yaml:7",
      "survived: 10.0.0.0/8 becomes 10.0.0.0/9 routes/t.yaml:7",
      "survived: 2s becomes 1800ms routes/t.yaml:8",
      "survived: 2s becomes 2200ms routes/t.yaml:8",
      "survived: one does without timeout routes/t.yaml:9",
      "survived: one takes another method: GET,POST,DELETE /one/{id} routes/t.yaml:9",
      "survived: timeout is dropped routes/t.yaml:8",
    ]
  `);
});

it("a tier that has no cases gets first ones, which hold", async () => {
  const body = `filters: [{ jwt: { issuer: https://id.example, audience: t, algorithms: [EdDSA] } }]
routes:
  one: { match: "PUT /one/{id:[0-9]+}/{rest*}", when: { header: { x-a: { prefix: b } }, query: { q: present } }, to: it }
  two: { match: GET /two, without: [jwt], filters: [{ ip: { allow: [10.0.0.0/8] } }], to: it }
`;
  const ready = prepare([], { root: writeProject({ ...files(body, "[]") }), env: "local" });
  if ("exitCode" in ready) throw new Error(ready.text);
  const [suite] = ready.suites as [Suite];
  const text = await firstCases(suite, ready.compiled, await createKeys(ready.suites), runtime());
  expect(text).toMatchInlineSnapshot(`
    "# yaml-language-server: $schema=./cases.schema.json
    # First cases: what the gate answers today. Say what it should do, and what it must not.
    - it: serves one to alice
      as: { name: alice, token: { issuer: https://id.example, audience: t } }
      send: { request: PUT /t/one/0/example?q=x, headers: { x-a: b } }
      expect: { status: 200, route: one }

    - it: refuses one to an anonymous caller (token-missing)
      send: { request: PUT /t/one/0/example?q=x, headers: { x-a: b } }
      expect: { status: 401, code: token-missing, by: jwt, route: one }

    - it: refuses two (address-refused)
      send: GET /t/two
      expect: { status: 403, code: address-refused, by: two/ip, route: two }
    "
  `);
  expect(failureLines(await runCases(body, text, runtime()))).toEqual([]);

  const broken: Runtime = {
    ...runtime(),
    run: async (batch) => batch.conversations.map(() => ({ failed: "no gate" })),
  };
  await expect(firstCases(suite, ready.compiled, await createKeys(ready.suites), broken)).rejects.toThrow(
    'routes/t.test.yaml is not written, since "one to alice" cannot be tried: no gate',
  );
});

const page = fs.readFileSync(path.join(codeRoot, "docs/testing.md"), "utf8");

describe("the page about cases", () => {
  it("shows cases that hold", async () => {
    const root = writeProject({});
    fs.cpSync(path.join(bank, "routes"), path.join(root, "routes"), { recursive: true });
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    fs.writeFileSync(path.join(root, "routes/wallet.test.yaml"), yaml);
    const { exitCode, text } = await testWith(runtime, ["wallet"], { root, env: "local" });
    expect([exitCode, text]).toEqual([0, expect.stringMatching(/^3 cases hold, 54 requests/m)]);
  });
});

// The samples themselves: what `npm run dev` runs, and `postern init --template samples` writes.
describe("the examples", () => {
  it("hold, and leave nothing of their policy untried", async () => {
    const reports = await runAllSuites(codeRoot, runtime());
    expect(reports.flatMap(failureLines)).toEqual([]);
    expect(reports.flatMap(({ coverage }) => coverage.untried)).toEqual([]);
    // What the page shows of them is what they say.
    const lines = `${renderReports(reports, 3500)}\n${renderCoverage(reports)}`.split("\n");
    expect(lines.filter((line) => !page.includes(line.trimEnd()))).toEqual([]);
    expect(reports.every(({ coverage, ran }) => coverage.branches.length > 15 && ran.length > 5)).toBe(true);
  });
});
