/** Clients that stall while a body is awaited get `body-late`. The test controls the clock. */
import { expect, it, vi } from "vitest";
import { make as timeout } from "../../../functions/filters/timeout.ts";
import { BodyLimit, setFact } from "../../../functions/gateway/core/facts.ts";
import type { Deps } from "../../../functions/gateway/core/types.ts";
import type { MakeUpstream } from "../../../functions/gateway/part.ts";
import { readBody } from "../../../functions/gateway/proxy/request-body.ts";
import { send } from "../../../functions/gateway/proxy/send.ts";
import { fakeDeps, gateHarness } from "../gate-harness.ts";

/** A body whose chunks the test sends. */
const body = () => {
  let to: ReadableStreamDefaultController<Uint8Array> | undefined;
  let pulls = 0;
  const stream = new ReadableStream<Uint8Array>({
    type: "bytes" as never,
    start: (controller) => {
      to = controller;
    },
    pull: () => {
      pulls++;
    },
  });
  /** Resolves when it has been read, and more is awaited. */
  const part = async (size: number) => {
    const before = pulls;
    to?.enqueue(new Uint8Array(size));
    await vi.waitFor(() => expect(pulls).toBeGreaterThan(before));
  };
  /** Sends a chunk and ends the body. */
  const last = (size: number) => {
    to?.enqueue(new Uint8Array(size));
    to?.close();
  };
  return { stream, part, last };
};

/** A gate with a timeout of ten seconds, and a service that reads the body and answers when `reply` resolves. */
const gate = (filters: Record<string, (deps: Deps) => never> = {}) => {
  const time = fakeDeps();
  const { send } = gateHarness(filters, { fakeDeps: time, timeout: "60s", limits: { "body-idle": "10s" } });
  return { time, send };
};

it.each([
  ["chunks", undefined],
  ["a large body", "1000000"],
  ["a small body", "9"],
])("%s that stall get body-late after body-idle", async (_, length) => {
  const { time, send } = gate();
  const it = body();
  const headers = length === undefined ? {} : { "content-length": length };
  const answer = send("POST /", { body: it.stream, headers });
  await it.part(3);
  await time.advance(9_999);
  expect(await Promise.race([answer, Promise.resolve("waiting")])).toBe("waiting");
  await time.advance(1);
  expect(await answer).toMatchObject({ status: 408, code: "body-late", line: { verdict: "refused" } });
  expect(time.lines.filter((line) => (line as { type?: string }).type === "fault")).toEqual([]);
});

it("each chunk restarts body-idle, but not the upstream's timeout", async () => {
  const { time, send } = gate();
  const it = body();
  const answer = send("POST /", { body: it.stream });
  for (let part = 0; part < 6; part++) {
    await it.part(1);
    await time.advance(9_000);
  }
  expect(await Promise.race([answer, Promise.resolve("waiting")])).toBe("waiting");
  await it.part(1);
  await time.advance(6_000);
  expect(await answer).toMatchObject({ status: 408, code: "body-late" });
});

it("a slow service is not taken for a slow client", async () => {
  const time = fakeDeps();
  const replies = vi.fn(() => new Promise<Response>(() => {}));
  const { send } = gateHarness({}, { fakeDeps: time, timeout: "60s", replies });
  const answer = send("POST /", { body: "whole", headers: { "content-length": "5" } });
  await vi.waitFor(() => expect(replies).toHaveBeenCalled());
  await time.advance(59_999);
  expect(await Promise.race([answer, Promise.resolve("waiting")])).toBe("waiting");
  await time.advance(1);
  expect(await answer).toMatchObject({ status: 504, code: "upstream-timeout", line: { by: "service" } });
});

it.each([9, 16_384, 16_385])(
  "a service that reads no byte of a body of %s bytes is not taken for a stalled client",
  async (size) => {
    const time = fakeDeps();
    const transport = vi.fn(() => new Promise<Response>(() => {}));
    const takesNothing: MakeUpstream = () => (request, context) =>
      send("https://service.example/", request, context, transport);
    const gate = gateHarness({}, { fakeDeps: time, timeout: "60s", upstream: takesNothing });
    const answer = gate.send("POST /", { body: "x".repeat(size), headers: { "content-length": String(size) } });
    await vi.waitFor(() => expect(transport).toHaveBeenCalled());
    // No event shows that the gate has the body and waits for the service to read it.
    for (let turn = 0; turn < 5; turn++) await new Promise((next) => setTimeout(next, 0));
    await time.advance(59_999);
    expect(await Promise.race([answer, Promise.resolve("waiting")])).toBe("waiting");
    await time.advance(1);
    expect(await answer).toMatchObject({ status: 504, code: "upstream-timeout", line: { by: "service" } });
  },
);

it.each([
  [3, "falls short of"],
  [30, "goes beyond"],
])("a body of %s bytes that %s its length reaches no service", async (size) => {
  const { send } = gateHarness({});
  const it = body();
  const answer = send("POST /", { body: it.stream, headers: { "content-length": "9" } });
  it.last(size);
  expect(await answer).toMatchObject({ status: 400, code: "body-incomplete", upstream: [] });
});

const reading = (deps: Deps) => async (request: Request, context: never) => {
  setFact(context, BodyLimit, 100);
  await readBody(request, context, deps);
  return undefined;
};

it.each(["enforce", "shadow"] as const)(
  "a timeout while a filter (%s) waits for the client gets body-late",
  async (mode) => {
    const time = fakeDeps();
    const { send } = gateHarness(
      { timeout: (deps) => timeout({ after: "5s" }, deps), reading: reading as never },
      { fakeDeps: time, limits: { "body-idle": "10s" }, filters: { timeout: { kind: "layer" }, reading: { mode } } },
    );
    const it = body();
    const answer = send("POST /", { body: it.stream });
    await it.part(1);
    await time.advance(5_000);
    expect(await answer).toMatchObject({ status: 408, code: "body-late", line: { verdict: "refused" } });
  },
);

it("a filter that reads the body waits at most as long", async () => {
  const { time, send } = gate({ reading: reading as never });
  const it = body();
  const answer = send("POST /", { body: it.stream });
  await it.part(1);
  await time.advance(9_000);
  await it.part(1);
  await time.advance(9_999);
  expect(await Promise.race([answer, Promise.resolve("waiting")])).toBe("waiting");
  await time.advance(1);
  expect(await answer).toMatchObject({ status: 408, code: "body-late", line: { by: "reading" } });
});
