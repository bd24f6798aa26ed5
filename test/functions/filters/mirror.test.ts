/** The filter `mirror`: which requests are copied, and copies that fail. */
import { describe, expect, it, vi } from "vitest";
import { make, spec } from "../../../functions/filters/mirror.ts";
import { fakeDeps, filterInstance, type GateOptions, gateHarness } from "../gate-harness.ts";

/** The requests that the mirror service received. */
const shadow = (answer: (request: Request) => Promise<Response> = async () => new Response("nobody reads it")) => {
  const copies: { line: string; headers: Headers; body: string }[] = [];
  const fetch = async (input: Request | string, init?: RequestInit) => {
    const request = new Request(input, init);
    copies.push({ line: `${request.method} ${request.url}`, headers: request.headers, body: await request.text() });
    return answer(request);
  };
  return { copies, fetch };
};

const gate = (config: object, from: Parameters<typeof fakeDeps>[0], setting: GateOptions = {}) =>
  gateHarness(
    {
      early: () => (_, context) => void context.outbound.push(["set", "x-early", "1"]),
      mirror: (deps) => make(spec().schema.parse({ to: "https://next.example/v2", ...config }), deps, filterInstance),
      late: () => (_, context) => void context.outbound.push(["set", "x-late", "1"]),
    },
    { fakeDeps: fakeDeps(from), filters: { mirror: { kind: "layer" } }, ...setting },
  );

/** Copies run in the background: gives one time to arrive before a test asserts that none does. */
const turn = () => new Promise((wake) => setTimeout(wake, 0));

const post = (body: string, length = String(body.length)) => ({ body, headers: { "content-length": length } });

describe("a copy", () => {
  it("is the request as changed by the filters ahead, and the client gets the service's response", async () => {
    const { copies, fetch } = shadow();
    const { text, upstream, line } = await gate({}, { fetch }).send("POST /orders?a=1", post("hello"));
    await vi.waitFor(() => expect(copies).toHaveLength(1));
    expect(text).toBe("ok");
    expect(upstream.map(({ body }) => body)).toEqual(["hello"]);
    expect(copies.map((it) => [it.line, it.body])).toEqual([["POST https://next.example/v2/orders?a=1", "hello"]]);
    expect([copies[0]?.headers.get("x-early"), copies[0]?.headers.get("x-late")]).toEqual(["1", null]);
    expect(copies[0]?.headers.get("x-forwarded-for")).toBe("203.0.113.7");
    expect(line?.degraded).toBeUndefined();
  });

  it("is sent for a random share of requests", async () => {
    const { copies, fetch } = shadow();
    // The access log draws too.
    const draws = [0.24, 0, 0.25, 0];
    const { send } = gate({ share: "25%" }, { fetch, random: () => draws.shift() ?? 0.5 });
    await send("GET /one");
    await send("GET /two");
    await turn();
    expect(copies.map(({ line }) => line)).toEqual(["GET https://next.example/v2/one"]);
  });

  it.each<[string, number, RequestInit]>([
    ["is larger than allowed", 2000, post("x".repeat(2000))],
    ["has no length", 5, { body: new Blob(["hello"]).stream() }],
  ])(
    "is not sent when the body %s, which is recorded as degraded, and the service gets the whole body",
    async (_, whole, init) => {
      const { copies, fetch } = shadow();
      const received = await gate({ "max-body": "1KiB" }, { fetch }).send("POST /", init);
      await turn();
      expect(copies).toEqual([]);
      expect([received.status, received.line?.degraded]).toEqual([200, ["it"]]);
      expect(received.upstream[0]?.body).toHaveLength(whole);
    },
  );

  it("is not sent for a preflight", async () => {
    const { copies, fetch } = shadow();
    const headers = { origin: "https://shop.example", "access-control-request-method": "PUT" };
    await gate({}, { fetch }).send("OPTIONS /", { headers });
    await turn();
    expect(copies).toEqual([]);
  });
});

describe("a copy that fails", () => {
  it("changes nothing, and is logged", async () => {
    const deps = { fetch: () => Promise.reject(new Error("connection refused")) };
    const { send, fakeDeps } = gate({}, deps);
    expect((await send("GET /x")).text).toBe("ok");
    const failed = { type: "mirror-failed", filter: "it", cause: "connection refused", tier: "tier", route: "all" };
    await vi.waitFor(() => expect(fakeDeps.lines).toContainEqual(expect.objectContaining(failed)));
  });

  it("times out, and at most a hundred are in flight", async () => {
    const { copies, fetch } = shadow(() => new Promise(() => {}));
    const { send, fakeDeps } = gate({ timeout: "2s" }, { fetch });
    for (let sent = 0; sent < 101; sent++) await send("GET /x");
    expect(copies).toHaveLength(100);
    await fakeDeps.advance(2001);
    await send("GET /x");
    expect(copies).toHaveLength(101);
    expect(fakeDeps.lines.filter((it) => (it as { type: string }).type === "mirror-failed")).toHaveLength(100);
  });
});
