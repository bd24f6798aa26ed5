/** `postern rollout plan` and `rollout start` against a control that knows the traffic, and one that is older. */
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import type { TrafficEstimate } from "../../functions/control/planning/traffic.ts";
import { postern } from "../command-line.ts";
import { rolloutHarness } from "../control/rollout-harness.ts";
import { bank } from "../fixtures/bank.ts";

let server: http.Server;
let root: string;
let started: Rollout;
let known: TrafficEstimate | null | 404 | 500 = null;
let sent: string[] = [];

const busy: TrafficEstimate = {
  ...{ since: 0, until: 7 * 24 * 3_600_000, requestsPerSecond: 900, latency: [] },
  rates: { errors: 0.0005, refusals: 0.002, clientErrors: 0, abandoned: 0 },
  clients: { clusters: 30_000, authenticated: 0.4, dealt: 0.1 },
};

const answerTo = async (request: http.IncomingMessage): Promise<[status: number, body: unknown]> => {
  let body = "";
  for await (const part of request) body += part;
  sent.push(`${request.method} ${request.url} ${body}`.trim());
  if (!request.url?.endsWith("/traffic")) return [200, started];
  return typeof known === "number" ? [known, { title: "No answer", detail: "no such page" }] : [200, known];
};

beforeAll(async () => {
  const it = rolloutHarness();
  await it.start();
  started = it.state();
  server = http.createServer(async (request, response) => {
    const [status, body] = await answerTo(request);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
  const { port } = server.address() as AddressInfo;
  root = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "postern-plan-"));
  fs.cpSync(path.join(bank, "routes"), path.join(root, "routes"), { recursive: true });
  const local = path.join(root, "routes/environments/local.yaml");
  fs.writeFileSync(local, fs.readFileSync(local, "utf8").replace(/^( {2}front: ).*$/m, `$1"http://localhost:${port}"`));
});
afterAll(() => {
  server.close();
  fs.rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  sent = [];
  known = busy;
});

const rollout = (...command: readonly string[]) =>
  postern(["rollout", ...command, "--root", root, "--target", "local", "--as", "alice"]);

const sentSteps = () => JSON.parse(sent.at(-1)?.split(" ").slice(2).join(" ") ?? "").release.steps;

/** The manifest's steps become `auto`. */
const withAuto = async <T>(work: () => Promise<T>): Promise<T> => {
  const file = path.join(root, "routes/open.yaml");
  const text = fs.readFileSync(file, "utf8");
  fs.writeFileSync(file, `${text}release: { steps: auto }\n`);
  try {
    return await work();
  } finally {
    fs.writeFileSync(file, text);
  }
};

it("a plan is read, and changes nothing", async () => {
  const { code, out } = await rollout("plan", "open");
  expect([code, sent]).toEqual([0, ["GET /v1/tiers/open/traffic"]]);
  expect(out).toMatch(/^open {2}about 900 requests\/s on average/);
  expect(out).toMatch(/^step +passes after +clients +requests +needs +errors/m);
});

it("as JSON it has every criterion", async () => {
  const { plan } = JSON.parse((await rollout("plan", "open", "--json")).out);
  expect(Object.keys(plan.steps[0].harm)).toEqual(["errors", "refusals", "client-errors", "abandoned", "latency"]);
});

it("a start shows it before control is called to start, and the rollout after it", async () => {
  const { code, out } = await rollout("start", "open", "--no-upload");
  expect(code).toBe(0);
  expect(sent.map((it) => it.split(" ").slice(0, 2).join(" "))).toEqual([
    "GET /v1/tiers/open/traffic",
    "POST /v1/tiers/open/rollouts",
  ]);
  expect(out.indexOf("about 900 requests/s")).toBeLessThan(out.indexOf("started by"));
  const { plan, id } = JSON.parse((await rollout("start", "open", "--no-upload", "--json")).out);
  expect([plan.traffic, id]).toEqual([busy, started.id]);
});

it("steps that are chosen are sent as they were shown", async () => {
  await withAuto(async () => {
    const { out } = await rollout("start", "open", "--no-upload");
    expect(out).toMatch(/^steps {2}\[0%, .*1%.*\n?.*chosen by the traffic$/m);
    expect(sentSteps()).toEqual(expect.arrayContaining(["0%", "100%"]));
    known = { ...busy, requestsPerSecond: 0.1 };
    await rollout("start", "open", "--no-upload");
    expect(sentSteps()).toEqual(["0%", "20%", "50%", "100%"]);
  });
});

it("a manifest that is not valid says what is wrong, and control is not called", async () => {
  const file = path.join(root, "routes/open.yaml");
  const text = fs.readFileSync(file, "utf8");
  fs.writeFileSync(file, `${text}oops: 1\n`);
  const { code, err } = await rollout("start", "open");
  fs.writeFileSync(file, text);
  expect([code, sent]).toEqual([1, []]);
  expect(err).toContain("unknown-key");
});

it.each([404, 500, null] as const)(
  "without traffic (control says %s) the default steps are chosen",
  async (traffic) => {
    known = traffic;
    await withAuto(async () => {
      expect((await rollout("start", "open", "--no-upload")).out).toMatch(/^traffic {2}unknown/);
      expect(sentSteps()).toEqual(["0%", "1%", "10%", "50%", "100%"]);
    });
  },
);
