/** Concurrency slots of a gate, by client. */
import { describe, expect, it, vi } from "vitest";
import {
  acquireSlot,
  assignClient,
  type ConcurrencyLimit,
  type ConcurrencySlot,
  concurrencyLimit,
  markBodyReceived,
  releaseSlot,
} from "../../../functions/gateway/core/concurrency.ts";
import { Consumer, setFact } from "../../../functions/gateway/core/facts.ts";
import type { Context } from "../../../functions/gateway/core/types.ts";
import { link } from "../../../functions/gateway/server.ts";
import { caller, fakeDeps, planAndParts } from "../gate-harness.ts";

const clock = () => {
  let at = 0;
  return {
    now: () => at,
    pass: (ms: number) => {
      at += ms;
    },
  };
};

const acquire = (limit: ConcurrencyLimit, client = "", uploading = false): ConcurrencySlot => {
  const slot = acquireSlot(limit, client, uploading);
  if (typeof slot === "string") throw new Error(slot);
  return slot;
};

describe("concurrency slots", () => {
  it("are limited by the tier, and released once", () => {
    const limit = concurrencyLimit(2, 1, clock());
    const first = acquire(limit, "a");
    acquire(limit, "a");
    expect(acquireSlot(limit, "b", false)).toBe("gate-busy");
    releaseSlot(first);
    releaseSlot(first);
    acquire(limit, "b");
    expect(acquireSlot(limit, "b", false)).toBe("gate-busy");
  });

  it("of one client are limited to its share, at least one; an unknown client has no share", () => {
    const limit = concurrencyLimit(8, 0.25, clock());
    const [first] = [acquire(limit, "a"), acquire(limit, "a")];
    expect(acquireSlot(limit, "a", false)).toBe("client-busy");
    for (let all = 0; all < 4; all++) acquire(limit);
    releaseSlot(first);
    acquire(limit, "a");
    expect(acquireSlot(limit, "a", false)).toBe("client-busy");
    acquire(concurrencyLimit(8, 0.0001, clock()), "a");
    expect(concurrencyLimit(100, 0.29, clock()).maxPerClient).toBe(29);
  });

  it("move from an address to a consumer, which has a share too", () => {
    const limit = concurrencyLimit(8, 0.25, clock());
    const all = [acquire(limit, "a"), acquire(limit, "a")];
    expect(all.map((slot) => assignClient(slot, "consumer x"))).toEqual([true, true]);
    const third = acquire(limit, "a");
    expect(assignClient(third, "consumer x")).toBe(false);
    expect(third.client).toBe("a");
    acquire(limit, "a");
    expect(acquireSlot(limit, "a", false)).toBe("client-busy");
    // A second call for one request.
    expect(assignClient(all[0] as ConcurrencySlot, "consumer x")).toBe(true);
    releaseSlot(all[0] as ConcurrencySlot);
    expect(assignClient(third, "consumer x")).toBe(true);
  });

  it("hold no entry for a client without slots", () => {
    const limit = concurrencyLimit(1000, 0.25, clock());
    const all = Array.from({ length: 900 }, (_, index) => acquire(limit, `a${index % 700}`));
    expect(limit.clients.size).toBe(700);
    for (const slot of all) releaseSlot(slot);
    expect([limit.clients.size, limit.serving.size]).toEqual([0, 0]);
  });

  it("that were released are assigned to no client afterwards", () => {
    const limit = concurrencyLimit(8, 0.25, clock());
    const [released] = [acquire(limit, "a"), acquire(limit, "a")];
    releaseSlot(released);
    expect(assignClient(released, "consumer x")).toBe(true);
    expect([...limit.clients]).toEqual([["a", 1]]);
  });

  it("that were never released expire after fifteen minutes, for gate and client", () => {
    const time = clock();
    const limit = concurrencyLimit(4, 0.5, time);
    acquire(limit, "a");
    acquire(limit, "a");
    time.pass(15 * 60_000);
    expect(acquireSlot(limit, "a", false)).toBe("client-busy");
    time.pass(1);
    acquire(limit, "a");
    expect(limit.clients.get("a")).toBe(1);
  });

  it("of uploads are counted separately, up to the same limit", () => {
    const limit = concurrencyLimit(2, 1, clock());
    const uploads = [acquire(limit, "", true), acquire(limit, "", true)];
    expect(acquireSlot(limit, "", true)).toBe("gate-busy");
    const [one, two] = [acquire(limit), acquire(limit)];
    // A body read by a filter is refused; one that the service already has counts beyond the limit.
    expect(markBodyReceived(uploads[0] as ConcurrencySlot, false)).toBe(false);
    expect(markBodyReceived(uploads[0] as ConcurrencySlot, true)).toBe(true);
    releaseSlot(one);
    expect(acquireSlot(limit, "", false)).toBe("gate-busy");
    releaseSlot(two);
    acquire(limit);
    // A body that completes after the response takes no slot.
    releaseSlot(uploads[1] as ConcurrencySlot);
    markBodyReceived(uploads[1] as ConcurrencySlot, true);
    expect([limit.serving.size, limit.uploading.size]).toEqual([2, 0]);
  });
});

describe("a gate", () => {
  const gate = (limits: object, consumer?: (request: Request) => string) => {
    const time = fakeDeps();
    const held: (() => void)[] = [];
    const { plan, parts } = planAndParts(
      {
        identify: () => (request: Request, context: Context) => {
          const id = consumer?.(request);
          if (id) setFact(context, Consumer, { id, labels: {} });
          return undefined;
        },
      },
      {
        limits,
        upstream: () => (request) =>
          new Promise((resolve) => {
            held.push(() => resolve(new Response(`served ${request.url}`)));
          }),
      },
    );
    const serve = link(plan, parts, time);
    const send = async (ip: string | null, init: RequestInit = {}) => {
      const response = await serve(new Request("https://gate.example/", init), { ...caller, ip });
      const text = await response.text();
      return response.ok ? response.status : `${response.status} ${JSON.parse(text).code}`;
    };
    return { send, held, time };
  };
  /** The service has that many requests. */
  const begun = (held: readonly unknown[], count: number) => vi.waitFor(() => expect(held).toHaveLength(count));

  it("answers 429 to a client beyond its share, and serves others; an IPv6 client is its /64", async () => {
    const { send, held, time } = gate({ concurrency: 8, "client-share": "25%" });
    const waiting = [send("2001:db8:1:2::1"), send("2001:db8:1:2:ffff::9"), send("2001:db8:1:3::1"), send(null)];
    await begun(held, 4);
    expect(await send("2001:db8:1:2:1:2:3:4")).toBe("429 client-busy");
    expect(time.lines.at(-1)).toMatchObject({ verdict: "refused", code: "client-busy", status: 429 });
    for (const free of held) free();
    expect(await Promise.all(waiting)).toEqual([200, 200, 200, 200]);
  });

  it("counts by consumer if known, so that users behind one address do not block each other", async () => {
    const { send, held } = gate({ concurrency: 8, "client-share": "25%" }, (it) => it.headers.get("x-key") ?? "");
    const by = (key: string, ip = "203.0.113.7") => send(ip, { headers: { "x-key": key } });
    const waiting = ["a", "b", "c", "a"].map((key) => by(key));
    await begun(held, 4);
    expect(await by("a", "203.0.113.8")).toBe("429 client-busy");
    for (const free of held) free();
    expect(await Promise.all(waiting)).toEqual([200, 200, 200, 200]);
  });

  it("serves a NAT up to the default share, and recovers at once", async () => {
    const { send, held } = gate({ concurrency: 1000, "client-share": "25%" });
    const nat = "198.51.100.1";
    const waiting = Array.from({ length: 250 }, () => send(nat));
    await begun(held, 250);
    expect(await send(nat)).toBe("429 client-busy");
    const other = send("198.51.100.2");
    held.shift()?.();
    await waiting.shift();
    const next = send(nat);
    await begun(held, 251);
    for (const free of held) free();
    expect(new Set(await Promise.all([...waiting, other, next]))).toEqual(new Set([200]));
  });

  it("serves four times as many users behind one address when each is an identified consumer", async () => {
    const { send, held } = gate({ concurrency: 1000, "client-share": "25%" }, (it) => it.headers.get("x-key") ?? "");
    const waiting = [];
    for (let user = 0; user < 1000; user++) {
      waiting.push(send("198.51.100.1", { headers: { "x-key": `user-${user}` } }));
      // Until the consumer is identified, a request counts for its address.
      if (user % 200 === 199) await begun(held, user + 1);
    }
    for (const free of held) free();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([200]));
  });

  it("does not limit a client whose share is 100%", async () => {
    const { send, held } = gate({ concurrency: 3, "client-share": "100%" });
    const waiting = [1, 2, 3].map(() => send("203.0.113.7"));
    await begun(held, 3);
    expect(await send("203.0.113.8")).toBe("503 gate-busy");
    for (const free of held) free();
    expect(await Promise.all(waiting)).toEqual([200, 200, 200]);
  });
});
