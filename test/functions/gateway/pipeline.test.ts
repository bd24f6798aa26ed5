/** The filter chain: order, shadowed guards and shares of users. */
import { expect, it } from "vitest";
import { Consumer, getFact, setFact } from "../../../functions/gateway/core/facts.ts";
import { hashPosition } from "../../../functions/gateway/core/pipeline.ts";
import { Fault, gatewayCodes, refuse } from "../../../functions/gateway/core/problems.ts";
import type { Caller, Guard, Layer } from "../../../functions/gateway/core/types.ts";
import { gateHarness } from "../gate-harness.ts";

const codes = { no: { status: 403, title: "No" } };

const marks = () => {
  const trail: string[] = [];
  const guard =
    (name: string): (() => Guard) =>
    () =>
    () =>
      void trail.push(name);
  const layer =
    (name: string): (() => Layer) =>
    () =>
    (next) =>
    async (request, context) => {
      trail.push(`${name}(`);
      const response = await next(request, context);
      trail.push(`)${name}`);
      return response;
    };
  return { trail, guard, layer };
};

it("runs filters in the order written, layers around all that follows them", async () => {
  const { trail, guard, layer } = marks();
  const { send } = gateHarness(
    { a: guard("a"), L: layer("L"), b: guard("b"), M: layer("M"), c: guard("c") },
    { filters: { L: { kind: "layer" }, M: { kind: "layer" } } },
  );
  await send("GET /");
  expect(trail.join(" ")).toBe("a L( b M( c )M )L");
});

it("stops at the first refusal, and logs the filter", async () => {
  const { trail, guard } = marks();
  const { send } = gateHarness({
    first: guard("first"),
    guard: () => async (_, context) => refuse(context, codes, "no"),
    last: guard("last"),
  });
  const { status, code, upstream, line } = await send("GET /");
  expect({ status, code, verdict: line?.verdict, by: line?.by }).toEqual({
    status: 403,
    code: "no",
    verdict: "refused",
    by: "guard",
  });
  expect(upstream).toHaveLength(0);
  expect(trail).toEqual(["first"]);
});

const nosy = (): Guard => (_, context) => {
  setFact(context, Consumer, { id: "trusted", labels: {} });
  context.outbound.push(["set", "x-forged", "yes"]);
  context.inbound.push(["set", "x-forged", "yes"]);
  return refuse(context, codes, "no");
};

it("a shadowed guard is recorded, lets requests pass, and has no effect", async () => {
  let learnt: unknown = "unset";
  const { send } = gateHarness(
    {
      nosy,
      after: () => (_, context) => {
        learnt = getFact(context, Consumer);
        return undefined;
      },
    },
    { filters: { nosy: { mode: "shadow" } } },
  );
  const { status, upstream, headers, line } = await send("GET /");
  expect(status).toBe(200);
  expect(upstream[0]?.headers["x-forged"]).toBeUndefined();
  expect(headers["x-forged"]).toBeUndefined();
  expect(learnt).toBeUndefined();
  expect(line).toMatchObject({ verdict: "passed", shadow: { nosy: "no" } });
});

it("a shadowed guard that throws, now or later, lets requests pass", async () => {
  const { send } = gateHarness(
    {
      throws: () => () => {
        throw new Error("at once");
      },
      rejects: () => async () => {
        throw new Error("later");
      },
    },
    { filters: { throws: { mode: "shadow" }, rejects: { mode: "shadow" } } },
  );
  const { status, line } = await send("GET /");
  expect(status).toBe(200);
  expect(line).toMatchObject({ shadow: { throws: "failed", rejects: "failed" } });
});

it.each([
  ["is refused a place", () => new Fault(gatewayCodes, "gate-busy"), 503],
  ["fails in a way of its own", () => new Error("a bug"), 500],
])("a shadowed guard that has read the body and then %s fails the request", async (_, fault, status) => {
  const reading = () => async (request: Request) => {
    await request.arrayBuffer();
    throw fault();
  };
  const { send } = gateHarness({ reading }, { filters: { reading: { mode: "shadow" } } });
  const { upstream, ...received } = await send("POST /", { body: "all of it", headers: { "content-length": "9" } });
  expect([received.status, upstream]).toEqual([status, []]);
});

it("a filter with mode: off does not run", async () => {
  const { send } = gateHarness({ nosy }, { filters: { nosy: { mode: "off" } } });
  expect((await send("GET /")).status).toBe(200);
});

it("percent selects a stable share of users", async () => {
  const statuses = async (percent: string) => {
    const all: number[] = [];
    for (let user = 0; user < 400; user++) {
      const ip = `198.51.${user >> 8}.${user & 255}`;
      const { send } = gateHarness({ nosy }, { filters: { nosy: { percent } }, caller: { ip } });
      const [first, second] = [(await send("GET /")).status, (await send("GET /")).status];
      expect(first).toBe(second);
      all.push(first);
    }
    return all;
  };
  const few = await statuses("10%");
  const more = await statuses("50%");
  const refused = (all: number[]) => all.filter((status) => status === 403).length;
  expect(refused(few)).toBeGreaterThan(20);
  expect(refused(few)).toBeLessThan(60);
  expect(refused(more)).toBeGreaterThan(160);
  expect(refused(more)).toBeLessThan(240);
  // No user is moved back when the share rises.
  expect(few.every((status, user) => status !== 403 || more[user] === 403)).toBe(true);
});

it("percent ignores keys of clients, and takes an IPv6 client by its /64", async () => {
  const statuses = async (callers: readonly Partial<Caller>[]) => {
    const all = callers.map(async (caller) => {
      const { send } = gateHarness({ nosy }, { filters: { nosy: { percent: "50%" } }, caller });
      return (await send("GET /")).status;
    });
    return new Set(await Promise.all(all));
  };
  const numbers = Array.from({ length: 40 }, (_, index) => index);
  expect((await statuses(numbers.map((it) => ({ grayKey: `key-${it}` })))).size).toBe(1);
  expect((await statuses(numbers.map((it) => ({ ip: `2001:db8:1:2::${it.toString(16)}` })))).size).toBe(1);
  expect((await statuses(numbers.map((it) => ({ ip: `2001:db8:1:${it.toString(16)}::1` })))).size).toBe(2);
});

it("percent does not exempt unknown users", async () => {
  const { send } = gateHarness({ nosy }, { filters: { nosy: { percent: "1%" } }, caller: { grayKey: null, ip: null } });
  expect((await send("GET /")).status).toBe(403);
});

it("hash positions are uniform in [0, 1)", () => {
  const buckets = new Array(10).fill(0);
  for (let key = 0; key < 10_000; key++) buckets[Math.floor(hashPosition(`jwt\nuser-${key}`) * 10)]++;
  for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
