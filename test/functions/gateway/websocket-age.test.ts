/** WebSockets are copied and closed with 1012: at their maximum age, on a rollback, and when they carried too much. */
import { describe, expect, it, vi } from "vitest";
import { type FeedSource, live } from "../../../functions/gateway/live.ts";
import type { FeedMessage } from "../../../functions/gateway/overlay/overlay.ts";
import { caller, fakeDeps, planAndParts } from "../gate-harness.ts";

/** A side of a connection, with what it has received. */
const side = (socket: WebSocket, answersClose = true) => {
  const seen: string[] = [];
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    seen.push(typeof data === "string" ? data : `bytes ${new Uint8Array(data).join()}`);
  });
  socket.addEventListener("close", ({ code, reason }) => void seen.push(`close ${code} ${reason}`));
  socket.accept({ allowHalfOpen: !answersClose });
  return { socket, seen };
};

interface OpenOptions {
  readonly random?: () => number;
  readonly age?: string;
  /** The versions that are drained. */
  readonly versions?: readonly string[];
  /** Whether the service answers a close with its own. */
  readonly answersClose?: boolean;
}

const open = async ({ random = () => 0.5, age = "100s", versions = ["v1"], answersClose = true }: OpenOptions = {}) => {
  const ended: string[] = [];
  const it = fakeDeps({ random, recordStreamEnd: (...end) => void ended.push(end.join(" ")) });
  const feed = { revision: 0, entries: [] } as FeedMessage;
  const state = { feed, service: undefined as ReturnType<typeof side> | undefined };
  const source: FeedSource = { read: async () => state.feed, copy: async () => null, defer: () => {} };
  const { plan, parts } = planAndParts(
    {},
    {
      routes: { chat: { match: "GET /chat", upgrade: "websocket" } },
      limits: { "websocket-age": age, "websocket-bytes": "1KiB" },
      upstream: () => async () => {
        const [outer, inner] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
        state.service = side(inner, answersClose);
        return new Response(null, { status: 101, webSocket: outer, headers: { "sec-websocket-protocol": "chat" } });
      },
    },
  );
  const request = new Request("https://gate.example/chat", { headers: { upgrade: "websocket" } });
  const response = await live(plan, parts, it, source)(request, caller);
  const client = side(response.webSocket as WebSocket);
  const drain = (inMs: number) => {
    const ends = it.now() + inMs;
    const entry = { kind: "drain", versions, ends, id: "d", until: ends + 1e6, by: "control", reason: "" } as const;
    state.feed = { revision: 1, entries: [entry] };
  };
  return { response, client, service: state.service as ReturnType<typeof side>, ended, pass: it.advance, drain };
};

const closed = "close 1012 service restart";

describe("a WebSocket with a maximum age", () => {
  it("carries texts and bytes both ways, and the handshake's headers", async () => {
    const { response, client, service } = await open();
    client.socket.send("hello");
    client.socket.send(new Uint8Array([0, 1, 255]));
    await vi.waitUntil(() => service.seen.length === 2);
    service.socket.send("you");
    service.socket.send(new Uint8Array([7]));
    await vi.waitUntil(() => client.seen.length === 2);
    expect([service.seen, client.seen]).toEqual([
      ["hello", "bytes 0,1,255"],
      ["you", "bytes 7"],
    ]);
    expect([response.status, response.headers.get("sec-websocket-protocol")]).toEqual([101, "chat"]);
  });

  it("is closed at its age with 1012, on both sides, and counted once", async () => {
    const { client, service, ended, pass } = await open();
    await pass(94_999);
    expect([client.seen, ended]).toEqual([[], []]);
    await pass(1);
    await vi.waitUntil(() => client.seen.length + service.seen.length === 2);
    await pass(100_000);
    expect([client.seen, service.seen, ended]).toEqual([[closed], [closed], ["chat aged websocket"]]);
  });

  it.each([
    ["client", 4001, "bye"],
    ["client", 1000, ""],
    ["client", undefined, undefined],
    ["service", 4002, "later"],
    ["service", 1001, "x".repeat(123)],
  ] as const)("passes the close of the %s on: %s %s", async (who, code, reason) => {
    const { client, service, ended, pass } = await open();
    const [from, to] = who === "client" ? [client, service] : [service, client];
    from.socket.close(code, reason);
    await vi.waitUntil(() => to.seen.length === 1);
    await pass(100_000);
    expect([to.seen, ended]).toEqual([[`close ${code ?? 1005} ${reason ?? ""}`], []]);
  });

  it("is closed when one direction has carried what it may, in bytes or characters", async () => {
    const { client, service, ended } = await open();
    client.socket.send("x".repeat(1024));
    service.socket.send(new Uint8Array(1024));
    await vi.waitUntil(() => client.seen.length + service.seen.length === 2);
    expect(ended).toEqual([]);
    service.socket.send("y");
    await vi.waitUntil(() => client.seen.length + service.seen.length === 4);
    expect([client.seen.at(-1), service.seen.at(-1), ended]).toEqual([closed, closed, ["chat full websocket"]]);
  });

  it("is closed when it has carried as many empty messages, each of which counts 64", async () => {
    const { client, service, ended } = await open();
    for (let sent = 0; sent < 16; sent++) client.socket.send("");
    await vi.waitUntil(() => service.seen.length === 16);
    expect(ended).toEqual([]);
    client.socket.send(new Uint8Array(0));
    await vi.waitUntil(() => client.seen.length === 1 && service.seen.length === 17);
    expect([client.seen.at(-1), service.seen.at(-1), ended]).toEqual([closed, closed, ["chat full websocket"]]);
  });

  it("ends for the client although the service never closes, and carries nothing after that", async () => {
    const { client, service, ended, pass } = await open({ answersClose: false });
    await pass(95_000);
    service.socket.send("late");
    await vi.waitUntil(() => client.seen.includes(closed));
    expect([client.seen, ended]).toEqual([[closed], ["chat aged websocket"]]);
  });
});

describe("a WebSocket of a rolled-back version", () => {
  it("is closed at a random time before the drain ends, although the gate has no other request", async () => {
    const { client, ended, drain, pass } = await open({ age: "1h" });
    drain(30_000);
    // With this random number it polls every 7.5 seconds, and then waits for half of the remaining time.
    await pass(7500);
    await pass(11_249);
    expect(ended).toEqual([]);
    await pass(1);
    await vi.waitUntil(() => client.seen.length === 1);
    expect([client.seen, ended]).toEqual([[closed], ["chat drained websocket"]]);
  });

  it("of another version continues", async () => {
    const { client, ended, drain, pass } = await open({ age: "1h", versions: ["v2"] });
    drain(0);
    for (let passed = 0; passed < 60_000; passed += 7500) await pass(7500);
    expect([client.seen, ended]).toEqual([[], []]);
  });
});

it("many WebSockets end at many moments of the window, and none outside of it", async () => {
  const moments = await Promise.all(
    Array.from({ length: 60 }, async (_, seed) => {
      const { ended, pass } = await open({ random: seeded(seed), age: "100s" });
      await pass(90_000);
      let at = 0;
      for (; ended.length === 0 && at < 11; at++) await pass(1000);
      return at;
    }),
  );
  // In the first second after 90 s, in the second one, and so on.
  expect([...new Set(moments)].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

/** A linear congruential generator. */
const seeded = (seed: number) => {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};
