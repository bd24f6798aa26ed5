/** The filter `rate-limit`: algorithms, keys, leases, and stores that fail. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { make, spec } from "../../../functions/filters/rate-limit.ts";
import { Claims, Consumer, setFact } from "../../../functions/gateway/core/facts.ts";
import { hashPosition } from "../../../functions/gateway/core/pipeline.ts";
import { hashTagOf, KeyRefused, type State } from "../../../functions/gateway/core/ports/state.ts";
import type { Guard } from "../../../functions/gateway/core/types.ts";
import { fakeDeps, filterInstance, type GateOptions, gateHarness, stateOf } from "../gate-harness.ts";

const start = Date.UTC(2026, 10, 1);

// The library reads the clock itself, and so do the objects; all of them are given the test's.
beforeEach(() => void vi.useFakeTimers({ now: start, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** Fake dependencies on vitest's clock. */
const fakeDepsWith = (state: State = stateOf()) => {
  const time = fakeDeps({ state, now: () => Date.now() });
  const advance = async (ms: number) => {
    vi.setSystemTime(Date.now() + ms);
    await time.advance(ms);
  };
  return { ...time, advance };
};

type RateLimitInput = Parameters<ReturnType<typeof spec>["schema"]["parse"]>[0];

const gate = (input: RateLimitInput, setting: GateOptions = {}, ahead: Record<string, () => Guard> = {}) => {
  const config = spec().schema.parse(input);
  return gateHarness(
    { ...ahead, limit: (deps) => make(config, deps, { ...filterInstance, id: "limit" }) },
    { fakeDeps: fakeDepsWith(), ...setting },
  );
};

const statuses = async (send: ReturnType<typeof gate>["send"], count: number, init = {}) => {
  const all: number[] = [];
  for (let index = 0; index < count; index++) all.push((await send("GET /", init)).status);
  return all;
};

const admitted = (all: readonly number[]) => all.filter((status) => status === 200).length;

describe.each(["fixed-window", "sliding-window", "token-bucket"] as const)("%s", (algorithm) => {
  it("admits exactly the limit, reports it, and admits again after the window", async () => {
    const { send, fakeDeps } = gate({ limit: "5/10s", by: "ip", algorithm, count: "exact" });
    expect(await statuses(send, 5)).toEqual([200, 200, 200, 200, 200]);
    const refused = await send("GET /");
    expect(refused).toMatchObject({
      status: 429,
      code: "rate-limited",
      upstream: [],
      line: { verdict: "refused", by: "limit" },
    });
    expect(refused.headers["ratelimit-policy"]).toBe('"limit";q=5;w=10');
    expect(refused.headers.ratelimit).toMatch(/^"limit";r=0;t=\d+$/);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    await fakeDeps.advance(20_000);
    expect((await send("GET /")).status).toBe(200);
  });

  it("admits exactly the limit of a hundred requests at once", async () => {
    const { send } = gate({ limit: "50/h", by: "route", algorithm, count: "exact" });
    const all = await Promise.all(Array.from({ length: 100 }, () => send("GET /")));
    expect(admitted(all.map(({ status }) => status))).toBe(50);
  });

  it("counts in the isolate with count: local", async () => {
    const { send } = gate(
      { limit: "3/m", by: "ip", algorithm, count: "local" },
      { fakeDeps: fakeDepsWith(unavailable) },
    );
    expect(await statuses(send, 5)).toEqual([200, 200, 200, 429, 429]);
  });
});

it("a token bucket refills evenly up to its burst", async () => {
  const { send, fakeDeps } = gate({ limit: "10/s", by: "ip", algorithm: "token-bucket", burst: 3, count: "exact" });
  expect(await statuses(send, 5)).toEqual([200, 200, 200, 429, 429]);
  await fakeDeps.advance(100);
  expect(await statuses(send, 2)).toEqual([200, 429]);
  await fakeDeps.advance(60_000);
  expect(await statuses(send, 5)).toEqual([200, 200, 200, 429, 429]);
});

it("each of several limits must allow a request", async () => {
  const { send, fakeDeps } = gate({ limit: ["2/s", "3/h"], by: "ip", algorithm: "fixed-window", count: "exact" });
  expect(await statuses(send, 3)).toEqual([200, 200, 429]);
  await fakeDeps.advance(1000);
  const { headers } = await send("GET /");
  expect(headers.ratelimit).toBe('"limit:2/s";r=1;t=1, "limit:3/h";r=0;t=3599');
  expect(headers["ratelimit-policy"]).toBe('"limit:2/s";q=2;w=1, "limit:3/h";q=3;w=3600');
  expect(await statuses(send, 1)).toEqual([429]);
});

describe("keys", () => {
  const learns = (id: string, sub: string): Record<string, () => Guard> => ({
    identity: () => (_, context) => {
      setFact(context, Consumer, { id, labels: {} });
      setFact(context, Claims, { sub });
      return undefined;
    },
  });
  const state = () => fakeDepsWith();

  it.each([
    ["consumer", learns("a", "x"), learns("b", "x")],
    ["claim.sub", learns("a", "x"), learns("a", "y")],
  ] as const)("by %s: each value has its own limit", async (by, one, other) => {
    const fakeDeps = state();
    const input = { limit: "1/h", by, count: "exact" } as const;
    expect(await statuses(gate(input, { fakeDeps }, one).send, 2)).toEqual([200, 429]);
    expect(await statuses(gate(input, { fakeDeps }, other).send, 1)).toEqual([200]);
  });

  it("by header: the value is stored nowhere, and requests without it are counted together", async () => {
    const keys: string[] = [];
    const inner = stateOf();
    const fakeDeps = fakeDepsWith({
      ...inner,
      run: (call, signal) => {
        keys.push(...call.keys);
        return inner.run(call, signal);
      },
    });
    const { send } = gate({ limit: "1/h", by: "header.x-device", count: "exact" }, { fakeDeps });
    expect(await statuses(send, 2, { headers: { "x-device": "a-very-secret-device" } })).toEqual([200, 429]);
    expect(await statuses(send, 1, { headers: { "x-device": "other" } })).toEqual([200]);
    expect(await statuses(send, 2)).toEqual([200, 429]);
    expect(keys.join()).not.toContain("secret");
  });

  it("counts an IPv6 client by its /64, and an IPv4-mapped address as IPv4", async () => {
    const fakeDeps = fakeDepsWith();
    const from = (ip: string | null) =>
      gate({ limit: "1/h", by: "ip", count: "exact" }, { fakeDeps, caller: { ip } }).send;
    expect(await statuses(from("2001:db8:1:2::1"), 1)).toEqual([200]);
    expect(await statuses(from("2001:db8:1:2:ffff::9"), 1)).toEqual([429]);
    expect(await statuses(from("2001:db8:1:3::1"), 1)).toEqual([200]);
    expect(await statuses(from("192.0.2.1"), 1)).toEqual([200]);
    expect(await statuses(from("::ffff:192.0.2.1"), 1)).toEqual([429]);
    expect(await statuses(from(null), 2)).toEqual([200, 429]);
  });

  it("combined: each pair has its own limit, whatever the values contain", async () => {
    const fakeDeps = fakeDepsWith();
    const input = { limit: "1/h", by: ["consumer", "ip"] as string[], count: "exact" as const };
    const as = (id: string, ip: string) => gate(input, { fakeDeps, caller: { ip } }, learns(id, "")).send;
    expect(await statuses(as("a", "192.0.2.1"), 2)).toEqual([200, 429]);
    expect(await statuses(as("a", "192.0.2.2"), 1)).toEqual([200]);
    expect(await statuses(as("a&ip=192.0.2.3", "192.0.2.1"), 1)).toEqual([200]);
    expect(await statuses(as("}{", "192.0.2.1"), 2)).toEqual([200, 429]);
  });

  it("two filters of one tier, and two tiers, count separately", async () => {
    const fakeDeps = fakeDepsWith();
    const config = spec().schema.parse({ limit: "1/h", by: "ip", count: "exact" });
    const of = (id: string, tier = "tier") =>
      gateHarness({ limit: (deps) => make(config, deps, { tier, id }) }, { fakeDeps }).send;
    for (const send of [of("limit"), of("other"), of("limit", "second")])
      expect(await statuses(send, 2)).toEqual([200, 429]);
  });
});

const failing = (run: State["run"]): State => ({ run, once: () => Promise.reject(new Error("gone")) });
const unavailable = failing(() => Promise.reject(new Error("gone")));

describe("a store that is", () => {
  const slow = failing(() => new Promise(() => {}));
  const stores: Readonly<Record<string, State>> = {
    gone: unavailable,
    lying: failing(async () => [-5, 3]),
    "lying about the limit": failing(async () => [1, 1_000_000]),
    "lying in another shape": failing(async () => ({ success: true })),
    "an older contract": failing(async () => undefined),
  };
  describe.each(Object.entries(stores))("%s", (_, state) => {
    it.each([
      ["local", [200, 200, 200, 429]],
      ["allow", [200, 200, 200, 200]],
      ["deny", [503, 503, 503, 503]],
    ] as const)("on-failure: %s is applied, and each request is marked as degraded", async (onFailure, expected) => {
      const { send, fakeDeps } = gate(
        { limit: "3/h", by: "ip", count: "exact", "on-failure": onFailure },
        { fakeDeps: fakeDepsWith(state) },
      );
      expect(await statuses(send, 4)).toEqual(expected);
      const access = (fakeDeps.lines as { type: string; degraded?: string[] }[]).filter(
        ({ type }) => type === "access",
      );
      expect(access.map(({ degraded }) => degraded)).toEqual(Array(4).fill(["limit"]));
    });
  });

  it("slow is awaited up to the timeout, then skipped for a second", async () => {
    let storeCalls = 0;
    const state = failing((call) => {
      storeCalls++;
      return slow.run(call);
    });
    const { send, fakeDeps } = gate(
      { limit: "3/h", by: "ip", count: "exact", "on-failure": "deny", timeout: "100ms" },
      { fakeDeps: fakeDepsWith(state) },
    );
    const first = send("GET /");
    await fakeDeps.advance(99);
    expect(await Promise.race([first.then(() => "answered"), Promise.resolve("waiting")])).toBe("waiting");
    await fakeDeps.advance(1);
    expect(await first).toMatchObject({ status: 503, code: "limit-unavailable" });
    expect((await send("GET /")).status).toBe(503);
    expect(storeCalls).toBe(1);
    await fakeDeps.advance(1000);
    const again = send("GET /");
    await fakeDeps.advance(100);
    expect((await again).status).toBe(503);
    expect(storeCalls).toBe(2);
  });

  it("full applies on-failure", async () => {
    const state = failing(() => Promise.reject(new Error("state answered 507: this shard holds 500000 cells already")));
    const { send } = gate(
      { limit: "3/h", by: "ip", count: "exact", "on-failure": "deny" },
      { fakeDeps: fakeDepsWith(state) },
    );
    expect((await send("GET /")).code).toBe("limit-unavailable");
  });
});

describe("a key that cannot be counted", () => {
  /** A header names the consumer, so that one gate serves all cases. */
  const whoever: Record<string, () => Guard> = {
    identity: () => (request, context) => {
      const id = JSON.parse(request.headers.get("x-id") ?? '""') as string;
      setFact(context, Consumer, { id, labels: {} });
      return undefined;
    },
  };
  const as = (id: string) => ({
    headers: {
      "x-id": JSON.stringify(id).replace(/[^ -~]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, "0")}`),
    },
  });
  const limited = (state: State, onFailure: "deny" | "allow") =>
    gate(
      { limit: "1/h", by: "consumer", count: "exact", "on-failure": onFailure },
      { fakeDeps: fakeDepsWith(state) },
      whoever,
    );

  it.each(["deny", "allow"] as const)("counts long and unusual ids like any other (%s)", async (onFailure) => {
    const { send } = limited(stateOf(), onFailure);
    const ids = ["\u8a18".repeat(300), "x".repeat(20_000), "\ud800", "{}", "", "\0"];
    for (const id of ids) expect(await statuses(send, 2, as(id))).toEqual([200, 429]);
  });

  it.each([413, 400, 507])("a %i of state affects no other key", async (status) => {
    const inner = stateOf();
    const state: State = {
      ...inner,
      run: (call, signal) =>
        call.keys[0]?.includes("bad")
          ? Promise.reject(new KeyRefused(`state answered ${status}`))
          : inner.run(call, signal),
    };
    const { send } = limited(state, "deny");
    for (let index = 0; index < 20; index++) expect((await send("GET /", as(`bad-${index}`))).status).toBe(503);
    for (let index = 0; index < 20; index++) expect(await statuses(send, 2, as(`good-${index}`))).toEqual([200, 429]);
  });

  it("state refuses calls that are too long or malformed", async () => {
    const { run } = stateOf();
    await expect(run({ sha: "x", keys: ["x".repeat(9000)], args: [] })).rejects.toBeInstanceOf(KeyRefused);
    await expect(run({ sha: "x", keys: ["x"], args: [Number.NaN] })).rejects.toBeInstanceOf(KeyRefused);
  });
});

describe("a shard that is gone", () => {
  const half = (storeCalls: string[]): State => {
    const inner = stateOf();
    return {
      ...inner,
      run: (call, signal) => {
        storeCalls.push(call.keys[0] ?? "");
        return hashPosition(hashTagOf(call.keys[0] ?? "")) < 0.5
          ? Promise.reject(new Error("gone"))
          : inner.run(call, signal);
      },
    };
  };
  const from = (index: number) => `192.0.2.${index}`;
  const isGone = (ip: string) => hashPosition(`ip=${ip}`) < 0.5;
  const ips = Array.from({ length: 250 }, (_, index) => from(index));

  it("is skipped after some of its keys have failed, while others are still counted", async () => {
    const storeCalls: string[] = [];
    const fakeDeps = fakeDepsWith(half(storeCalls));
    const input = { limit: "1/h", by: "ip", count: "exact", "on-failure": "deny" } as const;
    const config = spec().schema.parse(input);
    const guard = make(config, fakeDeps, { ...filterInstance, id: "limit" });
    const statusFor = async (ip: string) =>
      (await gateHarness({ limit: () => guard }, { fakeDeps, caller: { ip } }).send("GET /")).status;
    for (const ip of ips) expect([ip, await statusFor(ip)]).toEqual([ip, isGone(ip) ? 503 : 200]);
    // Five keys for each unavailable sixteenth of the keys.
    expect(storeCalls.filter((key) => hashPosition(hashTagOf(key)) < 0.5)).toHaveLength(8 * 5);
    for (const ip of ips.filter((it) => !isGone(it))) expect(await statusFor(ip)).toBe(429);
    await fakeDeps.advance(1000);
    storeCalls.length = 0;
    expect(await statusFor(ips.find(isGone) as string)).toBe(503);
    expect(storeCalls).toHaveLength(1);
  });
});

describe("leased", () => {
  it("takes a share from the store at once and counts it locally", async () => {
    let storeCalls = 0;
    const inner = stateOf();
    const state: State = {
      ...inner,
      run: (call, signal) => {
        storeCalls++;
        return inner.run(call, signal);
      },
    };
    const { send } = gate(
      { limit: "200/h", by: "ip", algorithm: "fixed-window", share: "5%", hold: "1m" },
      { fakeDeps: fakeDepsWith(state) },
    );
    expect(admitted(await statuses(send, 100))).toBe(100);
    // Ten at a time, once the demand is known.
    expect(storeCalls).toBe(13);
  });

  it("a flood beyond the limit rarely calls the store", async () => {
    let storeCalls = 0;
    const inner = stateOf();
    const state: State = {
      ...inner,
      run: (call, signal) => {
        storeCalls++;
        return inner.run(call, signal);
      },
    };
    const { send, fakeDeps } = gate({ limit: "5/h", by: "ip", hold: "10s" }, { fakeDeps: fakeDepsWith(state) });
    expect(admitted(await statuses(send, 200))).toBe(5);
    expect(storeCalls).toBe(6);
    await fakeDeps.advance(10_000);
    expect(admitted(await statuses(send, 100))).toBe(0);
    expect(storeCalls).toBe(7);
  });

  it("a lease ends with its window", async () => {
    const { send, fakeDeps } = gate({
      limit: "100/10s",
      by: "ip",
      algorithm: "fixed-window",
      share: "100%",
      hold: "1h",
    });
    expect(await statuses(send, 1)).toEqual([200]);
    await fakeDeps.advance(10_000);
    const all = await statuses(send, 120);
    expect(admitted(all)).toBe(100);
  });

  it("a limit below a share is exact", async () => {
    const { send } = gate({ limit: "5/h", by: "ip" });
    expect(await statuses(send, 7)).toEqual([200, 200, 200, 200, 200, 429, 429]);
  });
});

describe("the schema", () => {
  it.each([
    ["a limit without a window", { limit: "100", by: "ip" }],
    ["nobody to count", { limit: "100/s" }],
    ["no requests at all", { limit: "0/s", by: "ip" }],
    ["an unknown key", { limit: "1/s", by: "cookie.sid" }],
    ["a key twice", { limit: "1/s", by: ["ip", "ip"] }],
    ["a limit twice", { limit: ["1/s", "1/s"], by: "ip" }],
    ["a burst of a window", { limit: "1/s", by: "ip", burst: 3 }],
    ["a window of a year", { limit: "1/366d", by: "ip" }],
    ["a written token", { limit: "1/s", by: "ip", store: { upstash: "https://x.upstash.io", token: "abc" } }],
  ])("refuses %s", (_, value) => {
    expect(spec().schema.safeParse(value).success).toBe(false);
  });
});
