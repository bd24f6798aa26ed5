/** Slow uploads of one client, while another one is served. */
import net from "node:net";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { until } from "../until.ts";
import {
  logRecords,
  manifest,
  type RunningProject,
  type Service,
  startProject,
  startService,
  stopService,
} from "./project.ts";

const tier = (name: string, limits: string, url: string) => ({
  [`routes/${name}.yaml`]: manifest(
    name,
    `limits: { ${limits} }
upstreams: { it: { http: "${url}" } }
routes:
  checked: { match: POST /checked, to: it, filters: [body-limit: 1MiB, validate: { body: { type: object } }] }
  all: { match: "ANY /{rest*}", to: it }
`,
  ),
});

let running: RunningProject;
let service: Service;
beforeAll(async () => {
  service = await startService(async (request, response) => {
    let length = 0;
    try {
      for await (const part of request) length += (part as Buffer).byteLength;
    } catch {
      return;
    }
    response.end(`took ${length}`);
  });
  running = await startProject({
    ...tier("up", "concurrency: 8, body-idle: 2s", service.url),
    ...tier("long", "concurrency: 8, body-idle: 5m", service.url),
    ...tier("late", "concurrency: 2, concurrency-from: body, client-share: 100%, body-idle: 5m", service.url),
  });
});
afterAll(async () => {
  await running.stop();
  stopService(service);
});

interface Upload {
  received: string;
  readonly socket: net.Socket;
}

/** Sends a head and some of its body from one of this machine's addresses, and nothing more. */
const upload = (address: string, head: readonly string[], body: string): Upload => {
  const socket = net.connect({ port: running.port, host: "127.0.0.1", localAddress: address });
  const it: Upload = { received: "", socket };
  socket.on("data", (part) => {
    it.received += part.toString("latin1");
  });
  socket.on("error", () => {});
  socket.write([...head, "Host: localhost", "", body].join("\r\n"));
  onTestFinished(() => void socket.destroy());
  return it;
};

const ask = async (address: string, path: string): Promise<number> => {
  const it = upload(address, [`GET ${path} HTTP/1.1`, "Connection: close"], "");
  await until(() => it.received.includes("\r\n\r\n"), `${path} is answered`);
  return statusOf(it) as number;
};

const statusOf = ({ received }: Upload): number | undefined =>
  received === "" ? undefined : Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1]);

const ways: readonly (readonly [string, readonly string[], string])[] = [
  ["of a small length", ["POST /up/a HTTP/1.1", "Content-Length: 10"], "abc"],
  ["of a large length", ["PUT /up/a HTTP/1.1", "Content-Length: 1000000"], "abc"],
  ["in chunks", ["POST /up/a HTTP/1.1", "Transfer-Encoding: chunked"], "3\r\nabc\r\n"],
  ["of a GET", ["GET /up/a HTTP/1.1", "Content-Length: 10"], "abc"],
  ["that a filter reads", ["POST /up/checked HTTP/1.1", "Content-Type: application/json", "Content-Length: 10"], "{"],
];

it.each(ways)(
  "a stalled body %s is cut off as the client's, and others are served meanwhile",
  async (_, head, body) => {
    running.lines.length = 0;
    const slow = Array.from({ length: 12 }, () => upload("127.0.0.1", head, body));
    // A quarter of eight is two; the others are refused at once.
    await until(() => slow.filter((it) => statusOf(it) === 429).length === 10, "ten of twelve are refused");
    expect(await ask("127.0.0.1", "/up/x")).toBe(429);
    while (slow.some((it) => statusOf(it) === undefined)) expect(await ask("127.0.0.2", "/up/x")).toBe(200);
    expect(slow.map(statusOf).toSorted()).toEqual([408, 408, ...Array(10).fill(429)]);
    // What they held is given back.
    expect(await ask("127.0.0.1", "/up/x")).toBe(200);
    expect(logRecords(running).filter(({ type, verdict }) => type === "fault" || verdict === "failed")).toEqual([]);
  },
);

it("a body that keeps coming, however slowly, is whole", async () => {
  const both = ["PUT", "GET"].map((method) =>
    upload("127.0.0.1", [`${method} /up/a HTTP/1.1`, "Content-Length: 24000"], ""),
  );
  // A slow client: in all it takes longer than `body-idle`, and no part does.
  for (let sent = 0; sent < 6; sent++) {
    for (const { socket } of both) socket.write("x".repeat(4000));
    await new Promise((wake) => setTimeout(wake, 400));
  }
  await until(() => both.every(({ received }) => received.includes("took 24000")), "the service has all of it");
});

it("a client that breaks off gives its places back", async () => {
  for (let round = 0; round < 3; round++) {
    const held = [1, 2].map(() => upload("127.0.0.1", ["POST /long/a HTTP/1.1", "Content-Length: 9"], "a"));
    let status = 200;
    for (let tries = 0; tries < 400 && status === 200; tries++) status = await ask("127.0.0.1", "/long/x");
    expect(status).toBe(429);
    for (const { socket } of held) socket.resetAndDestroy();
    for (let tries = 0; tries < 400 && status === 429; tries++) status = await ask("127.0.0.1", "/long/x");
    expect(status).toBe(200);
  }
});

it("a tier that counts from the end of bodies is open to others while every upload waits", async () => {
  const first = [1, 2].map(() => upload("127.0.0.1", ["POST /late/a HTTP/1.1", "Content-Length: 9"], "a"));
  const third = () => upload("127.0.0.1", ["POST /late/a HTTP/1.1", "Content-Length: 9"], "123456789");
  let full: Upload | undefined;
  // As many uploads as places may be under way.
  await until(() => {
    full ??= third();
    if (statusOf(full) === 200) full = undefined;
    return full !== undefined && statusOf(full) === 503;
  }, "a third upload is refused");
  expect(await ask("127.0.0.1", "/late/x")).toBe(200);
  for (const { socket } of first) socket.write("12345678");
  await until(() => first.every((it) => statusOf(it) === 200), "the uploads are served");
});
