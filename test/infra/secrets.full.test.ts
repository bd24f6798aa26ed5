/** Secrets of another environment, set by the command's own process and by wrangler's: a value goes through pipes and is shown nowhere. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { expect, it } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { type Files, manifest, writeProject } from "../e2e/project.ts";

const value = "s3cr3t-value-of-the-test";

const tier = (name: string) =>
  manifest(
    name,
    `upstreams: { it: { http: "https://it.example" } }\nfilters: [{ headers: { request: { set: { authorization: { secret: IT_TOKEN } } } } }]\nroutes: { all: { match: "GET /{rest*}", to: it } }\n`,
  );

const postern = (root: string, args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [path.join(codeRoot, "infra/cli.ts"), ...args, "--root", root],
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
    const root = writeProject({ ...two, "routes/environments/production.yaml": "values: {}\n" });
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
