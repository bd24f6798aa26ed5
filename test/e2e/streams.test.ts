/** WebSockets and event streams through front and gate, and how they end. */
import { expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
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
}));

it("a WebSocket passes both ways, binary too, and closes on both sides", async () => {
  const { url, service: feed } = withService();
  let closed: number | undefined;
  const seen: Record<string, unknown> = {};
  new WebSocketServer({ server: feed.server }).on("connection", (socket, request) => {
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
