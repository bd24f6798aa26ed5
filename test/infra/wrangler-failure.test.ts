/** What people read of a failed wrangler: the cause and the remedy. The outputs are wrangler 4.156's own, shortened in their tables. */
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { getWorkerResource } from "../../infra/release/api.ts";
import { WranglerError } from "../../infra/release/wrangler.ts";
import { failureIn } from "../../infra/release/wrangler-failure.ts";
import { keepOutput } from "../../infra/terminal/log.ts";

const call = "A request to the Cloudflare API (/accounts/0001/workers/scripts/gate-open/versions) failed.";
const rest = `

Attaching additional modules:
┌──────────────────┬──────┬──────────┐
│ Name             │ Type │ Size     │
├──────────────────┼──────┼──────────┤
│ plan.js          │ esm  │ 1.97 KiB │
└──────────────────┴──────┴──────────┘
Total Upload: 102.21 KiB / gzip: 36.22 KiB
Your Worker has access to the following bindings:
Binding                                  Resource
env.VERSION                              Worker Version Metadata

Your Worker is sending Tail events to the following Workers:
- postern-tail-local

📎 It looks like you are authenticating Wrangler via a custom API token set in an environment variable.
Please ensure it has the correct permissions for this operation.
🔓 To see token permissions visit https://dash.cloudflare.com/profile/api-tokens`;

describe("the cause of", () => {
  it.each([
    [
      "a version that throws at start",
      `✘ [ERROR] ${call}\n\n  Uncaught Error: boom\n    at null.<anonymous> (gate.js:12:7) in loadPlan\n    at null.<anonymous> (gate.js:300:1)\n   [code: 10021]\n\n  ${rest}`,
      "the version throws while it starts: Error: boom at gate.js:12:7",
      /nothing was released/,
    ],
    [
      "a wrong token",
      `✘ [ERROR] ${call}\n\n  Authentication error [code: 10000]\n${rest}`,
      "Authentication error (code 10000)",
      /CLOUDFLARE_API_TOKEN/,
    ],
    [
      "a platform that fails",
      `✘ [ERROR] ${call}\n\n  An unknown error has occurred. Please try again later. [code: 10013]\n${rest}`,
      "An unknown error has occurred. Please try again later (code 10013)",
      /run the same command again/,
    ],
    [
      "a limit on calls",
      `✘ [ERROR] ${call}\n\n  Please wait and consider throttling your request rate [code: 971]\n${rest}`,
      "Please wait and consider throttling your request rate (code 971)",
      /wait a minute/,
    ],
    [
      "a bundle that is too large",
      `✘ [ERROR] Your Worker failed validation because it exceeded size limits.\n\n  \n  ${call}\n   - Your Worker exceeded the size limit of 3 MiB. [code: 10027]\n  Here are the 1 largest dependencies included in your script:\n\n✘ [ERROR] ${call}\n\n  Your Worker exceeded the size limit of 3 MiB. [code: 10027]\n${rest}`,
      "Your Worker exceeded the size limit of 3 MiB (code 10027)",
      /isolation: route/,
    ],
    [
      "an answer that is no JSON",
      `✘ [ERROR] Received a malformed response from the API\n\n  <html>bad gateway</html>\n  POST /accounts/0001/workers/scripts/gate-open/versions -> 502 Bad Gateway\n${rest}`,
      "the platform answered 502 Bad Gateway",
      /run the same command again/,
    ],
    [
      "a Worker that is not there",
      `✘ [ERROR] ${call}\n\n  Service binding 'RATES' references Worker 'rates' which was not found. [code: 10143]\n`,
      "Service binding 'RATES' references Worker 'rates' which was not found (code 10143)",
      /npx postern deploy/,
    ],
    [
      "no login",
      "✘ [ERROR] In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.\n",
      "there is no token for Cloudflare",
      /npx wrangler login/,
    ],
    ["no network", "✘ [ERROR] fetch failed\n", "fetch failed", /network, proxy, DNS/],
    [
      "a timeout",
      `it did not end within 180 s, and was killed\n\nTotal Upload: 102.21 KiB`,
      "it did not end within 180 s, and was killed",
      /run the same command again/,
    ],
    [
      "something unknown",
      `✘ [ERROR] ENOSPC: no space left on device\n${rest}`,
      "ENOSPC: no space left on device",
      undefined,
    ],
    ["nothing", "", "it printed nothing", undefined],
  ] as const)("%s is one line, with a remedy", (_, output, cause, remedy) => {
    const found = failureIn(output);
    expect(found.cause).toBe(cause);
    if (remedy === undefined) expect(found.remedy).toBeUndefined();
    else expect(found.remedy).toMatch(remedy);
    const error = new WranglerError("versions upload", output);
    expect(error.message).toBe(`wrangler versions upload: ${cause}`);
    expect(error.output).toBe(output);
  });

  it("an endless line is cut", () => {
    expect(failureIn(`✘ [ERROR] ${"x".repeat(9000)}`).cause).toHaveLength(300);
  });
});

it("the whole output is in a file of the project", () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-log-"));
  try {
    const file = keepOutput(root, "../gate open", "all of it\n");
    expect(file).toBe(path.join(".build", "logs", "-gate-open.log"));
    expect(fs.readFileSync(path.join(root, file as string), "utf8")).toBe("all of it\n");
    expect(fs.statSync(path.join(root, file as string)).mode & 0o077).toBe(0);
    const outside = path.join(root, "outside");
    fs.writeFileSync(outside, "mine");
    fs.symlinkSync(outside, path.join(root, ".build/logs/linked.log"));
    expect(keepOutput(root, "linked", "theirs")).toBe(path.join(".build", "logs", "linked.log"));
    fs.rmSync(path.join(root, ".build/logs"), { recursive: true });
    fs.mkdirSync(path.join(root, "elsewhere"));
    fs.symlinkSync(path.join(root, "elsewhere"), path.join(root, ".build/logs"));
    expect(keepOutput(root, "linked", "theirs")).toBeUndefined();
    expect([fs.readFileSync(outside, "utf8"), fs.readdirSync(path.join(root, "elsewhere"))]).toEqual(["mine", []]);
    fs.writeFileSync(path.join(root, "file"), "");
    expect(keepOutput(path.join(root, "file"), "x", "y")).toBeUndefined();
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
});

describe("a call of the platform's API", () => {
  const asked = async (status: number, body: string) => {
    const server = http.createServer((_, response) => response.writeHead(status).end(body));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    try {
      const access = { api: `http://127.0.0.1:${port}`, token: "wrong", account: "0001" };
      return await getWorkerResource(access, "gate-open", "versions").catch((error: unknown) => error);
    } finally {
      server.close();
    }
  };

  it("that is refused says what to do", async () => {
    const errors = [{ code: 10_000, message: "Authentication error" }];
    expect(await asked(403, JSON.stringify({ success: false, errors, result: null }))).toMatchObject({
      message: "gate-open: Authentication error (code 10000)",
      remedy: expect.stringContaining("CLOUDFLARE_API_TOKEN"),
    });
  });

  it("that a proxy answers says so", async () => {
    expect(await asked(502, "<html>bad gateway</html>")).toMatchObject({
      message: "gate-open: the platform answered 502, not as its API does",
      remedy: expect.stringContaining("again"),
    });
  });
});
