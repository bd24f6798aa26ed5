/** Five independent HTTP clients send one list of requests to `npm run dev`. A missing client fails. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import zlib from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningCommand, startCommand } from "../e2e/command.ts";
import { type Service, startService, stopService } from "../e2e/project.ts";
import { type Client, type ClientCase, clients, requests } from "./requests.ts";
import { type ClientResponse, type ClientResults, runClient } from "./run-client.ts";
import { recordWire, type WireRecorder } from "./wire-recorder.ts";

const manifest = `api: postern/v1
tier: shop
hosts: [localhost]
base: /shop
filters:
  - cors: { origins: ["https://app.example"], methods: [GET, PUT] }
upstreams: { echo: { http: "\${echo-url}" } }
routes:
  all: { match: "ANY /echo", to: echo }
  gone: { match: "DELETE /gone", to: echo }
  private: { match: "POST /private", filters: [{ api-key: { header: x-api-key } }], to: echo }
`;

let service: Service;
let loop: RunningCommand | undefined;
let root = "";
let port = 0;

beforeAll(async () => {
  service = await startService((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      response.setHeader("x-service", "echo").setHeader("x-saw", `${request.method} ${request.url}`);
      if (request.method === "DELETE") return response.writeHead(204).end();
      const { method, url, headers } = request;
      const text = JSON.stringify({ method, url, headers, body: Buffer.concat(parts).toString() });
      if (!/gzip/.test(String(headers["accept-encoding"])) || headers["x-large"] === undefined)
        return response.end(text);
      return response.setHeader("content-encoding", "gzip").end(zlib.gzipSync(text));
    });
  });
  root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  fs.mkdirSync(path.join(root, "routes/environments"), { recursive: true });
  fs.writeFileSync(path.join(root, "routes/shop.yaml"), manifest);
  fs.writeFileSync(
    path.join(root, "routes/environments/local.yaml"),
    `values: { echo-url: "${service.url}" }\nkv: { consumers: "${"0".repeat(32)}" }\n`,
  );
  loop = await startCommand(`npm run dev -- --root ${root} --port 0`, /ready in/);
  port = Number(/http:\/\/localhost:(\d+)/.exec(loop.output)?.[1]);
});

afterAll(async () => {
  await loop?.stop();
  if (service) stopService(service);
  fs.rmSync(root, { recursive: true, force: true });
});

it("there are twelve requests, and each says what it cannot be sent as", () => {
  expect(requests).toHaveLength(12);
  expect(new Set(requests.map(({ id }) => id)).size).toBe(12);
});

describe.each(clients)("%s", (client) => {
  let sent: ClientResults;
  let recorder: WireRecorder;

  beforeAll(async () => {
    recorder = await recordWire(port);
    const clientCase = requests.filter(({ never }) => never?.[client] === undefined);
    sent = await runClient(client, clientCase, `http://localhost:${recorder.port}/shop`);
  });

  afterAll(() => recorder?.close());

  it.each(requests.filter(({ never }) => never?.[client] === undefined))("$id: $it ($authority)", (clientCase) => {
    const answer = sent.get(clientCase.id);
    if (answer === undefined || "failed" in answer) throw new Error(answer?.failed ?? "there is no answer");
    checkAnswer(clientCase, answer, clientCase.unread?.[client] === undefined);
    const head = recorder.head(clientCase.id) ?? "";
    if (clientCase.wire)
      expect(clientCase.wire.test(head), `on the wire: ${head}`).toBe(clientCase.otherwise?.[client] === undefined);
  });

  const never = requests.flatMap(({ id, never }) => (never?.[client] ? [[id, never[client]] as const] : []));
  it.each(never)("%s is not sent: %s", (id) => {
    expect(sent.has(id)).toBe(false);
  });

  it("keeps its connection where it can", () => {
    const count = recorder.connections();
    if (oneEach[client]) expect(count, oneEach[client]).toBe(sent.size);
    else expect(count).toBeLessThan(sent.size);
  });

  it("asks to upgrade to h2c where it does by itself", () => {
    expect(/\r\nupgrade: h2c\r\n/i.test(recorder.head("query") ?? "")).toBe(client === "java" || client === "curl");
  });
});

/** Clients that open a connection for each request, and why. */
const oneEach: Readonly<Partial<Record<Client, string>>> = {
  urllib: "urllib sends Connection: close",
  wget: "a process for each request, since its options are the same for all of its URLs",
};

const checkAnswer = (
  { answer: wanted, method, target }: ClientCase,
  { status, headers, body }: ClientResponse,
  bodyIsRead: boolean,
): void => {
  expect(status, body).toBe(wanted.status);
  for (const [name, value] of Object.entries(wanted.gets ?? {})) expect(headers.get(name) ?? null, name).toBe(value);
  if (!bodyIsRead || (wanted.code === undefined && wanted.sees === undefined)) expect(body).toBe("");
  else if (wanted.code !== undefined) expect(JSON.parse(body).code).toBe(wanted.code);
  if (wanted.sees === undefined) return;
  const seen = JSON.parse(body);
  expect([seen.method, seen.url, seen.body]).toEqual([method, `/shop${target}`, wanted.sees.body]);
  for (const [name, value] of Object.entries(wanted.sees.headers ?? {}))
    expect(seen.headers[name] ?? null, name).toBe(value);
};
