/** Bodies that break off or stall count against the version that sent them, once, and never when the client left. */
import { describe, expect, it } from "vitest";
import { type FeedSource, live } from "../../../functions/gateway/live.ts";
import type { OverlayEntry } from "../../../functions/gateway/overlay/overlay.ts";
import { caller, fakeDeps, planAndParts } from "../gate-harness.ts";

interface OpenOptions {
  readonly limits?: Readonly<Record<string, string>>;
  /** Whether a rollout measures bodies. */
  readonly measured?: boolean;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

const open = async ({ limits = {}, measured = true, status = 200, headers = {}, method = "GET" }: OpenOptions = {}) => {
  const failures: string[] = [];
  const ended: string[] = [];
  const it = fakeDeps({
    recordBodyFailure: ({ route, outcome }, how, status) =>
      void failures.push(`${how} ${route.name} ${outcome.upstream} ${status}`),
    recordStreamEnd: (...end) => void ended.push(end.join(" ")),
  });
  const entry = { kind: "measure", id: "m", until: it.now() + 60_000, by: "control", reason: "" } as OverlayEntry;
  const source: FeedSource = {
    read: async () => ({ revision: 1, entries: measured ? [entry] : [] }),
    copy: async () => null,
    defer: () => {},
  };
  const service = { cancelled: false, send: (_: string) => {}, close: () => {}, fail: () => {} };
  const body = new ReadableStream({
    type: "bytes",
    start: (controller: ReadableByteStreamController) => {
      service.send = (text) => controller.enqueue(new TextEncoder().encode(text));
      service.close = () => {
        controller.close();
        // A read that waits for a closed byte stream ends by this (WHATWG Streams, 3.11).
        controller.byobRequest?.respond(0);
      };
      service.fail = () => controller.error(new Error("reset"));
    },
    cancel: () => {
      service.cancelled = true;
    },
  });
  const response = () => new Response(method === "HEAD" ? null : body, { status, headers });
  const { plan, parts } = planAndParts({}, { limits, upstream: () => async () => response() });
  const client = new AbortController();
  const request = new Request("https://gate.example/", { method, signal: client.signal });
  const answer = await live(plan, parts, it, source)(request, caller);
  const reader = answer.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const text = async () => {
    const { done, value } = await reader.read();
    return done ? "(end)" : new TextDecoder().decode(value);
  };
  const codes = () => it.lines.flatMap((line) => ("code" in line && "cause" in line ? [line.code] : []));
  const unread = () => it.lines.filter((line) => "how" in line && line.how === "unread").length;
  return { unread, service, failures, ended, codes, client, reader, text, pass: it.advance, answer };
};

describe("while a rollout measures, a body", () => {
  it("that breaks off counts once, with a fault line, and the client sees it as cut", async () => {
    const { service, failures, codes, text, pass } = await open();
    service.send("ab");
    expect(await text()).toBe("ab");
    const next = text();
    service.fail();
    await expect(next).rejects.toThrow();
    await pass(60_000);
    expect([failures, codes()]).toEqual([["cut all service 200"], ["response-cut"]]);
  });

  it("of known length that is short counts too", async () => {
    const { service, failures, text } = await open({ headers: { "content-length": "5" } });
    service.send("ab");
    expect(await text()).toBe("ab");
    const next = text();
    service.fail();
    await expect(next).rejects.toThrow();
    expect(failures).toEqual(["cut all service 200"]);
  });

  it("that is whole counts as nothing, and keeps its length", async () => {
    const { service, failures, text, pass, answer } = await open({ headers: { "content-length": "2" } });
    service.send("ab");
    service.close();
    expect([await text(), await text(), answer.headers.get("content-length")]).toEqual(["ab", "(end)", "2"]);
    await pass(60_000);
    expect(failures).toEqual([]);
  });

  it("that stalls counts once after 30 seconds, and continues", async () => {
    const { service, failures, text, pass } = await open();
    service.send("ab");
    expect(await text()).toBe("ab");
    const next = text();
    await pass(29_999);
    expect(failures).toEqual([]);
    await pass(1);
    expect(failures).toEqual(["stalled all service 200"]);
    service.send("cd");
    expect(await next).toBe("cd");
    const last = text();
    service.fail();
    await expect(last).rejects.toThrow();
    expect(failures).toEqual(["stalled all service 200"]);
  });

  it("that its client does not read does not stall", async () => {
    const { service, failures, pass } = await open();
    service.send("x".repeat(100_000));
    await pass(0);
    await pass(300_000);
    expect(failures).toEqual([]);
  });

  it.each([
    [4999, ["cut all service 200"]],
    [5000, []],
  ] as const)("that breaks off after its client has not read for %i ms counts as %j", async (ms, expected) => {
    const { service, failures, codes, text, pass, unread } = await open();
    service.send("ab");
    expect(await text()).toBe("ab");
    await pass(ms);
    service.fail();
    await expect(text()).rejects.toThrow();
    expect([failures, codes()]).toEqual([expected, expected.map(() => "response-cut")]);
    expect(unread()).toBe(1 - expected.length);
  });

  it("whose client leaves first counts as nothing, whatever the service does then", async () => {
    const { service, failures, client, reader, pass } = await open();
    service.send("ab");
    await reader.read();
    client.abort();
    await reader.cancel();
    await pass(60_000);
    expect([failures, service.cancelled]).toEqual([[], true]);
  });

  it.each([
    ["client first", ["client", "service"], []],
    ["service first", ["service", "client"], ["cut all service 200"]],
  ] as const)(
    "that breaks off in the moment in which the client leaves counts by who was first: %s",
    async (_, order, expected) => {
      const { service, failures, client, text, pass } = await open();
      service.send("ab");
      await text();
      const next = text();
      next.catch(() => {});
      for (const who of order) {
        if (who === "client") client.abort();
        else service.fail();
        if (who === "service") await next.catch(() => {});
      }
      await pass(0);
      expect(failures).toEqual(expected);
    },
  );

  it("of an event stream may pause", async () => {
    const { failures, pass } = await open({ headers: { "content-type": "text/event-stream" } });
    await pass(3_600_000);
    expect(failures).toEqual([]);
  });

  it("that the gate ends by age is no failure of the service", async () => {
    const { service, failures, ended, text, pass } = await open({ limits: { "stream-age": "20s" } });
    service.send("ab");
    await text();
    const next = text();
    next.catch(() => {});
    await pass(20_000);
    await expect(next).rejects.toThrow("maximum age");
    await pass(60_000);
    expect([failures, ended, service.cancelled]).toEqual([[], ["all aged body"], true]);
  });

  it.each([
    ["a compressed one", { headers: { "content-encoding": "gzip" } }],
    ["that of HEAD", { method: "HEAD", headers: { "content-length": "5" } }],
  ])("is left to the runtime: %s", async (_, options) => {
    const { answer, failures, pass } = await open(options);
    await pass(60_000);
    expect([answer.status, failures]).toEqual([200, []]);
  });
});

it("without a rollout bodies are left to the runtime", async () => {
  const { service, failures, text, pass } = await open({ measured: false });
  service.send("ab");
  expect(await text()).toBe("ab");
  const next = text();
  await pass(60_000);
  service.fail();
  await expect(next).rejects.toThrow("reset");
  expect(failures).toEqual([]);
});

describe("with limits.response-idle, a body", () => {
  const limits = { "response-idle": "5s" };

  it("that stalls is cut off, counts once, and the service sees the end", async () => {
    const { service, failures, codes, text, pass } = await open({ limits, measured: false });
    service.send("ab");
    await text();
    const next = text();
    next.catch(() => {});
    await pass(4999);
    service.send("cd");
    expect(await next).toBe("cd");
    const last = text();
    last.catch(() => {});
    await pass(4999);
    expect(failures).toEqual([]);
    await pass(1);
    await expect(last).rejects.toThrow("nothing for 5000 ms");
    await pass(60_000);
    expect([failures, codes(), service.cancelled]).toEqual([["stalled all service 200"], ["response-stalled"], true]);
  });
});
