/** The salts of version keys: who gets a new version first. */
import { describe, expect, it } from "vitest";
import { splitSecret, versionKeys } from "../../../functions/front/version-keys.ts";

const workers = { GATE_A: "gate-a", GATE_B: "gate-b", GATE_C: "gate-shared", GATE_D: "gate-shared" };
const secret = "s".repeat(43);

const messageOf = (epochs: Readonly<Record<string, string>>, revision = 1) => ({
  revision,
  entries: [{ kind: "epochs", epochs, id: "epochs", until: 9e15, by: "control", reason: "" }],
  revoked: [],
});

const harness = (env: Readonly<Record<string, unknown>> = {}) => {
  const feed = { message: messageOf({}) as unknown, isDown: false, reads: 0, copy: null as string | null };
  const clock = { now: 1_000_000 };
  const deferred: Promise<unknown>[] = [];
  const lines: object[] = [];
  const keys = versionKeys(workers, {
    env: {
      [splitSecret]: secret,
      FEED_FRONT: {
        fetch: async () => {
          feed.reads++;
          if (feed.isDown) throw new Error("gone");
          return Response.json(feed.message);
        },
      },
      COPY: { get: async () => (feed.copy === null ? null : new Response(feed.copy).body) },
      ...env,
    },
    now: () => clock.now,
    sleep: async (ms) => {
      clock.now += ms;
      await scheduler.wait(1);
    },
    defer: (work) => void deferred.push(work),
    log: (line) => void lines.push(line),
  });
  const saltOf = async (binding: string) => keys?.saltOf(binding, clock.now);
  const settled = () => Promise.all(deferred.splice(0));
  return { keys, feed, clock, saltOf, settled, lines };
};

/** As the platform might: where a key stands among all, from 0 to 1. */
const positionOf = async (versionKey: string): Promise<number> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(versionKey));
  return new DataView(digest).getUint32(0) / 2 ** 32;
};

const users = Array.from({ length: 4000 }, (_, number) => `user-${number}`);
const positionsBy = (salt: string | undefined): Promise<number[]> =>
  Promise.all(users.map((user) => positionOf(`${salt}${user}`)));

/** Of a table of two positions, each in ten parts: 81 degrees of freedom if they are independent. */
const chiSquared = (one: readonly number[], other: readonly number[]): number => {
  const cells = new Array<number>(100).fill(0);
  const tenth = (at: number | undefined) => Math.floor((at ?? 0) * 10);
  for (const [user, at] of one.entries()) {
    const cell = tenth(at) * 10 + tenth(other[user]);
    cells[cell] = (cells[cell] ?? 0) + 1;
  }
  const [rows, columns] = [(cell: number) => Math.floor(cell / 10), (cell: number) => cell % 10].map((part) =>
    cells.reduce<number[]>((sums, count, cell) => {
      sums[part(cell)] = (sums[part(cell)] ?? 0) + count;
      return sums;
    }, []),
  ) as [number[], number[]];
  return cells.reduce((sum, count, cell) => {
    const expected = ((rows[Math.floor(cell / 10)] ?? 0) * (columns[cell % 10] ?? 0)) / users.length;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
};

describe("the positions of the same users", () => {
  it("are independent in two Workers and in two epochs, and stay in one", async () => {
    const { feed, clock, saltOf, settled } = harness();
    feed.message = messageOf({ "gate-a": "first", "gate-b": "first" });
    const [a, b] = [await positionsBy(await saltOf("GATE_A")), await positionsBy(await saltOf("GATE_B"))];
    feed.message = messageOf({ "gate-a": "second", "gate-b": "first" }, 2);
    clock.now += 60_000;
    const [later, same] = [await positionsBy(await saltOf("GATE_A")), await positionsBy(await saltOf("GATE_B"))];
    await settled();
    // One of ten thousand pairs of independent positions has 137 or more. Equal ones have 36,000.
    expect(chiSquared(a, a)).toBeGreaterThan(30_000);
    for (const [one, other] of [
      [a, b],
      [a, later],
      [b, later],
    ] as const)
      expect(chiSquared(one, other)).toBeLessThan(137);
    expect(same).toEqual(b);
  });

  it("add users step by step while the share grows, and keep those before", async () => {
    const { saltOf, clock } = harness();
    let before: readonly string[] = [];
    for (const share of [0.01, 0.1, 0.5, 1]) {
      clock.now += 20_000;
      const positions = await positionsBy(await saltOf("GATE_A"));
      const canary = users.filter((_, index) => (positions[index] ?? 1) < share);
      expect(canary).toEqual(expect.arrayContaining([...before]));
      expect(canary.length / users.length).toBeCloseTo(share, 1);
      before = canary;
    }
    expect(before).toEqual(users);
  });

  it("are the same at two tiers of a shared gate, and behind every isolate of the front", async () => {
    const [one, other] = [harness(), harness()];
    expect(await one.saltOf("GATE_C")).toBe(await one.saltOf("GATE_D"));
    expect(await one.saltOf("GATE_A")).toBe(await other.saltOf("GATE_A"));
    expect(await one.saltOf("GATE_A")).toMatch(/^[\w-]{22}$/);
  });

  it("depend on the secret, which no salt shows", async () => {
    const [one, other] = [harness(), harness({ [splitSecret]: "t".repeat(43) })];
    expect(await one.saltOf("GATE_A")).not.toBe(await other.saltOf("GATE_A"));
  });
});

describe("the epochs", () => {
  it("are read before the first request is assigned, and cost a request nothing after that", async () => {
    const { keys, feed, clock, saltOf } = harness();
    const salt = await saltOf("GATE_A");
    expect(feed.reads).toBe(1);
    for (let request = 0; request < 100; request++) expect(keys?.saltOf("GATE_A", clock.now)).toBe(salt);
    expect(feed.reads).toBe(1);
  });

  it("are refreshed in the background, and waited for after ten seconds", async () => {
    const { keys, feed, clock, saltOf, settled } = harness();
    const salt = await saltOf("GATE_A");
    feed.message = messageOf({ "gate-a": "next" }, 2);
    clock.now += 9999;
    expect(keys?.saltOf("GATE_A", clock.now)).toBe(salt);
    await settled();
    const next = await saltOf("GATE_A");
    expect([feed.reads, next === salt]).toEqual([2, false]);
    feed.message = messageOf({ "gate-a": "third" }, 3);
    clock.now += 10_000;
    expect(await saltOf("GATE_A")).not.toBe(next);
  });

  it("stay the last ones while the feed is away, and the copy takes none of them back", async () => {
    const { feed, clock, saltOf, lines } = harness();
    feed.message = messageOf({ "gate-a": "now" }, 7);
    const salt = await saltOf("GATE_A");
    feed.isDown = true;
    feed.copy = JSON.stringify(messageOf({ "gate-a": "old" }, 6));
    clock.now += 60_000;
    expect(await saltOf("GATE_A")).toBe(salt);
    expect(lines).toMatchObject([{ type: "fault", tier: "front", code: "feed-lost" }]);
    feed.copy = JSON.stringify(messageOf({ "gate-a": "newer" }, 8));
    clock.now += 60_000;
    expect(await saltOf("GATE_A")).not.toBe(salt);
  });

  it("of an isolate that starts while the feed is away are those of the copy, else the first ones", async () => {
    const reached = harness();
    reached.feed.message = messageOf({ "gate-a": "now" });
    const started = harness();
    started.feed.isDown = true;
    started.feed.copy = JSON.stringify(messageOf({ "gate-a": "now" }));
    expect(await started.saltOf("GATE_A")).toBe(await reached.saltOf("GATE_A"));
    for (const copy of ["no JSON", "{}", `"${"x".repeat(2 ** 20)}"`, null]) {
      const alone = harness();
      Object.assign(alone.feed, { isDown: true, copy });
      expect(await alone.saltOf("GATE_A"), `${copy}`.slice(0, 20)).toBe(await harness().saltOf("GATE_A"));
    }
  });

  it("are awaited by requests that come during a refresh", async () => {
    const { feed, saltOf, clock } = harness();
    feed.message = messageOf({ "gate-a": "now" });
    const salts = await Promise.all([saltOf("GATE_A"), saltOf("GATE_A"), saltOf("GATE_A")]);
    expect([new Set(salts).size, feed.reads]).toEqual([1, 1]);
    expect(clock.now).toBeLessThan(1_002_000);
  });
});

it.each([
  ["no secret", { [splitSecret]: undefined }],
  ["a secret that is too short", { [splitSecret]: "short" }],
  ["no feed", { FEED_FRONT: undefined }],
])("a front with %s leaves the gray key as it is", (_, env) => {
  expect(harness(env).keys).toBeUndefined();
});
