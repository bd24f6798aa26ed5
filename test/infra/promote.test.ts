/** `postern rollout promote` out of a pause: it warns where evidence is missing, and asks in a terminal. */
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { postern } from "../command-line.ts";
import { rolloutHarness, runFor } from "../control/rollout-harness.ts";
import { bank } from "../fixtures/bank.ts";

let server: http.Server;
let root: string;
let shown: Rollout | null = null;
let sent: string[] = [];

beforeAll(async () => {
  server = http.createServer((request, response) => {
    sent.push(`${request.method} ${request.url}`);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(shown));
  });
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
  const { port } = server.address() as AddressInfo;
  root = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "postern-promote-"));
  fs.cpSync(path.join(bank, "routes"), path.join(root, "routes"), { recursive: true });
  const file = path.join(root, "routes/environments/local.yaml");
  fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/^( {2}front: ).*$/m, `$1"http://localhost:${port}"`));
});
afterAll(() => {
  server.close();
  fs.rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  sent = [];
});

const paused = async (verdict: "pass" | "not-enough", foreign = false): Promise<Rollout> => {
  const it = rolloutHarness();
  it.scenario.verdict = verdict;
  await it.start();
  await runFor(it, 4_000);
  if (foreign) it.deployForeign();
  else await it.command("pause", "alice");
  await it.reconcile();
  return it.state();
};

const promote = (...options: readonly string[]) =>
  postern(["rollout", "promote", "open", "--root", root, "--target", "local", "--as", "alice", ...options]);

/** With a terminal on stdin, in which somebody types. */
const answering = async <T>(answer: string, work: () => Promise<T>): Promise<T> => {
  const stdin = Object.getOwnPropertyDescriptor(process, "stdin") as PropertyDescriptor;
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  terminal.write(`${answer}\n`);
  Object.defineProperty(process, "stdin", { ...stdin, get: () => terminal });
  try {
    return await work();
  } finally {
    Object.defineProperty(process, "stdin", stdin);
  }
};

const promoted = "POST /v1/tiers/open/rollout/promote";
const gap = "there is not enough evidence that the new version is no worse, at 1 % of users: errors: 2 % against 0";

describe("without evidence", () => {
  it("in a pipe: the warning is printed, and the command runs", async () => {
    shown = await paused("not-enough");
    const { code, err } = await promote();
    expect([code, err]).toEqual([0, `${gap}\n`]);
    expect(sent).toContain(promoted);
  });

  it.each([
    ["n", 1, false],
    ["y", 0, true],
  ] as const)("in a terminal it asks, and %s decides", async (answer, code, runs) => {
    shown = await paused("not-enough");
    const ran = await answering(answer, () => promote());
    expect(ran.code).toBe(code);
    expect(sent.includes(promoted)).toBe(runs);
  });

  it("--yes asks nothing, and still warns", async () => {
    shown = await paused("not-enough");
    const { err } = await answering("n", () => promote("--yes"));
    expect(err).toBe(`${gap}\n`);
    expect(sent).toContain(promoted);
  });

  it("names the deployment that it overwrites", async () => {
    shown = await paused("pass", true);
    expect((await promote()).err).toBe(
      "gate-a was deployed by mallory during the rollout, which a promotion overwrites\n",
    );
  });
});

it("with evidence, or without a rollout, it warns of nothing", async () => {
  shown = await paused("pass");
  expect((await promote()).err).toBe("");
  expect(sent).toContain(promoted);
});
