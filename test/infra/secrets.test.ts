/** Secrets by name: listed, set, handed to gates, and shown nowhere. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { startCloud } from "../../infra/cloud/cloud.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { applyState } from "../../infra/dev/apply.ts";
import { postern as commandLine } from "../command-line.ts";
import { type Files, manifest, runService, writeProject } from "../e2e/project.ts";

const value = "s3cr3t-value-of-the-test";

const tier = (name: string, url = "https://it.example") =>
  manifest(
    name,
    `upstreams: { it: { http: "${url}" } }\nfilters: [{ headers: { request: { set: { authorization: { secret: IT_TOKEN } } } } }]\nroutes: { all: { match: "GET /{rest*}", to: it } }\n`,
  );

const postern = (root: string, args: readonly string[], input = "") =>
  commandLine([...args, "--root", root], { input });

const filesWith = (root: string, text: string): string[] =>
  fs
    .readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => fs.statSync(path.join(root, file)).isFile())
    .filter((file) => fs.readFileSync(path.join(root, file), "utf8").includes(text));

const two: Files = { "routes/a.yaml": tier("a"), "routes/b.yaml": tier("b") };

describe("in the dev loop's environment", () => {
  it("lists missing secrets with the remedy, and stores a set one in a file that only its owner can read", async () => {
    const root = writeProject(two);
    const before = await postern(root, ["secrets", "list"]);
    expect([before.code, before.err]).toEqual([
      1,
      expect.stringContaining("npx postern secrets set IT_TOKEN --env local"),
    ]);
    const set = await postern(root, ["secrets", "set", "IT_TOKEN"], `${value}\n`);
    expect([set.code, set.out]).toEqual([
      0,
      "set IT_TOKEN for a, b in local: in .secrets/local.json, for the dev loop and the next upload; no deployed Worker has changed (--target local sets it there too)\n",
    ]);
    const after = await postern(root, ["secrets", "list", "--json"]);
    expect(JSON.parse(after.out).secrets.map((it: { tier: string; set: boolean }) => [it.tier, it.set])).toEqual([
      ["a", true],
      ["b", true],
    ]);
    await emit(root, compile(root, "local"));
    expect(filesWith(root, value)).toEqual([".secrets/local.json"]);
    expect(fs.statSync(path.join(root, ".secrets/local.json")).mode & 0o777).toBe(0o600);
    // Also in a project without a .gitignore of its own.
    const git = (...args: readonly string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" });
    git("init", "-q");
    git("add", "-A");
    expect(git("ls-files").match(/^\.secrets.*/gm)).toBeNull();
    for (const { out, err } of [before, set, after]) expect(out + err).not.toContain(value);
  });

  it("goes once to each Worker that needs it, and each is listed", async () => {
    const lifted = tier("a").replace(
      'routes: { all: { match: "GET /{rest*}", to: it } }',
      'routes: { all: { match: "GET /{rest*}", to: it }, one: { match: GET /one, to: it, isolation: route }, bare: { match: GET /bare, to: it, without: [headers], isolation: route } }',
    );
    const small = (name: string) => `${tier(name)}isolation: shared\n`;
    const root = writeProject({ "routes/a.yaml": lifted, "routes/b.yaml": small("b"), "routes/c.yaml": small("c") });
    const set = await postern(root, ["secrets", "set", "IT_TOKEN"], value);
    expect([set.code, set.out]).toEqual([
      0,
      expect.stringContaining("set IT_TOKEN for a, b, c in local: in .secrets/local.json"),
    ]);
    const list = await postern(root, ["secrets", "list", "--json"]);
    expect(JSON.parse(list.out).secrets.map((it: { tier: string; worker: string }) => [it.tier, it.worker])).toEqual([
      ["a", "gate-a-local"],
      ["a", "gate-a--one-local"],
      ["b", "gate-shared-local"],
      ["c", "gate-shared-local"],
    ]);
  });

  it.each([
    [["secrets", "set", "IT_TOKN"], value, /no tier needs a secret "IT_TOKN" in local; did you mean "IT_TOKEN"\?/],
    [["secrets", "set", "IT_TOKEN"], "\n", /the value is empty/],
  ])("%j is refused", async (args, input, said) => {
    const root = writeProject(two);
    const { code, err } = await postern(root, args, input);
    expect([code, err]).toEqual([3, expect.stringMatching(said)]);
    expect(fs.existsSync(path.join(root, ".secrets"))).toBe(false);
  });

  it("the service is shown it, and the client and the log are not; a gate without it is no gate, and others go on", async () => {
    const seen: (string | undefined)[] = [];
    const { url } = await runService((request, response) => {
      seen.push(request.headers.authorization);
      response.end("ok");
    });
    const root = writeProject({
      "routes/a.yaml": tier("a", url),
      "routes/b.yaml": tier("b", url).replace("IT_TOKEN", "OTHER_TOKEN"),
    });
    const compiled = compile(root, "local");
    const emitted = await emit(root, compiled);
    const lines: string[] = [];
    // What the developer's shell happens to have is no secret that was set.
    vi.stubEnv("OTHER_TOKEN", "of the shell");
    const log = (line: string) => lines.push(line);
    const cloud = await startCloud({ folder: path.join(root, ".state"), edgePort: 0, log, report: log });
    const secrets = { IT_TOKEN: value };
    const { refused } = await applyState(cloud, {
      emitted,
      extraWorkers: {},
      consumers: [],
      namespaces: {},
      secrets,
      split: 100,
    });
    try {
      const ask = async (at: string) => {
        const response = await fetch(`${cloud.edge}${at}`);
        return [response.status, await response.text(), JSON.stringify([...response.headers])] as const;
      };
      const [status, text, headers] = await ask("/a/x");
      expect([status, text]).toEqual([200, "ok"]);
      expect(headers + lines.join()).not.toContain(value);
      expect((await ask("/b/x"))[0]).toBe(503);
      expect(seen).toEqual([value]);
      expect(Object.values(refused).join()).toContain("the secret OTHER_TOKEN is not set");
    } finally {
      vi.unstubAllEnvs();
      await cloud.close();
    }
  });
});
