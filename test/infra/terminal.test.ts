/** Text from outside steers no terminal and no CI runner: at the one place where text leaves, and over the commands. */
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reportOf } from "../../functions/control/rollout/report.ts";
import { check } from "../../infra/commands/authoring/check.ts";
import { effective } from "../../infra/commands/authoring/effective.ts";
import { explain } from "../../infra/commands/authoring/explain.ts";
import { repo } from "../../infra/commands/authoring/repo.ts";
import { routes } from "../../infra/commands/authoring/routes.ts";
import { cost } from "../../infra/commands/operate/cost.ts";
import * as notices from "../../infra/commands/operate/notices.ts";
import * as overlay from "../../infra/commands/operate/overlay.ts";
import * as revoke from "../../infra/commands/operate/revoke.ts";
import * as rollout from "../../infra/commands/operate/rollout.ts";
import * as records from "../../infra/commands/operate/rollout-records.ts";
import * as wave from "../../infra/commands/operate/wave.ts";
import { releases } from "../../infra/commands/release/releases.ts";
import * as secrets from "../../infra/commands/release/secrets.ts";
import { ci } from "../../infra/commands/review/ci.ts";
import { diff } from "../../infra/commands/review/diff.ts";
import { test as cases } from "../../infra/commands/review/test.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import type { Outcome } from "../../infra/terminal/outcome.ts";
import { confirm } from "../../infra/terminal/prompt.ts";
import { table } from "../../infra/terminal/table.ts";
import { escapeControls, printJson, printLine, toOneLine, toOneLineValues } from "../../infra/terminal/terminal.ts";
import { rolloutHarness } from "../control/rollout-harness.ts";
import { writeProject } from "../e2e/project.ts";
import { bank } from "../fixtures/bank.ts";

/** Clears the screen, sets a title, hides text, turns the direction, begins a line and a command. */
const hostileText =
  "EVIL\u001b[2J\u001b]0;title\u0007\u001b[8m\u009b1m\u202e\r\n::error file=a::INJECTED\nINJECTED ##[add-mask]x\t\u2028\ufeff";

/** What the boundary lets out may be ours alone: no control character but line feeds and our colours, no line of theirs, no command. */
const isHarmless = (text: string): void => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const rest = text.replace(/\u001b\[(?:0|1|2|22|3[0-79]|9[0-7])m/g, "");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(rest.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\ufeff]/g)).toBeNull();
  expect(rest).not.toMatch(/^\s*(?:::[a-z-]+[ :]|INJECTED)/m);
  expect(rest).not.toContain("##[");
};

describe("the boundary", () => {
  it.each([
    ["a sequence that moves the cursor", "a\u001b[2Jb", "a\\x1b[2Jb"],
    ["one that hides text", "a\u001b[8mb", "a\\x1b[8mb"],
    ["a title", "\u001b]0;x\u0007", "\\x1b]0;x\\x07"],
    ["an eight-bit one", "a\u009b31mb", "a\\x9b31mb"],
    ["a carriage return", "ok\rno", "ok\\x0dno"],
    ["a turn of direction", "a\u202eb\u2066c", "a\\u202eb\\u2066c"],
    ["a workflow command", "x\n  ::error file=a,line=1::b\n", "x\n  \\x3a:error file=a,line=1::b\n"],
    ["one without properties", "::add-mask::b", "\\x3a:add-mask::b"],
    ["one of the old form", "a ##[set-env name=A]b", "a #\\x23[set-env name=A]b"],
    ["one of Azure Pipelines", "a ##vso[task.setvariable variable=A]b", "a #\\x23vso[task.setvariable variable=A]b"],
    ["one of TeamCity", "##teamcity[buildStop comment='x']", "#\\x23teamcity[buildStop comment='x']"],
    ["text in black, which a dark screen hides", "a\u001b[30mb", "a\\x1b[30mb"],
    ["text in white", "a\u001b[97mb", "a\\x1b[97mb"],
  ])("%s is spelled out", (_, text, shown) => {
    expect(escapeControls(text)).toBe(shown);
  });

  it.each(["Grüße\t🎉\n", "\u001b[31mred\u001b[39m", "::1 is an address", "a::b", "## [x]"])("%j stays", (text) => {
    expect(escapeControls(text)).toBe(text);
  });

  it("a piece of a line stays on it, and brings no colour", () => {
    expect(toOneLine("a\nb\tc\u001b[31md")).toBe("a\\x0ab\\x09c\\x1b[31md");
    expect(toOneLineValues({ "k\n": ["a\n", { b: "\r" }, 1, null] })).toEqual({
      "k\\x0a": ["a\\x0a", { b: "\\x0d" }, 1, null],
    });
    expect(table(["a"], [["b\nc"]])).toBe("a\nb\\x0ac\n");
  });

  it("JSON is the same value, in characters that steer nothing", () => {
    const line = printed(() => printJson({ evil: hostileText }));
    isHarmless(line);
    expect(JSON.parse(line)).toEqual({ evil: hostileText });
  });

  it("a Worker's line that is JSON is the same value, and any other is one line", () => {
    const line = printed(() => printLine(JSON.stringify({ evil: hostileText, n: 12345678901234567890n.toString() })));
    isHarmless(line);
    expect(JSON.parse(line)).toMatchObject({ evil: hostileText });
    expect(JSON.parse(printed(() => printLine('{"a":\r\n1}')))).toEqual({ a: 1 });
    const other = printed(() => printLine(hostileText));
    isHarmless(other);
    expect(other.trimEnd()).not.toContain("\n");
  });
});

const printed = (print: () => void): string => {
  const written: string[] = [];
  const write = process.stdout.write;
  process.stdout.write = ((text: string) => written.push(text) > 0) as typeof write;
  try {
    print();
  } finally {
    process.stdout.write = write;
  }
  return written.join("");
};

const rendered = async (outcome: Outcome | Promise<Outcome>): Promise<string> => {
  const { text, commands = "" } = await outcome;
  const shown = escapeControls(text);
  isHarmless(shown);
  // A command of ours is one line, and what it holds cannot end it.
  for (const line of commands.split("\n").filter(Boolean)) {
    expect(line).toMatch(/^::(?:error|warning|notice) file=/);
    // The runner reads the first command of a line, and nothing else in it.
    isHarmless(line.slice(2).replaceAll("##[", ""));
  }
  return shown + commands;
};

/** All texts of an answer are evil, but those that a reader switches on. */
const poison = <T>(value: T, keep: readonly string[] = []): T => {
  const walk = (it: unknown, key: string): unknown => {
    if (typeof it === "string") return keep.includes(key) ? it : hostileText;
    if (Array.isArray(it)) return it.map((one) => walk(one, key));
    if (typeof it !== "object" || it === null) return it;
    return Object.fromEntries(Object.entries(it).map(([name, one]) => [name, walk(one, name)]));
  };
  return walk(value, "") as T;
};

/** A control plane and a platform whose every word is evil. */
let answers: Readonly<Record<string, unknown>> = {};
let server: http.Server;
let root: string;
let at: { readonly root: string; readonly target: string; readonly as: string };

beforeAll(async () => {
  server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://any");
    const found = Object.entries(answers).find(([end]) => decodeURIComponent(pathname).endsWith(end));
    response.writeHead(found ? 200 : 409, { "content-type": "application/json" });
    response.end(JSON.stringify(found ? found[1] : { title: hostileText, detail: hostileText }));
  });
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
  const { port } = server.address() as AddressInfo;
  root = fs.mkdtempSync(path.join(fs.realpathSync("/tmp"), "postern-evil-"));
  fs.cpSync(path.join(bank, "routes"), path.join(root, "routes"), { recursive: true });
  const file = path.join(root, "routes/environments/local.yaml");
  fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/^( {2}front: ).*$/m, `$1"http://localhost:${port}"`));
  process.env.CLOUDFLARE_API_TOKEN = "token";
  at = { root, target: `http://localhost:${port}`, as: "alice" };
});
afterAll(() => {
  delete process.env.CLOUDFLARE_API_TOKEN;
  server.close();
  fs.rmSync(root, { recursive: true, force: true });
});

describe("what control and the platform say", () => {
  it("of a rollout, and of one that has been", async () => {
    const it = rolloutHarness();
    await it.start();
    const evilRollout = poison(it.state(), ["status"]);
    const times = ["status", "state", "stateSince", "startedAt", "endedAt", "at", "since", "until"];
    const evilReport = poison(reportOf(it.state(), hostileText, hostileText), times);
    answers = {
      "/rollout": evilRollout,
      "/rollouts": [evilRollout],
      "/measured": null,
      "/v1/rollouts/open/1": evilReport,
    };
    expect(await rendered(rollout.status("open", { ...at, target: "local" }))).toContain("EVIL");
    expect(await rendered(records.history("open", { ...at, target: "local" }))).toContain("EVIL");
    expect(await rendered(records.show("open", "1", { ...at, target: "local" }))).toContain("EVIL");
    const { product = "" } = await records.history("open", { ...at, target: "local", csv: true });
    expect(product).toContain("EVIL");
    isHarmless(product.replaceAll("\r\n", "\n"));
  });

  it("of a proposal", async () => {
    const proposal = {
      id: "p1",
      by: hostileText,
      tier: hostileText,
      what: hostileText,
      body: "{}",
      until: 1,
      fingerprint: "",
      names: [hostileText],
    };
    answers = { "/rollout/promote": { proposal }, "/rollout": null };
    expect(await rendered(rollout.sendCommand("promote", "open", { ...at, target: "local" }))).toContain("EVIL");
  });

  it("of waves, overlays, revocations, notices and costs", async () => {
    const member = {
      tier: hostileText,
      along: [hostileText],
      level: "core",
      place: "failed",
      share: 1,
      why: hostileText,
      waits: false,
    };
    const one = {
      id: hostileText,
      by: hostileText,
      reason: hostileText,
      selection: hostileText,
      status: "failed",
      why: hostileText,
      concurrent: 1,
      startedAt: 1,
      members: [member],
    };
    const entry = {
      id: hostileText,
      kind: "close",
      route: hostileText,
      until: 1,
      by: hostileText,
      reason: hostileText,
      says: hostileText,
    };
    const revoked = {
      id: hostileText,
      kind: "token",
      hash: hostileText,
      until: 1,
      by: hostileText,
      reason: hostileText,
    };
    answers = {
      "/v1/wave": one,
      "/v1/waves": [one],
      "/overlay": { revision: 1, entries: [entry] },
      "/drift": [{ tier: hostileText, entries: [entry] }],
      "/revocations": { revision: 1, revoked: [revoked] },
      "/notices": {
        channels: [{ channel: hostileText, to: hostileText, state: "told", pending: 0, heard: 0, givenUp: 0 }],
        notices: [
          {
            at: 1,
            type: hostileText,
            subject: hostileText,
            channel: hostileText,
            state: hostileText,
            attempts: 1,
            due: null,
            error: hostileText,
          },
        ],
      },
      "/notices/test": [{ channel: hostileText, to: hostileText, ok: false, error: hostileText, ms: 1 }],
      "/cost": [
        { route: hostileText, requests: 1, cpuMs: 1, cpuRequests: 1, upstreamMs: 1, bytesIn: 1, bytesOut: 1, since: 1 },
      ],
    };
    const local = { ...at, target: "local" };
    const all = [
      wave.status(local),
      wave.history(local),
      overlay.list("open", local),
      overlay.drift(local),
      revoke.list("open", local),
      notices.list(local),
      notices.test(local),
      cost("open", local),
    ];
    for (const outcome of all) expect(await rendered(outcome)).toContain("EVIL");
    for (const line of wave.linesOf({ ...one, members: [{ ...member, place: "under-way" }] } as never)) {
      expect(line).toContain("EVIL");
      isHarmless(escapeControls(line));
      expect(line).not.toContain("\n");
    }
  });

  it("of a wave that is watched as JSON, which stays JSON", async () => {
    const running = {
      id: "w",
      status: "running",
      why: hostileText,
      concurrent: 1,
      startedAt: 1,
      by: hostileText,
      reason: hostileText,
    };
    const member = {
      tier: "a",
      along: [],
      level: "core",
      place: "under-way",
      share: 1,
      why: hostileText,
      waits: false,
    };
    answers = { "/v1/wave": { ...running, members: [member] } };
    const written: string[] = [];
    const write = process.stdout.write;
    process.stdout.write = ((text: string) => {
      written.push(text);
      answers = { "/v1/wave": { ...running, status: "promoted", members: [] } };
      return true;
    }) as typeof write;
    try {
      await wave.watch({ ...at, target: "local", json: true } as never);
    } finally {
      process.stdout.write = write;
    }
    isHarmless(written.join(""));
    expect(JSON.parse(written.join(""))).toMatchObject({ why: hostileText });
  });

  it("when it prompts for approval", async () => {
    const shown: string[] = [];
    const [write, isTTY] = [process.stderr.write, process.stdin.isTTY];
    process.stdin.isTTY = true;
    process.stderr.write = ((text: string) => shown.push(text) > 0) as typeof write;
    try {
      const answer = confirm(`Approve what ${hostileText} proposed?`);
      process.stdin.emit("data", Buffer.from("n\n"));
      expect(await answer).toBe(false);
    } finally {
      Object.assign(process.stdin, { isTTY });
      process.stderr.write = write;
      process.stdin.pause();
    }
    expect(shown.join("")).toContain("EVIL");
    isHarmless(shown.join(""));
  });

  it("of versions", async () => {
    const version = {
      id: "v1",
      number: 1,
      metadata: { created_on: hostileText, author_email: hostileText },
      annotations: { "workers/message": hostileText, "workers/tag": hostileText },
    };
    answers = {
      "/versions": { success: true, errors: [], result: { items: [version] } },
      "/deployments": { success: true, errors: [], result: { deployments: [] } },
    };
    expect(await rendered(releases("open", at))).toContain("EVIL");
  });

  it("when they refuse", async () => {
    answers = {};
    const error = await rollout.status("open", { ...at, target: "local" }).then(
      () => "",
      ({ message }: Error) => message,
    );
    expect(error).toContain("EVIL");
    isHarmless(escapeControls(`postern: ${error}`));
  });
});

describe("what a manifest says", () => {
  const text = JSON.stringify(hostileText);
  const manifest = (more: string) => `api: postern/v1
tier: a
hosts: [localhost]
owner: "@acme/a"
summary: ${text}
labels: { ${text}: ${text} }
${more}`;
  const holds = manifest(`filters: [{ headers: { response: { set: { x-a: "b" } } } }]
routes:
  r: { match: GET /r, respond: { status: 200, text: ${text} } }
  s: { match: GET /s, respond: { status: 200, text: t, headers: { x-b: "c" } } }
`);
  const broken = manifest(`${text}: 1
filters: [{ ${text}: 1 }, { headers: { ${text}: 1 } }]
routes:
  r: { match: ${text}, to: ${text} }
`);
  const one = `- { it: ${text}, send: GET /r, expect: { status: 418, text: ${text} } }\n`;
  const of = (file: string) => writeProject({ "routes/a.yaml": file, "routes/a.test.yaml": one });

  it("that does not hold", async () => {
    const root = of(broken);
    expect(await rendered(check({ root }))).toContain("EVIL");
    expect(await rendered(check({ root, format: "github" }))).toContain("EVIL");
    await rendered(ci(root, { root, env: "local", annotate: true } as never));
  });

  it("that holds", async () => {
    const root = of(holds);
    const known = { root, env: "local" } as const;
    await rendered(check({ root }));
    expect(await rendered(effective("a", known as never))).toContain("EVIL");
    await rendered(routes(known as never));
    await rendered(secrets.list({ ...known, target: "local" } as never));
    await rendered(repo({ root, check: true }));
    expect(
      await rendered(
        explain("GET", "http://localhost/r", { ...known, header: [`x-a: ${toOneLine(hostileText)}`] } as never),
      ),
    ).toContain("r");
    expect(await rendered(cases([], known as never))).toContain("EVIL");
  });

  it("in a comparison", async () => {
    const before = of(holds);
    const after = of(
      holds
        .replace('x-a: "b"', `x-a: ${JSON.stringify("EVIL ::error::INJECTED")}`)
        .replace("status: 200, text: t", `status: 200, text: ${text}`),
    );
    await rendered(diff(before, after, { root: after } as never));
  });
});

it("nothing else in the tools writes to a terminal", () => {
  const folder = path.join(codeRoot, "infra");
  const files = fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(
      (file) => file.endsWith(".ts") && !/^(?:bench|sim|cases\/worker|cloud\/workers|dev\/services)\//.test(file),
    );
  const writes = files.filter((file) =>
    /\bstd(?:out|err)\.write|console\.(?:log|error|warn|info)\(/.test(fs.readFileSync(path.join(folder, file), "utf8")),
  );
  // Questions are printed without a line feed; three scripts of the repository are no commands. What own parts print is moved to
  // stderr.
  expect(writes.sort()).toEqual([
    "lock.ts",
    "package/package.ts",
    "project/load-parts.ts",
    "retired-words.ts",
    "terminal/prompt.ts",
    "terminal/terminal.ts",
  ]);
});
