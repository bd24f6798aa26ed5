/** WebSockets and event streams through front and gate, and how they end. */
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { full } from "../full.ts";
import { until } from "../until.ts";
import { manifest, sharedProject } from "./project.ts";

const tier = (name: string, url: string, limits: string) => ({
  [`routes/${name}.yaml`]: manifest(
    name,
    `${limits}upstreams: { feed: { http: "${url}" } }
routes:
  socket: { match: GET /socket, upgrade: websocket, to: feed }
  plain: { match: GET /plain, to: feed }
  events: { match: GET /events, to: feed }
`,
  ),
});

const withService = sharedProject((url) => ({
  ...tier("live", url, ""),
  ...tier("brief", url, "limits: { stream-age: 500ms }\n"),
  ...tier("long", url, "limits: { stream-age: 10m }\n"),
  ...tier("watched", url, "limits: { response-idle: 1s }\n"),
  ...tier("aging", url, "limits: { websocket-age: 800ms }\n"),
  ...tier("copied", url, "limits: { websocket-age: 10m }\n"),
}));

/** The service's WebSockets, in place of those of an earlier test. */
const webSocketsAt = (server: Server) =>
  new WebSocketServer({ server: server.removeAllListeners("upgrade"), handleProtocols: () => "chat" });

it("a WebSocket passes both ways, binary too, and closes on both sides", async () => {
  const { url, service: feed } = withService();
  let closed: number | undefined;
  const seen: Record<string, unknown> = {};
  webSocketsAt(feed.server).on("connection", (socket, request) => {
    Object.assign(seen, request.headers);
    socket.on("message", (message, binary) => socket.send(message, { binary }));
    socket.on("close", (code) => {
      closed = code;
    });
  });
  const socket = new WebSocket(`${url.replace("http", "ws")}/live/socket`, {
    headers: { "x-postern-caller": "forged" },
  });
  await new Promise((opened, failed) => socket.once("open", opened).once("error", failed));
  const echo = (message: string | Buffer) =>
    new Promise<Buffer>((received) => {
      socket.once("message", (data) => received(data as Buffer));
      socket.send(message);
    });
  expect(String(await echo("hello"))).toBe("hello");
  expect(await echo(Buffer.from([0, 1, 255]))).toEqual(Buffer.from([0, 1, 255]));
  expect((await echo("x".repeat(100_000))).length).toBe(100_000);
  expect(seen["x-postern-caller"]).toBeUndefined();
  expect(seen["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  socket.close(4001);
  await until(() => closed === 4001, "the service sees the close code");
});

/** A client of a WebSocket that echoes, with what both sides see. */
const socketOf = async (tier: string) => {
  const { url, service } = withService();
  const seen = { client: [] as string[], service: [] as string[] };
  const sides: { service?: WebSocket } = {};
  webSocketsAt(service.server).on("connection", (socket) => {
    sides.service = socket;
    socket.on("message", (message, binary) => socket.send(message, { binary }));
    socket.on("ping", (data) => seen.service.push(`ping ${data}`));
    socket.on("close", (code, reason) => seen.service.push(`close ${code} ${reason}`));
  });
  const client = new WebSocket(`${url.replace("http", "ws")}/${tier}/socket`, ["chat"]);
  client.on("message", (data, isBinary) => seen.client.push(isBinary ? `bytes ${[...(data as Buffer)]}` : `${data}`));
  client.on("pong", (data) => seen.client.push(`pong ${data}`));
  client.on("close", (code, reason) => seen.client.push(`close ${code} ${reason}`));
  await new Promise((opened, failed) => client.once("open", opened).once("error", failed));
  client.on("error", () => {});
  return { client, service: sides.service as WebSocket, seen };
};

it("a WebSocket is closed with 1012 at the tier's websocket-age, for the service too", async () => {
  const started = performance.now();
  const { client, seen } = await socketOf("aging");
  client.send("hello");
  await until(() => seen.client.includes("close 1012 service restart"), "the client sees the close");
  await until(() => seen.service.includes("close 1012 service restart"), "the service sees the close");
  expect(seen.client[0]).toBe("hello");
  expect(performance.now() - started).toBeGreaterThan(700);
});

it("a WebSocket that the gate copies is one: texts, bytes, large messages, subprotocol, pings, closes", async () => {
  const one = await socketOf("copied");
  one.client.send("hello");
  one.client.send(Buffer.from([0, 1, 255]));
  one.client.ping("p");
  await until(() => one.seen.client.length === 3, "the client has all three");
  // The runtime answers a ping, which thus may come ahead.
  expect(one.seen.client.toSorted()).toEqual(["bytes 0,1,255", "hello", "pong p"]);
  one.client.send("x".repeat(3_000_000));
  await until(() => one.seen.client.at(-1)?.length === 3_000_000, "the client has the large one");
  expect(one.client.protocol).toBe("chat");
  one.service.close(4002, "later");
  await until(() => one.seen.client.at(-1) === "close 4002 later", "the client sees the close");
});

it.each([
  [
    "the client breaks off",
    (it: Sides) => it.client.terminate(),
    "service",
    "close 1001 the client closed the connection",
  ],
  [
    "the service breaks off",
    (it: Sides) => it.service.terminate(),
    "client",
    "close 1011 the service closed the connection",
  ],
  ["the client closes without a code", (it: Sides) => it.client.close(), "service", "close 1005 "],
] as const)("a WebSocket that the gate copies ends on both sides when %s", async (_, end, who, last) => {
  const it = await socketOf("copied");
  end(it);
  await until(() => it.seen[who].at(-1) === last, `the ${who} sees it`);
});

/** A masked close frame, as no library sends it. */
const closeFrame = (code: number, reason: Buffer) =>
  Buffer.concat([Buffer.of(0x88, 0x80 | (reason.length + 2), 0, 0, 0, 0, code >> 8, code & 255), reason]);

it.each([
  ["a code that nobody may send", 1015, Buffer.alloc(0)],
  ["a reserved code", 1004, Buffer.alloc(0)],
  ["a code below all", 7, Buffer.alloc(0)],
  ["a code above all", 65_535, Buffer.alloc(0)],
  ["a reason that is no text", 1000, Buffer.alloc(123, 0xff)],
  ["a long reason", 1000, Buffer.alloc(123, 0x61)],
])("a WebSocket that the gate copies ends for the service when the client closes with %s", async (_, code, reason) => {
  const { client, seen } = await socketOf("copied");
  (client as unknown as { _socket: Socket })._socket.write(closeFrame(code, reason));
  await until(() => seen.service.length > 0, "the service sees the close");
  console.error(seen.service);
  expect(seen.service.at(-1)).toMatch(/^close 10/);
});

it.runIf(full)("a message that is too large for the runtime ends a WebSocket on both sides", async () => {
  const { client, seen } = await socketOf("copied");
  client.send("x".repeat(33 * 2 ** 20));
  await until(() => seen.service.at(-1) === "close 1001 the client closed the connection", "the service sees it");
});

it.runIf(full)(
  "a client that does not read makes the gate hold no more than websocket-bytes, and can come back",
  async () => {
    const { client, service, seen } = await socketOf("copied");
    client.pause();
    for (let sent = 0; sent < 40; sent++) service.send(Buffer.alloc(2 ** 20));
    await until(() => seen.service.includes("close 1012 service restart"), "the service sees the close");
    client.resume();
    await until(() => seen.client.at(-1) === "close 1012 service restart", "the client sees the close");
    // All of the 16 MiB, and nothing behind them.
    expect(seen.client).toHaveLength(17);
  },
);

type Sides = Awaited<ReturnType<typeof socketOf>>;

it("a route that does not say so becomes no WebSocket", async () => {
  const { url } = withService((_, response) => response.end("never"));
  const socket = new WebSocket(`${url.replace("http", "ws")}/live/plain`);
  const status = await new Promise((answered) => {
    socket.on("unexpected-response", (_, response) => answered(response.statusCode));
    socket.on("error", () => {});
  });
  expect(status).toBe(400);
});

it("Server-Sent Events come one by one, while the stream is open", async () => {
  let send = (_: string) => {};
  const { url } = withService((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    send = (text) => response.write(`data: ${text}\n\n`);
    send("first");
  });
  const response = await fetch(`${url}/live/events`, { headers: { accept: "text/event-stream" } });
  const reader = (response.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream() as never)
    .getReader();
  const next = async () => String((await reader.read()).value);
  expect(await next()).toBe("data: first\n\n");
  send("second");
  expect(await next()).toBe("data: second\n\n");
  await reader.cancel();
});

it("events end at the tier's stream-age, between two of them, for the service too", async () => {
  let ended = false;
  const { url } = withService((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: first\n\n");
    response.on("close", () => {
      ended = true;
    });
  });
  const response = await fetch(`${url}/brief/events`);
  const reader = response.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("data: first\n\n");
  expect(await reader?.read()).toEqual({ done: true, value: undefined });
  await until(() => ended, "the service sees the end");
});

it("a client that leaves between two events ends the stream for the service, where the gate copies it", async () => {
  let left = false;
  const { url } = withService((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: first\n\n");
    response.on("close", () => {
      left = true;
    });
  });
  const client = new AbortController();
  const response = await fetch(`${url}/long/events`, { signal: client.signal });
  await response.body?.getReader().read();
  client.abort();
  await until(() => left, "the service sees the end");
});

describe("a body of a service that the gate watches", () => {
  const codesOf = (lines: readonly string[]) =>
    lines.flatMap((line) => (/"code":"(response-\w+)"/.exec(line) ?? []).slice(1));
  const half = (response: ServerResponse, headers: Record<string, string> = {}) => {
    response.writeHead(200, headers);
    response.write("half");
  };

  it.each([
    ["is shorter than its length", { "content-length": "8" }, (it: ServerResponse) => it.socket?.end(), "response-cut"],
    ["is reset", {}, (it: ServerResponse) => it.socket?.resetAndDestroy(), "response-cut"],
    ["stalls", {}, () => {}, "response-stalled"],
    ["stalls before its announced end", { "content-length": "8" }, () => {}, "response-stalled"],
  ] as const)("counts once against it, and is cut for the client, if it %s", async (_, headers, end, code) => {
    const { url, lines } = withService((_, response) => {
      half(response, headers);
      setTimeout(() => end(response), 100);
    });
    const response = await fetch(`${url}/watched/plain`);
    expect(response.headers.get("content-length")).toBe("content-length" in headers ? "8" : null);
    await expect(response.text()).rejects.toThrow();
    await until(() => codesOf(lines).length > 0, "the gate's line");
    expect(codesOf(lines)).toEqual([code]);
  });

  it.each([
    ["its length twice", "content-length: 4\r\ncontent-length: 4\r\n\r\nabcd", "4"],
    ["its length as a list", "content-length: 4, 4\r\n\r\nabcd", "4"],
    ["its length with zeros", "content-length: 0004\r\n\r\nabcd", "4"],
    ["a length and chunks", "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n", null],
  ])("is the same as of a service that is not watched, if it has %s", async (_, text, length) => {
    const answers = [];
    for (const tier of ["live", "watched"]) {
      const { url, lines } = withService((_, response) => void response.socket?.end(`HTTP/1.1 200 OK\r\n${text}`));
      const response = await fetch(`${url}/${tier}/plain`);
      answers.push([response.status, response.headers.get("content-length"), await response.text(), codesOf(lines)]);
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[1]?.slice(0, 2)).toEqual([200, length]);
  });

  it("with a length beyond all numbers is passed on without one, and cut where it ends", async () => {
    const text = "HTTP/1.1 200 OK\r\ncontent-length: 9007199254740993\r\n\r\nabcd";
    const { url, lines } = withService((_, response) => void response.socket?.end(text));
    const response = await fetch(`${url}/watched/plain`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    await until(() => codesOf(lines).length > 0, "the gate's line");
  });

  it("counts as nothing if the client leaves, and the service sees the end", async () => {
    let left = false;
    const { url, lines } = withService((_, response) => {
      half(response);
      response.on("close", () => {
        left = true;
      });
    });
    const client = new AbortController();
    const response = await fetch(`${url}/watched/plain`, { signal: client.signal });
    await response.body?.getReader().read();
    client.abort();
    await until(() => left, "the service sees the end");
    expect(codesOf(lines)).toEqual([]);
  });

  it.runIf(full).each([
    ["are aborted", (it: AbortController) => it.abort()],
    ["do not read, and then are aborted", (it: AbortController) => void setTimeout(() => it.abort(), 200)],
  ])("counts as nothing for many clients that %s while the service sends and breaks off", async (_, leave) => {
    let open = 0;
    const { url, lines } = withService((_, response) => {
      open++;
      half(response);
      const timer = setInterval(() => response.write("x".repeat(50_000)), 5);
      response.on("close", () => {
        clearInterval(timer);
        open--;
      });
      // Some break off shortly after their client has left.
      setTimeout(() => response.destroy(), 700);
    });
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = new AbortController();
        const response = await fetch(`${url}/watched/plain`, { signal: client.signal });
        await response.body?.getReader().read();
        leave(client);
      }),
    );
    await until(() => open === 0, "the service sees the ends");
    expect(codesOf(lines)).toEqual([]);
  });

  it.runIf(full)("comes whole, with its length, and compressed ones as they are", async () => {
    const large = Buffer.alloc(3_000_000, "x");
    const { url } = withService((request, response) => {
      const isCompressed = request.url?.endsWith("?z") === true;
      response.writeHead(200, isCompressed ? { "content-encoding": "gzip" } : { "content-length": `${large.length}` });
      response.end(isCompressed ? gzipSync(large) : large);
    });
    const whole = await fetch(`${url}/watched/plain`);
    expect([whole.headers.get("content-length"), (await whole.arrayBuffer()).byteLength]).toEqual([
      "3000000",
      3_000_000,
    ]);
    expect((await (await fetch(`${url}/watched/plain?z`)).arrayBuffer()).byteLength).toBe(3_000_000);
  });
});

it("a body of another kind is seen as cut at the tier's stream-age", async () => {
  const { url } = withService((_, response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.write("{}\n");
  });
  const response = await fetch(`${url}/brief/events`);
  const reader = response.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("{}\n");
  await expect(reader?.read()).rejects.toThrow();
});
