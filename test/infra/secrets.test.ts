/** Secrets by name: listed, set, handed to gates, and shown nowhere. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { startCloud } from "../../infra/cloud/cloud.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { emit } from "../../infra/compiler/emit/emit.ts";
import { turnTo } from "../../infra/dev/apply.ts";
import { home } from "../../infra/project/generated-files.ts";
import { type Files, manifest, project, service } from "../e2e/city.ts";

const value = "s3cr3t-value-of-the-test";

const tier = (name: string, url = "https://it.example") =>
  manifest(
    name,
    `upstreams: { it: { http: "${url}" } }\nfilters: [{ headers: { request: { set: { authorization: { secret: IT_TOKEN } } } } }]\nroutes: { all: { match: "GET /{rest*}", to: it } }\n`,
  );

const postern = (root: string, args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [path.join(home, "infra/cli.ts"), ...args, "--root", root],
      { env: { ...process.env, NO_COLOR: "1", ...env } },
      (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin?.end(input);
  });

const filesWith = (root: string, text: string): string[] =>
  fs
    .readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => fs.statSync(path.join(root, file)).isFile())
    .filter((file) => fs.readFileSync(path.join(root, file), "utf8").includes(text));

const two: Files = { "routes/a.yaml": tier("a"), "routes/b.yaml": tier("b") };

describe("in the dev loop's environment", () => {
  it("what is missing is listed with its remedy; once set, it stands in one file that only its owner reads", async () => {
    const root = project(two);
    const before = await postern(root, ["secrets", "list"]);
    expect([before.code, before.err]).toEqual([
      1,
      expect.stringContaining("npx postern secrets set IT_TOKEN --env local"),
    ]);
    const set = await postern(root, ["secrets", "set", "IT_TOKEN"], `${value}\n`);
    expect([set.code, set.out]).toEqual([0, "set IT_TOKEN for a, b in local\n"]);
    const after = await postern(root, ["secrets", "list", "--json"]);
    expect(JSON.parse(after.out).secrets.map((it: { tier: string; set: boolean }) => [it.tier, it.set])).toEqual([
      ["a", true],
      ["b", true],
    ]);
    await emit(root, compile(root, "local"));
    expect(filesWith(root, value)).toEqual([".secrets/local.json"]);
    expect(fs.statSync(path.join(root, ".secrets/local.json")).mode & 0o777).toBe(0o600);
    for (const { out, err } of [before, set, after]) expect(out + err).not.toContain(value);
  });

  it("goes once to each Worker that needs it, and each is listed", async () => {
    const lifted = tier("a").replace(
      'routes: { all: { match: "GET /{rest*}", to: it } }',
      'routes: { all: { match: "GET /{rest*}", to: it }, one: { match: GET /one, to: it, isolation: route }, bare: { match: GET /bare, to: it, without: [headers], isolation: route } }',
    );
    const small = (name: string) => `${tier(name)}isolation: shared\n`;
    const root = project({ "routes/a.yaml": lifted, "routes/b.yaml": small("b"), "routes/c.yaml": small("c") });
    const set = await postern(root, ["secrets", "set", "IT_TOKEN"], value);
    expect([set.code, set.out]).toEqual([0, "set IT_TOKEN for a, b, c in local\n"]);
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
    const root = project(two);
    const { code, err } = await postern(root, args, input);
    expect([code, err]).toEqual([3, expect.stringMatching(said)]);
    expect(fs.existsSync(path.join(root, ".secrets"))).toBe(false);
  });

  it("the service is shown it, and the client and the log are not; a gate without it is no gate, and others go on", async () => {
    const seen: (string | undefined)[] = [];
    const { url } = await service((request, response) => {
      seen.push(request.headers.authorization);
      response.end("ok");
    });
    const root = project({
      "routes/a.yaml": tier("a", url),
      "routes/b.yaml": tier("b", url).replace("IT_TOKEN", "OTHER_TOKEN"),
    });
    const compiled = compile(root, "local");
    const emitted = await emit(root, compiled);
    const lines: string[] = [];
    // What the developer's shell happens to have is no secret that was set.
    vi.stubEnv("OTHER_TOKEN", "of the shell");
    const log = (line: string) => lines.push(line);
    const cloud = await startCloud({ folder: path.join(root, ".state"), edgePort: 0, log, tell: log });
    const secrets = { IT_TOKEN: value };
    const { refused } = await turnTo(cloud, {
      emitted,
      others: {},
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

it("elsewhere wrangler sets it, for each gate that names it, through a pipe", async () => {
  const calls: string[] = [];
  const stored = new Map<string, string>();
  const api = http.createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const [, worker = ""] = /scripts\/([^/]+)\/secrets/.exec(request.url ?? "") ?? [];
    calls.push(`${request.method} ${request.url}`);
    if (request.method === "PUT") {
      const { name, text } = JSON.parse(body);
      stored.set(worker, `${name}=${text}`);
    }
    const list = stored.has(worker) ? [{ name: "IT_TOKEN", type: "secret_text" }] : [];
    const result = request.method === "PUT" ? list[0] : list;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ success: true, errors: [], messages: [], result }));
  });
  await new Promise<void>((ready) => api.listen(0, "127.0.0.1", ready));
  try {
    const { port } = api.address() as { port: number };
    const env = {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}`,
      CLOUDFLARE_API_TOKEN: "token",
      CLOUDFLARE_ACCOUNT_ID: "0".repeat(32),
      WRANGLER_SEND_METRICS: "false",
    };
    const root = project({ ...two, "routes/environments/production.yaml": "values: {}\n" });
    const at = ["--env", "production"];
    expect((await postern(root, ["secrets", "list", ...at], "", env)).code).toBe(1);
    const set = await postern(root, ["secrets", "set", "IT_TOKEN", ...at], value, env);
    expect([set.code, set.err]).toEqual([0, ""]);
    expect([...stored]).toEqual([
      ["gate-a", `IT_TOKEN=${value}`],
      ["gate-b", `IT_TOKEN=${value}`],
    ]);
    const list = await postern(root, ["secrets", "list", ...at], "", env);
    expect([list.code, list.out.match(/ set$/gm)?.length]).toEqual([0, 2]);
    expect(set.out + list.out + calls.join()).not.toContain(value);
    expect(filesWith(root, value)).toEqual([]);
  } finally {
    api.close();
  }
});
