/** Streams of a rolled-back version drain in time, even if the gate has no other request. */
import { describe, expect, it } from "vitest";
import { type FeedSource, live } from "../../../functions/gateway/live.ts";
import type { FeedMessage, OverlayEntry } from "../../../functions/gateway/overlay/overlay.ts";
import { caller, fakeDeps, planAndParts } from "../gate-harness.ts";

/** A gate of version `v1` with a fake feed, and one event stream through it. */
const open = async (random = 0.5, age = "1h", entries: readonly OverlayEntry[] = []) => {
  const ended: string[] = [];
  const it = fakeDeps({ random: () => random, recordStreamEnd: (...end) => void ended.push(end.join(" ")) });
  const feed = { entries: { revision: 0, entries } as FeedMessage, requests: 0, gone: false };
  const source: FeedSource = {
    read: async () => {
      feed.requests++;
      if (feed.gone) throw new Error("gone");
      return feed.entries;
    },
    copy: async () => null,
    defer: () => {},
  };
  const service = { send: (_: string) => {} };
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      service.send = (text) => controller.enqueue(new TextEncoder().encode(text));
    },
  });
  const { plan, parts } = planAndParts(
    {},
    {
      limits: { "stream-age": age },
      upstream: () => async () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
    },
  );
  const response = await live(plan, parts, it, source)(new Request("https://gate.example/"), caller);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const drain = (versions: readonly string[], inMs: number) => {
    const ends = it.now() + inMs;
    const entry: OverlayEntry = {
      kind: "drain",
      versions,
      ends,
      id: "d",
      until: ends + 1e6,
      by: "control",
      reason: "",
    };
    feed.entries = { revision: 1, entries: [...feed.entries.entries, entry] };
  };
  const text = async () => {
    const { done, value } = await reader.read();
    return done ? "(end)" : new TextDecoder().decode(value);
  };
  return { service, ended, feed, drain, pass: it.advance, now: it.now, text };
};

describe("a stream of a rolled-back version", () => {
  it("polls the feed, and ends between two events at a random time", async () => {
    const { service, ended, drain, pass, text } = await open();
    service.send("data: 1\n\n");
    expect(await text()).toBe("data: 1\n\n");
    const next = text();
    drain(["v0", "v1"], 30_000);
    // With this random number it polls every 7.5 seconds, and then waits for half of the remaining time.
    await pass(7500);
    await pass(11_249);
    expect(ended).toEqual([]);
    await pass(1);
    expect([await next, ended]).toEqual(["(end)", ["all drained events"]]);
  });

  it("ends at once when it learns late", async () => {
    const { ended, drain, pass, text } = await open(0.5, "24h");
    drain(["v1"], 30_000);
    const next = text();
    // A stream with this maximum age polls every two minutes.
    await pass(100_000);
    expect(ended).toEqual([]);
    await pass(29_600);
    await pass(0);
    expect([await next, ended]).toEqual(["(end)", ["all drained events"]]);
  });

  it("continues while the feed is down, and drains when it is back", async () => {
    const { ended, feed, drain, pass, text } = await open();
    feed.gone = true;
    drain(["v1"], 3_600_000);
    const next = text();
    await pass(7500);
    await pass(7500);
    expect(ended).toEqual([]);
    feed.gone = false;
    drain(["v1"], 0);
    await pass(7500);
    await pass(0);
    expect([await next, ended]).toEqual(["(end)", ["all drained events"]]);
  });
});

it("a stream of another version continues, with few polls", async () => {
  const { ended, feed, drain, pass } = await open();
  drain(["v2"], 0);
  for (let passed = 0; passed < 600_000; passed += 7500) await pass(7500);
  expect(ended).toEqual([]);
  expect(feed.requests).toBe(1 + 600_000 / 7500);
});

it("a stream of a version that was released again continues until the next rollback", async () => {
  const old: OverlayEntry = {
    kind: "drain",
    versions: ["v1"],
    ends: 0,
    id: "o",
    until: 1e15,
    by: "control",
    reason: "",
  };
  const { ended, drain, pass, text } = await open(0.5, "1h", [old]);
  const next = text();
  for (let passed = 0; passed < 60_000; passed += 7500) await pass(7500);
  expect(ended).toEqual([]);
  drain(["v1"], 30_000);
  await pass(7500);
  await pass(11_249);
  expect(ended).toEqual([]);
  await pass(1);
  expect([await next, ended]).toEqual(["(end)", ["all drained events"]]);
});
