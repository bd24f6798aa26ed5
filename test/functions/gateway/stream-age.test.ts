/** Streams end at their maximum age: events between two events, other bodies cut off. */
import { describe, expect, it } from "vitest";
import { link } from "../../../functions/gateway/server.ts";
import { caller, fakeDeps, planAndParts } from "../gate-harness.ts";

const open = async (type = "text/event-stream", random = 0, headers: Record<string, string> = {}) => {
  const ended: string[] = [];
  const service = { cancelled: false, send: (_: string) => {}, close: () => {}, fail: () => {} };
  const it = fakeDeps({ random: () => random, recordStreamEnd: (...end) => void ended.push(end.join(" ")) });
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      service.send = (text) => controller.enqueue(new TextEncoder().encode(text));
      service.close = () => controller.close();
      service.fail = () => controller.error(new Error("reset"));
    },
    cancel: () => {
      service.cancelled = true;
    },
  });
  const { plan, parts } = planAndParts(
    {},
    {
      limits: { "stream-age": "100s" },
      upstream: () => async () => new Response(body, { headers: { "content-type": type, ...headers } }),
    },
  );
  const response = await link(plan, parts, it)(new Request("https://gate.example/"), caller);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const text = async () => {
    const { done, value } = await reader.read();
    return done ? "(end)" : new TextDecoder().decode(value);
  };
  const cancelled = async () => {
    await it.advance(0);
    return service.cancelled;
  };
  return { service, ended, pass: it.advance, reader, text, cancelled };
};

describe("an event stream", () => {
  it("ends at its maximum age between two events, and the service sees the end", async () => {
    const { service, cancelled, ended, pass, text } = await open();
    service.send("data: 1\n\n");
    expect(await text()).toBe("data: 1\n\n");
    const next = text();
    await pass(99_999);
    expect(ended).toEqual([]);
    await pass(1);
    expect(await next).toBe("(end)");
    expect([ended, await cancelled()]).toEqual([["all aged events"], true]);
  });

  it.each([
    ["LF", "data: 1\n", "data: 2\n\ndata: 3\n\n", "data: 2\n\n"],
    ["CR LF", "data: 1\r\n", "data: 2\r\n\r\ndata: 3\r\n\r\n", "data: 2\r\n\r\n"],
    ["CR", "data: 1\r", "data: 2\r\rdata: 3\r\r", "data: 2\r\r"],
    ["a line's end that is cut in two", "data: 1\r", "\n\r\ndata: 3\r\n\r\n", "\n\r\n"],
  ])("ends after the current event, with line ends %s", async (_, first, rest, last) => {
    const { service, cancelled, pass, text } = await open("text/event-stream; charset=utf-8");
    service.send(first);
    expect(await text()).toBe(first);
    const next = text();
    await pass(100_000);
    service.send(rest);
    expect([await next, await text(), await cancelled()]).toEqual([last, "(end)", true]);
  });

  it("waits a second for an incomplete event", async () => {
    const { service, cancelled, pass, text } = await open();
    service.send("data: 1\ndata:");
    await text();
    const next = text();
    await pass(100_000);
    service.send("…");
    expect(await next).toBe("…");
    const end = text();
    await pass(1000);
    expect([await end, await cancelled()]).toEqual(["(end)", true]);
  });

  it("is cut off when the client does not read", async () => {
    const { service, cancelled, pass, reader } = await open();
    service.send("data: 1\n\n");
    await pass(0);
    await pass(100_000);
    await pass(1000);
    await pass(1000);
    await expect(reader.read()).rejects.toThrow();
    expect(await cancelled()).toBe(true);
  });

  it("ends or breaks off with its service, uncounted", async () => {
    const whole = await open();
    whole.service.close();
    expect(await whole.text()).toBe("(end)");
    const cut = await open();
    cut.service.fail();
    await expect(cut.text()).rejects.toThrow();
    await whole.pass(100_000);
    await cut.pass(100_000);
    expect([whole.ended, cut.ended]).toEqual([[], []]);
  });

  it("is cancelled when its client disconnects, uncounted", async () => {
    const { service, cancelled, ended, pass, reader } = await open();
    await reader.cancel();
    service.send("data: 1\n\n");
    expect(await cancelled()).toBe(true);
    await pass(100_000);
    expect(ended).toEqual([]);
  });

  it("ends up to a tenth early, at random", async () => {
    for (const [random, at] of [
      [0.5, 95_000],
      [0.999, 90_010],
    ] as const) {
      const { ended, pass, text } = await open("text/event-stream", random);
      const end = text();
      await pass(at - 1);
      expect(ended).toEqual([]);
      await pass(1);
      expect([await end, ended]).toEqual(["(end)", ["all aged events"]]);
    }
  });
});

describe("another body of unknown length", () => {
  it("is cut off, so that it does not look complete", async () => {
    const { service, cancelled, ended, pass, text } = await open("application/x-ndjson");
    service.send("{}\n\n");
    expect(await text()).toBe("{}\n\n");
    const next = text();
    next.catch(() => {});
    await pass(100_000);
    await expect(next).rejects.toThrow("maximum age");
    expect([ended, await cancelled()]).toEqual([["all aged body"], true]);
  });

  it("continues if its length was announced", async () => {
    const { service, ended, pass, text } = await open("application/octet-stream", 0, { "content-length": "2" });
    await pass(200_000);
    service.send("ab");
    expect(await text()).toBe("ab");
    expect(ended).toEqual([]);
  });
});
