/** Places of a gate, and who holds them. */
import { describe, expect, it, vi } from "vitest";
import {
  bodyArrived,
  countAs,
  enter,
  leave,
  type Place,
  type Places,
  placesOf,
} from "../../../functions/gateway/core/concurrency.ts";
import { Consumer, learn } from "../../../functions/gateway/core/facts.ts";
import type { Context } from "../../../functions/gateway/core/types.ts";
import { link } from "../../../functions/gateway/server.ts";
import { caller, planAndParts, world } from "../gate-harness.ts";

const clock = () => {
  let at = 0;
  return {
    now: () => at,
    pass: (ms: number) => {
      at += ms;
    },
  };
};

const taken = (places: Places, client = "", uploading = false): Place => {
  const place = enter(places, client, uploading);
  if (typeof place === "string") throw new Error(place);
  return place;
};

describe("places", () => {
  it("are as many as the tier says, and come back once", () => {
    const places = placesOf(2, 1, clock());
    const first = taken(places, "a");
    taken(places, "a");
    expect(enter(places, "b", false)).toBe("gate-busy");
    leave(first);
    leave(first);
    taken(places, "b");
    expect(enter(places, "b", false)).toBe("gate-busy");
  });

  it("of one client are its share, one at least; a client that is not known has none of its own", () => {
    const places = placesOf(8, 0.25, clock());
    const [first] = [taken(places, "a"), taken(places, "a")];
    expect(enter(places, "a", false)).toBe("client-busy");
    for (let all = 0; all < 4; all++) taken(places);
    leave(first);
    taken(places, "a");
    expect(enter(places, "a", false)).toBe("client-busy");
    taken(placesOf(8, 0.0001, clock()), "a");
    expect(placesOf(100, 0.29, clock()).mostOfClient).toBe(29);
  });

  it("go over from an address to a consumer, whose share is a share too", () => {
    const places = placesOf(8, 0.25, clock());
    const all = [taken(places, "a"), taken(places, "a")];
    expect(all.map((place) => countAs(place, "consumer x"))).toEqual([true, true]);
    const third = taken(places, "a");
    expect(countAs(third, "consumer x")).toBe(false);
    expect(third.client).toBe("a");
    taken(places, "a");
    expect(enter(places, "a", false)).toBe("client-busy");
    // Asked once more, as by a second call of one request.
    expect(countAs(all[0] as Place, "consumer x")).toBe(true);
    leave(all[0] as Place);
    expect(countAs(third, "consumer x")).toBe(true);
  });

  it("hold no client that has none", () => {
    const places = placesOf(1000, 0.25, clock());
    const all = Array.from({ length: 900 }, (_, index) => taken(places, `a${index % 700}`));
    expect(places.clients.size).toBe(700);
    for (const place of all) leave(place);
    expect([places.clients.size, places.serving.size]).toEqual([0, 0]);
  });

  it("that were given up are nobody's, also where the request goes on without its client", () => {
    const places = placesOf(8, 0.25, clock());
    const [gone] = [taken(places, "a"), taken(places, "a")];
    leave(gone);
    expect(countAs(gone, "consumer x")).toBe(true);
    expect([...places.clients]).toEqual([["a", 1]]);
  });

  it("whose end nobody reported are free after fifteen minutes, for the gate and for the client", () => {
    const time = clock();
    const places = placesOf(4, 0.5, time);
    taken(places, "a");
    taken(places, "a");
    time.pass(15 * 60_000);
    expect(enter(places, "a", false)).toBe("client-busy");
    time.pass(1);
    taken(places, "a");
    expect(places.clients.get("a")).toBe(1);
  });

  it("of uploads are apart, up to the same bound", () => {
    const places = placesOf(2, 1, clock());
    const uploads = [taken(places, "", true), taken(places, "", true)];
    expect(enter(places, "", true)).toBe("gate-busy");
    const [one, two] = [taken(places), taken(places)];
    // What a filter has read is refused; what a service has already counts beyond the bound.
    expect(bodyArrived(uploads[0] as Place, false)).toBe(false);
    expect(bodyArrived(uploads[0] as Place, true)).toBe(true);
    leave(one);
    expect(enter(places, "", false)).toBe("gate-busy");
    leave(two);
    taken(places);
    // A body that is complete behind the answer takes nothing.
    leave(uploads[1] as Place);
    bodyArrived(uploads[1] as Place, true);
    expect([places.serving.size, places.uploading.size]).toEqual([2, 0]);
  });
});

describe("a gate", () => {
  const gate = (limits: object, consumer?: (request: Request) => string) => {
    const time = world();
    const held: (() => void)[] = [];
    const { plan, parts } = planAndParts(
      {
        identify: () => (request: Request, context: Context) => {
          const id = consumer?.(request);
          if (id) learn(context, Consumer, { id, labels: {} });
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

  it("refuses what a client asks beyond its share with 429, and serves others; an IPv6 client is its /64", async () => {
    const { send, held, time } = gate({ concurrency: 8, "client-share": "25%" });
    const waiting = [send("2001:db8:1:2::1"), send("2001:db8:1:2:ffff::9"), send("2001:db8:1:3::1"), send(null)];
    await begun(held, 4);
    expect(await send("2001:db8:1:2:1:2:3:4")).toBe("429 client-busy");
    expect(time.lines.at(-1)).toMatchObject({ verdict: "refused", code: "client-busy", status: 429 });
    for (const free of held) free();
    expect(await Promise.all(waiting)).toEqual([200, 200, 200, 200]);
  });

  it("counts by consumer where one is known, so that users behind one address do not hinder each other", async () => {
    const { send, held } = gate({ concurrency: 8, "client-share": "25%" }, (it) => it.headers.get("x-key") ?? "");
    const by = (key: string, ip = "203.0.113.7") => send(ip, { headers: { "x-key": key } });
    const waiting = ["a", "b", "c", "a"].map((key) => by(key));
    await begun(held, 4);
    expect(await by("a", "203.0.113.8")).toBe("429 client-busy");
    for (const free of held) free();
    expect(await Promise.all(waiting)).toEqual([200, 200, 200, 200]);
  });

  it("serves a NAT with as many requests at once as the default says, and locks nobody out for longer than it is full", async () => {
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

  it("serves four times as many users behind one address, where each is a consumer that is identified in time", async () => {
    const { send, held } = gate({ concurrency: 1000, "client-share": "25%" }, (it) => it.headers.get("x-key") ?? "");
    const waiting = [];
    for (let user = 0; user < 1000; user++) {
      waiting.push(send("198.51.100.1", { headers: { "x-key": `user-${user}` } }));
      // Until it is identified, a request counts for the address.
      if (user % 200 === 199) await begun(held, user + 1);
    }
    for (const free of held) free();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([200]));
  });

  it("knows no bound of a client where its share is all", async () => {
    const { send, held } = gate({ concurrency: 3, "client-share": "100%" });
    const waiting = [1, 2, 3].map(() => send("203.0.113.7"));
    await begun(held, 3);
    expect(await send("203.0.113.8")).toBe("503 gate-busy");
    for (const free of held) free();
    expect(await Promise.all(waiting)).toEqual([200, 200, 200]);
  });
});
