/** Each attack over a raw socket, through the edge, the front and a gate: it causes no 5xx and blames no service. */
import net from "node:net";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { disconnectEarly, disconnects } from "../../e2e/disconnect.ts";
import { findAccessLine, logRecords, type RunningProject, startProject } from "../../e2e/project.ts";
import { until } from "../../until.ts";
import { plainReply, request, signingKey } from "../messages/messages.ts";
import { converse, type Message, messagesIn, type RawService, rawService, valuesOf } from "../messages/wire.ts";
import { table } from "../row.ts";
import { rows } from "./rows.ts";

const files = (url: string) => ({
  "routes/environments/local.yaml": `values: {}\ndev: { secrets: { SIGNING_KEY: ${signingKey} } }\n`,
  "routes/a.yaml": `api: postern/v1
tier: a
hosts: [localhost]
base: /a
limits: { body: 64KiB }
upstreams:
  it: { http: "${url}" }
  peer: { worker: peer }
filters:
  - cors: { origins: ["https://app.example"], credentials: true }
routes:
  worker: { match: ANY /worker, to: peer }
  workerws: { match: GET /workerws, upgrade: websocket, to: peer }
  ws: { match: GET /ws, upgrade: websocket, to: it }
  refs:
    match: GET /refs
    path: "/to/{query.x}"
    filters:
      - headers: { request: { set: { x-q: "{query.x}", x-h: "{header.x-id}", x-c: "{cookie.a}", x-ip: "{client.ip}" } } }
    to: it
  when: { match: GET /when, when: { query: { q: present }, cookie: { a: absent } }, to: it }
  checked:
    match: GET,POST /checked
    filters: [body-limit: 32KiB, validate: { query: { type: object, properties: { n: { type: integer } } }, body: { type: object } }]
    to: it
  signed: { match: POST /signed, filters: [body-limit: 1KiB, signature: { keys: { k: { secret: SIGNING_KEY, consumer: shop } } }], to: it }
  copied: { match: ANY /copied, filters: [mirror: { to: "${url}" }], to: it }
  moved: { match: GET /moved, redirect: "/elsewhere/{query.x}" }
  local: { match: ANY /local, respond: { status: 200, text: here } }
  all: { match: "ANY /{rest*}", to: it }
`,
});

let project: RunningProject;
let service: RawService;
beforeAll(async () => {
  service = await rawService();
  service.replies(plainReply);
  const peer = path.join(import.meta.dirname, "../messages/peer.ts");
  project = await startProject(files(service.url), {
    secrets: { SIGNING_KEY: signingKey },
    others: { peer },
  });
});
afterAll(async () => {
  service.stop();
  await project.stop();
});

/** Sends it, and reads until there is a final answer or the connection ends; one of the two there has to be. */
const answerTo = async (bytes: string): Promise<Message | undefined> => {
  const final = (received: string, ended = false) =>
    messagesIn(received, { ended, bodiless: bytes.startsWith("HEAD") }).find(
      ({ line }) => !/^HTTP\/1\.1 1(?!01)/.test(line),
    );
  const { received, ended } = await converse(project.port, bytes, (it) => final(it) !== undefined);
  const answer = final(received, ended);
  if (!answer && !ended) throw new Error(`neither an answer nor an end, but ${JSON.stringify(received.slice(0, 200))}`);
  return answer;
};

/** Lines by which somebody else than the client is to blame. */
const blames = (lines = logRecords(project)) =>
  lines.filter(({ type, verdict }) => type === "fault" || verdict === "failed");

/** No 5xx comes of any, and nobody but the client is to blame. */
table(rows, async ({ send }) => {
  project.lines.length = 0;
  const answer = await answerTo(send);
  if (answer) expect(answer.line).toMatch(/^HTTP\/1\.1 [1-4]\d\d/);
  // Whom the edge answers by itself leaves no line.
  const [id] = answer ? valuesOf(answer, "x-request-id") : [];
  if (id !== undefined) await findAccessLine(project, id);
  expect(blames()).toEqual([]);
});

const ofTen = "Content-Length: 10";
const broken: readonly (readonly [string, string])[] = [
  ["a small body", request("POST /a/plain", [ofTen], "abc")],
  ["a large body", request("PUT /a/plain", ["Content-Length: 60000"], "abc")],
  ["a body of a GET", request("GET /a/plain", [ofTen], "abc")],
  ["chunks", request("POST /a/plain", ["Transfer-Encoding: chunked"], "3\r\nabc\r\n")],
  ["a body for a Worker", request("POST /a/worker", [ofTen], "abc")],
  ["a body that is copied", request("POST /a/copied", [ofTen], "abc")],
  ["a body that is checked", request("POST /a/checked", ["Content-Type: application/json", ofTen], "{")],
  ["a body that is signed", request("POST /a/signed", [ofTen], "abc")],
];

it.each(broken)("a client that breaks off %s has no service blamed", async (_, bytes) => {
  for (const end of disconnects) {
    const lines = await disconnectEarly(project, { bytes }, end);
    expect(blames(lines)).toEqual([]);
    expect({ end, written: lines.some(({ type }) => type === "access") }).toEqual({ end, written: true });
  }
});

it("a client that breaks off a head begins nothing", async () => {
  const before = project.lines.length;
  const socket = net.connect(project.port, "localhost", () => socket.write("POST /a/plain HTTP/1.1\r\nHost: local"));
  socket.on("error", () => {}).resume();
  await new Promise((sent) => socket.once("ready", sent));
  socket.resetAndDestroy();
  expect((await answerTo(request("GET /a/plain", ["Connection: close"])))?.line).toBe("HTTP/1.1 200 OK");
  expect(project.lines.slice(before).filter((line) => line.includes('"method":"POST"'))).toEqual([]);
});

it("after all of them everybody is served", async () => {
  const plain = request("GET /a/plain", ["Connection: close"]);
  await until(async () => (await answerTo(plain))?.line === "HTTP/1.1 200 OK", "a plain request is served");
});
