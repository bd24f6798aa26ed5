import { spawnSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { describe, expect, it } from "vitest";
import { examples } from "../../infra/commands/options.ts";
import { commandLine } from "../../infra/program.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { postern } from "../command-line.ts";
import { manifest, writeProject } from "../e2e/project.ts";
import { bank } from "../fixtures/bank.ts";

const good = manifest(
  "t",
  `upstreams: { it: { http: "https://it.example" } }\nroutes: { all: { match: "GET /x", to: it } }\n`,
);

describe("exit codes", () => {
  it("0: it holds", async () => {
    const root = writeProject({ "routes/t.yaml": `${good}filters: [{ rate-limit: { limit: 20/s, by: ip } }]\n` });
    expect(await postern(["check", "--env", "local", "--root", root])).toEqual({
      code: 0,
      out: "1 tier with 1 route: no problems in local\n",
      err: "",
    });
  });

  it("5: a finding is as grave as --fail-on says; SARIF goes to stdout all the same", async () => {
    const root = writeProject({ "routes/t.yaml": good });
    const { code, out, err } = await postern(["check", "--env", "local", "--root", root, "--format", "sarif"]);
    expect([code, err, JSON.parse(out).runs[0].results.length]).toEqual([5, "", 1]);
  });

  it("1: in any environment; a problem of both is reported once", async () => {
    const root = writeProject({
      "routes/t.yaml": good.replace("https://it.example", `$${"{it-url}"}`).replace("GET /x", "FETCH /x"),
      "routes/environments/local.yaml": "values: { it-url: 'https://it.example' }\n",
      "routes/environments/production.yaml": "values: {}\n",
    });
    const { code, err } = await postern(["check", "--root", root]);
    expect(code).toBe(1);
    expect(err.match(/^routes.*/gm)).toEqual([
      'routes/t.yaml:5:26  unknown-variable  routes/environments/production.yaml has no value "it-url"',
      expect.stringContaining('routes/t.yaml:6:25  wrong-format  "FETCH" is no method'),
    ]);
  });

  it("1: as annotations of a pull request, escaped", async () => {
    const root = writeProject({ "routes/t.yaml": `${good}log: { sample: ten }\n` });
    const { code, out, err } = await postern(["check", "--env", "local", "--root", root, "--format", "github"]);
    expect([code, err, out]).toEqual([
      1,
      "",
      "::error file=routes/t.yaml,line=7,col=16,endLine=7,endColumn=19,title=wrong-format::a percentage is a number and %25: 10%25, 0.5%25\n",
    ]);
  });

  it("1: the manifests have problems, printed on stderr, and as JSON on stdout", async () => {
    const root = writeProject({ "routes/t.yaml": `${good}oops: 1\n` });
    const plain = await postern(["check", "--env", "local", "--root", root]);
    expect([plain.code, plain.out]).toEqual([1, ""]);
    expect(plain.err).toContain("routes/t.yaml:7:1  unknown-key");
    const json = await postern(["check", "--env", "local", "--root", root, "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      manifests: 1,
      broken: 1,
      problems: [{ file: "routes/t.yaml", line: 7, column: 1, code: "unknown-key" }],
    });
  });

  it.each([
    [["chek"]],
    [["check", "--evn", "local"]],
    [["new", "filter"]],
    [["new", "thing", "x"]],
    [["new", "filter", "Not A Name"]],
    [["new", "filter", "jwt"]],
    [["new", "upstream", "x", "--identity"]],
  ])("2: the command line is wrong: %j", async (args) => {
    const { code, err } = await postern(args);
    expect(code).toBe(2);
    expect(err).not.toBe("");
  });

  it.each([
    [
      ["check", "--env", "nowhere", "--root", bank],
      /there is no environment "nowhere"; the files of routes\/environments are local\.yaml, production\.yaml/,
    ],
    [["check", "--root", os.tmpdir()], /there is no folder routes\//],
    [["effective", "nobody", "--root", bank], /there is no tier "nobody"; there are open, pay, wallet\n/],
    [
      ["effective", "wallet/nothing", "--root", bank],
      /wallet has no route "nothing"; there are balance, transfer, statement, events\n/,
    ],
    [["build", "--tier", "nobody", "--root", bank], /there is no routes\/nobody\.yaml; there are routes\/open\.yaml, /],
    [["dev", "--port", "99999"], /--port takes a number/],
  ])("3: it could not be done: %j", async (args, said) => {
    const { code, err } = await postern(args);
    expect(code).toBe(3);
    expect(err).toMatch(said);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

it("every verb has help with examples and takes --json", async () => {
  const { out } = await postern(["--help"]);
  const verbs = [...out.matchAll(/^ {2}(\w+) \[options\]/gm)].map(([, verb = ""]) => verb);
  expect(verbs).toEqual([
    ...["init", "upgrade", "check", "build", "routes", "dev", "explain", "sign"],
    ...["test", "diff", "effective", "repo", "staged", "ci"],
    ...["cloud", "doctor", "deploy", "rollback", "releases", "try", "approve", "cost", "token", "gen", "new"],
  ]);
  expect(out).toContain("Exit codes:");
  expect(out.split("\n").filter(({ length }) => length > 80)).toEqual([]);
  for (const verb of verbs) {
    const help = (await postern([verb, "--help"])).out;
    expect([verb, /Examples:\n {2}\$ npx postern/.test(help), help.includes("--json")]).toEqual([verb, true, true]);
  }
});

it("every help fits 80 columns, but for lines to paste", () => {
  const all = (command: Pick<Command, "commands">): readonly Command[] =>
    command.commands.flatMap((it) => [it as Command, ...all(it)]);
  const commands = all(commandLine());
  expect(commands.length).toBeGreaterThan(50);
  for (const command of commands) {
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 80 }).outputHelp();
    expect(help.split("\n").filter((line) => line.length > 80 && !line.startsWith("  $ "))).toEqual([]);
  }
});

it("an example stands apart from its explanation, which is below where both do not fit", () => {
  const line = "x".repeat(38);
  expect(examples({ [line]: "why" })).toContain(`  $ ${line}  why`);
  expect(examples({ [line]: "why ".repeat(10).trim() })).toContain(`  $ ${line}\n      why`);
  expect(examples({ [`${line}x`]: "why" })).toContain(`  $ ${line}x\n      why`);
});

it("build prints each Worker's size", async () => {
  const root = writeProject({ "routes/t.yaml": good });
  const { code, out } = await postern(["build", "--env", "local", "--root", root]);
  expect(code).toBe(0);
  expect(out).toMatch(/^gate-t-local\s+[\d.]+ KiB\s+[\d.]+ KiB {2}t\s+http\s+\.build\/local\/gates\/t$/m);
});

it("build of one tier does not mind another that is broken", async () => {
  const root = writeProject({ "routes/t.yaml": good, "routes/bad.yaml": "oops" });
  expect((await postern(["build", "--env", "local", "--root", root, "--tier", "t"])).code).toBe(0);
  expect((await postern(["build", "--env", "local", "--root", root])).code).toBe(1);
  expect((await postern(["build", "--env", "local", "--root", root, "--tier", "bad"])).code).toBe(1);
});

// All others run in this process.
it.each([
  [0, ["--version"], "0.1.0\n", /^$/],
  [2, ["chek"], "", /unknown command 'chek'/],
  [3, ["check", "--root", os.tmpdir()], "", /^postern: there is no folder routes\//],
] as const)("%i is what the process exits with", (code, args, out, err) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(codeRoot, "infra/cli.ts"), ...args], {
    encoding: "utf8",
  });
  expect([status, stdout]).toEqual([code, out]);
  expect(stderr).toMatch(err);
});
