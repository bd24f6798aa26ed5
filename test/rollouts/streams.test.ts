/**
 * Open streams and WebSockets of a rolled-back version reconnect to the stable one, at random times; event streams lose no
 * event, and WebSockets are closed with 1012.
 */
import { expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { FeedMessage } from "../../functions/gateway/overlay/overlay.ts";
import { manifest, runService } from "../e2e/project.ts";
import { type RolloutCloud, rolloutCloud } from "./rollout-cloud.ts";

const users = 24;

const tier = (url: string, release: string) =>
  manifest(
    "a",
    `limits: { stream-age: 10m, websocket-age: 10m }
filters: [{ headers: { response: { set: { x-release: ${release} } } } }]
upstreams: { it: { http: "${url}" } }
release: { steps: ["50%", "100%"], bake: 1h, drain: 6s }
routes:
  events: { match: GET /events, to: it }
  socket: { match: GET /socket, to: it, upgrade: websocket }
`,
  );

/** Sends five numbered events a second, and resumes where a client stopped. */
const ticker = () =>
  runService((request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    let id = Number(request.headers["last-event-id"] ?? 0);
    const timer = setInterval(() => response.write(`id: ${++id}\ndata: ${id}\n\n`), 200);
    response.on("close", () => clearInterval(timer));
  });

/** A client that connects again when its WebSocket is closed with 1012. */
const socketClient = ({ cloud }: RolloutCloud, user: number) => {
  const releases: string[] = [];
  const ends: { readonly at: number; readonly code: number }[] = [];
  let socket: WebSocket;
  const connect = () => {
    socket = new WebSocket(`${cloud.edge.replace("http", "ws")}/a/socket`, { headers: { "x-device-id": `d${user}` } });
    socket.on("upgrade", ({ headers }) => releases.push(String(headers["x-release"])));
    socket.on("close", (code) => {
      ends.push({ at: Date.now(), code });
      if (code === 1012) connect();
    });
    socket.on("error", () => {});
  };
  connect();
  return { releases, ends, leave: () => socket.close() };
};

/** A client that reconnects when its stream ends, as an EventSource does. */
const client = ({ cloud }: RolloutCloud, user: number) => {
  const releases: string[] = [];
  const events: number[] = [];
  const ends: number[] = [];
  const leave = new AbortController();
  const run = async () => {
    while (!leave.signal.aborted) {
      const headers = { "x-device-id": `d${user}`, ...(events.length > 0 && { "last-event-id": `${events.at(-1)}` }) };
      const response = await fetch(`${cloud.edge}/a/events`, { headers, signal: leave.signal });
      releases.push(response.headers.get("x-release") ?? "none");
      let text = "";
      for await (const part of response.body ?? []) {
        text += Buffer.from(part).toString();
        const whole = text.split("\n\n");
        text = whole.pop() ?? "";
        for (const event of whole) events.push(Number(/^data: (\d+)$/m.exec(event)?.[1]));
      }
      // The end lies between two events.
      expect(text).toBe("");
      ends.push(Date.now());
    }
  };
  const done = run().catch((error) => {
    if (!leave.signal.aborted) throw error;
  });
  return {
    releases,
    events,
    ends,
    leave: () => {
      leave.abort();
      return done;
    },
  };
};

it("end within the drain time, and those of the stable version continue", async () => {
  const { url, server } = await ticker();
  new WebSocketServer({ server });
  const it = await rolloutCloud({ "routes/a.yaml": tier(url, "one") });
  it.edit("routes/a.yaml", tier(url, "two"));
  await it.deploy(["a"], "0");
  await it.start("a", { release: { steps: ["50%", "100%"], bake: "1h", drain: "6s" } });
  await vi.waitFor(async () => expect((await it.status("a")).why).toMatch(/^50 %/), { timeout: 15_000, interval: 200 });

  const clients = Array.from({ length: users }, (_, user) => client(it, user));
  const sockets = Array.from({ length: users }, (_, user) => socketClient(it, user));
  await vi.waitFor(() => expect(clients.every(({ events }) => events.length > 2)).toBe(true), { timeout: 10_000 });
  await vi.waitFor(() => expect(sockets.every(({ releases }) => releases.length > 0)).toBe(true), { timeout: 10_000 });
  const [movedSockets, otherSockets] = [sockets.filter(startedOn("two")), sockets.filter(startedOn("one"))];
  const [moved, others] = [clients.filter(startedOn("two")), clients.filter(startedOn("one"))];
  expect([moved.length > 4, others.length > 4]).toEqual([true, true]);

  const abort = { reason: "a test" };
  await it.client.call("POST", "/v1/tiers/a/rollout/abort", abort);
  const { subjects } = await it.settled("a", 10_000);
  const backAt = Date.now();
  const entries = async () => (await it.client.call<FeedMessage>("GET", "/v1/tiers/a/overlay")).entries;
  // Bodies are no longer measured, and the streams of the bad version end.
  await vi.waitFor(
    async () =>
      expect(await entries()).toMatchObject([{ kind: "drain", versions: [subjects[0]?.canary], by: "control" }]),
    { timeout: 5000 },
  );
  // A stream polls every five to ten seconds, and then has six seconds to end.
  await vi.waitFor(() => expect(moved.every(({ ends }) => ends.length > 0)).toBe(true), { timeout: 20_000 });
  const moments = moved.map(({ ends }) => (ends[0] ?? 0) - backAt);
  console.log(
    `${moved.length} of ${users} streams were drained, ${Math.min(...moments)} to ${Math.max(...moments)} ms after`,
  );
  await vi.waitFor(() => expect(moved.every(({ releases }) => releases.at(-1) === "one")).toBe(true), {
    timeout: 5000,
  });
  await vi.waitFor(
    () => expect(movedSockets.map(({ releases }) => releases)).toEqual(movedSockets.map(() => ["two", "one"])),
    { timeout: 20_000 },
  );
  const closes = movedSockets.flatMap(({ ends }) => ends);
  expect(closes.map(({ code }) => code)).toEqual(movedSockets.map(() => 1012));
  // Not all at once, and none after the last poll and the drain.
  const closedAt = closes.map(({ at }) => at - backAt);
  expect(Math.max(...closedAt) - Math.min(...closedAt)).toBeGreaterThan(500);
  expect(Math.max(...closedAt)).toBeLessThan(17_000);
  expect(otherSockets.flatMap(({ ends }) => ends)).toEqual([]);
  for (const { leave } of sockets) leave();

  await Promise.all(clients.map(({ leave }) => leave()));
  for (const { releases, ends } of others) expect([releases, ends]).toEqual([["one"], []]);
  // No event is missing or duplicate.
  for (const { events } of clients) expect(events).toEqual(events.map((_, index) => index + 1));
  const counted = async () => [await drainedAt(it, "events"), await drainedAt(it, "websocket")];
  await vi.waitFor(async () => expect(await counted()).toEqual([moved.length, movedSockets.length]), {
    timeout: 15_000,
    interval: 500,
  });
});

const startedOn =
  (release: string) =>
  ({ releases }: { readonly releases: readonly string[] }): boolean =>
    releases[0] === release;

/** As control's own metrics say. */
const drainedAt = async (it: RolloutCloud, kind: string): Promise<number> => {
  const text = await it.client.call<string>("GET", "/metrics").catch(() => "");
  const lines = String(text)
    .split("\n")
    .filter((line) => /^postern_streams_ended_total\{.*how="drained"/.test(line) && line.includes(`kind="${kind}"`));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
};
