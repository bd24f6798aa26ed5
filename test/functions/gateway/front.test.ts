/** The front's headers for gates, across versions of front and gate. */
import { describe, expect, it } from "vitest";
import type { FrontAnswer } from "../../../functions/front/telemetry.ts";
import { front } from "../../../functions/front.ts";
import type { FrontPlan } from "../../../functions/gateway/core/plan.ts";
import type { Caller } from "../../../functions/gateway/core/types.ts";
import { clusterOf, frontClusterOf, networkCluster } from "../../../functions/gateway/observability/clusters.ts";
import {
  callerFromFront,
  frontVersionName,
  setCallerHeader,
  setForwardingHeaders,
} from "../../../functions/gateway/proxy/forwarding.ts";

const plan: FrontPlan = {
  grayKey: { header: "x-device-id", cookie: "postern-gray" },
  tiers: [{ tier: "a", binding: "GATE_A", hosts: ["a.example"], base: "/" }],
};

/** The request that the gate receives and the response that the client gets. */
const sendThroughFront = async (
  headers: Record<string, string>,
  more: Partial<FrontPlan> = {},
  reply = () => new Response("ok"),
) => {
  const gateHeaders: Headers[] = [];
  const gate = {
    fetch: async (request: Request) => {
      gateHeaders.push(new Headers(request.headers));
      return reply();
    },
  } as unknown as Fetcher;
  const request = new Request("https://a.example/", { headers: { "cf-connecting-ip": "203.0.113.7", ...headers } });
  const response = await front({ ...plan, ...more }).fetch(request, { GATE_A: gate }, { waitUntil: () => {} });
  return { gateHeaders: gateHeaders[0] as Headers, response };
};

const uuid = () => "00000000-0000-4000-8000-000000000001";

describe("the gray key", () => {
  it.each([
    [{ "x-device-id": "device-1" }, "device-1"],
    [{ cookie: "__Host-postern-gray=alice" }, "alice"],
    [{ cookie: "postern-gray=alice" }, "alice"],
    // Any sibling of the host can set this one.
    [{ cookie: "postern-gray=eve; __Host-postern-gray=alice" }, "alice"],
    [{ cookie: "__Secure-postern-gray=eve; __host-postern-gray=eve" }, null],
    [{ cookie: "__Host-postern-gray=two words; postern-gray=alice" }, "alice"],
    [{ "x-device-id": "device-1", cookie: "postern-gray=alice" }, "device-1"],
    [{ "x-device-id": "two words", cookie: "postern-gray=alice" }, "alice"],
    [{}, null],
    [{ "x-device-id": "x".repeat(129) }, null],
    [{ "sec-fetch-site": "cross-site" }, null],
    [{ "x-postern-caller": "forged" }, null],
  ] as [Record<string, string>, string | null][])("of %j is %j for the gate's shares", async (headers, key) => {
    const { gateHeaders } = await sendThroughFront(headers);
    expect(callerFromFront(gateHeaders, uuid)).toMatchObject({ grayKey: key, ip: "203.0.113.7" });
    // The platform's split always has one.
    expect(gateHeaders.get("cloudflare-workers-version-key")).toMatch(/^[\w.:@-]{1,128}$/);
  });

  it.each([
    [
      "a browser without one",
      {},
      /^__Host-postern-gray=[0-9a-f-]{36}; Path=\/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax$/,
    ],
    ["a browser that has it from the release before", { cookie: "postern-gray=alice" }, /^__Host-postern-gray=alice; /],
    ["a browser whose cookie is no key", { cookie: "__Host-postern-gray=a b" }, /^__Host-postern-gray=[0-9a-f-]{36}; /],
    ["a browser that has it", { cookie: "__Host-postern-gray=alice" }, null],
    ["an app with its header", { "x-device-id": "d", cookie: "postern-gray=alice" }, null],
  ] as [string, Record<string, string>, RegExp | null][])("as a cookie, of %s", async (_, headers, expected) => {
    for (const cookie of ["postern-gray", "__Host-postern-gray", "__Secure-postern-gray"]) {
      const { response } = await sendThroughFront(
        { "sec-fetch-site": "none", ...headers },
        { grayKey: { header: "x-device-id", cookie } },
      );
      const set = response.headers.getSetCookie();
      expect(set.length).toBe(expected === null ? 0 : 1);
      if (expected) {
        // Browsers refuse the prefix with a Domain, another Path, or without Secure.
        expect(set[0]).toMatch(expected);
        expect(set[0]).not.toMatch(/domain/i);
      }
    }
  });

  it.each(["postern-gray", "__Host-postern-gray"])("cannot be set by a service, with the cookie %s", async (cookie) => {
    const lines = ["a=1; Path=/", "__Host-postern-gray=eve; Path=/; Secure", " postern-gray =eve", "x-postern-gray=2"];
    const reply = () => new Response("ok", { headers: lines.map((line): [string, string] => ["set-cookie", line]) });
    const { response } = await sendThroughFront({ "sec-fetch-site": "none" }, { grayKey: { cookie } }, reply);
    const [first, second, third, ...more] = response.headers.getSetCookie();
    expect([first, second, third?.split("=")[0], more]).toEqual([lines[0], lines[3], "__Host-postern-gray", []]);
    expect(third).not.toContain("eve");
    expect(await response.text()).toBe("ok");
  });

  it("that the front generated is a usual key to an older gate, which does not forward the mark", async () => {
    const { gateHeaders } = await sendThroughFront({});
    const [key, ...gateOnlyHeaders] = (gateHeaders.get("x-postern-caller") ?? "").split(" ");
    expect(key).toBe(gateHeaders.get("cloudflare-workers-version-key"));
    expect(gateOnlyHeaders.filter((name) => gateHeaders.has(name))).toEqual([]);
    setForwardingHeaders(gateHeaders, callerFromFront(gateHeaders, uuid), new URL("https://a.example/"));
    expect([...gateHeaders.keys()].filter((name) => name.startsWith("x-postern"))).toEqual([]);
  });

  it("of an older front without the mark is used as before", () => {
    const headers = new Headers({ "x-request-id": uuid(), traceparent: "00-1-2-01" });
    setCallerHeader(headers, "device-1", ["postern-explain"]);
    expect(callerFromFront(headers, uuid).grayKey).toBe("device-1");
  });
});

describe("the version key", () => {
  const send = async (salt: string | Promise<string>, headers: Record<string, string>) => {
    let gateHeaders = new Headers();
    const gate = {
      fetch: async (request: Request) => {
        gateHeaders = new Headers(request.headers);
        return new Response("ok");
      },
    } as unknown as Fetcher;
    const app = front(plan, undefined, undefined, () => ({ saltOf: (binding) => (binding === "GATE_A" ? salt : "") }));
    await app.fetch(new Request("https://a.example/", { headers }), { GATE_A: gate }, { waitUntil: () => {} });
    return gateHeaders;
  };

  it.each<[string, string | Promise<string>]>([
    ["known", "s".repeat(22)],
    ["computed for the first time", Promise.resolve("s".repeat(22))],
  ])("is the gate's salt and the gray key, if the salt is %s", async (_, salt) => {
    for (const key of ["device-1", "x".repeat(128)]) {
      const headers = await send(salt, { "x-device-id": key, "cloudflare-workers-version-key": "forged" });
      expect(headers.get("cloudflare-workers-version-key")).toBe(`${"s".repeat(22)}${key}`);
      // Shares of weights and cutovers are of the gray key, and stay as they are.
      expect(callerFromFront(headers, uuid).grayKey).toBe(key);
    }
  });

  it("is forwarded to no service", async () => {
    const headers = await send("salt", {});
    setForwardingHeaders(headers, callerFromFront(headers, uuid), new URL("https://a.example/"));
    expect(headers.get("cloudflare-workers-version-key")).toBeNull();
  });
});

describe("the version of the front", () => {
  const recorded: FrontAnswer[] = [];
  const telemetry = {
    version: "f1",
    versionName: frontVersionName("f1"),
    recordAnswer: (_: unknown, answer: FrontAnswer) => void recorded.push(answer),
    recordDeath: () => {},
  };
  const label = { versions: 'postern-front="f1"', tiers: ["a"] };
  const send = async (headers: Record<string, string>, url = "https://a.example/") => {
    recorded.length = 0;
    let gateHeaders = new Headers();
    const gate = {
      fetch: async (request: Request) => {
        gateHeaders = new Headers(request.headers);
        return new Response("ok");
      },
    } as unknown as Fetcher;
    const app = front(plan, async (text) => (text === "valid" ? label : undefined), telemetry);
    const response = await app.fetch(new Request(url, { headers }), { GATE_A: gate }, { waitUntil: () => {} });
    return { response, gateHeaders, caller: callerFromFront(gateHeaders, uuid) };
  };

  it("is known to gates, and forwarded to no service", async () => {
    const { caller, gateHeaders, response } = await send({});
    expect(caller).toMatchObject({ frontVersion: "f1" });
    expect(caller.gateOnlyHeaders?.join()).not.toContain("f1");
    setForwardingHeaders(gateHeaders, caller, new URL("https://a.example/"));
    expect([...gateHeaders.keys()].filter((name) => name.startsWith("x-postern"))).toEqual([]);
    expect(response.headers.get("postern-front-version")).toBeNull();
    expect(recorded).toMatchObject([{ tier: "a", status: 200, code: "", choosesVersion: false }]);
  });

  it("is a header's name to an older gate, which finds no such header", async () => {
    const { gateHeaders } = await send({});
    const [, ...names] = (gateHeaders.get("x-postern-caller") ?? "").split(" ");
    expect(() => names.forEach((name) => void gateHeaders.delete(name))).not.toThrow();
  });

  it("is not measured by a client that chose it", async () => {
    const { caller } = await send({ "cloudflare-workers-version-overrides": 'postern-front="f1"' });
    expect(caller.frontVersion).toBeUndefined();
    expect(recorded).toMatchObject([{ choosesVersion: true }]);
  });

  it("is measured by the network of a client that chose it by a version key of its own", async () => {
    const key = { "cloudflare-workers-version-key": "canary", "cf-connecting-ip": "203.0.113.7" };
    const numbers = [true, false].map((dealt) => networkCluster("203.0.113.7", dealt));
    const clustersOf = (it: Caller) => {
      const context = { caller: it, facts: new Map() };
      return [clusterOf(context), frontClusterOf(context, clusterOf(context)), recorded[0]?.cluster];
    };
    const brought = await send(key);
    expect(brought.caller).toMatchObject({ frontVersion: "f1", grayKey: null });
    expect(brought.gateHeaders.get("cloudflare-workers-version-key")).not.toBe("canary");
    // No client chooses the version of the gate.
    expect(clustersOf(brought.caller)).toEqual([numbers[0], numbers[1], numbers[1]]);
    // The zone's rules set it from the gray key.
    const kept = await send({ ...key, cookie: "__Host-postern-gray=canary" });
    expect(kept.caller).toMatchObject({ frontVersion: "f1", grayKey: "canary" });
    expect(clustersOf(kept.caller)).toEqual([numbers[1], numbers[1], numbers[1]]);
  });

  it("is measured by clients' networks, and by requests that were dealt", async () => {
    const ip = { "cf-connecting-ip": "203.0.113.7" };
    await send(ip);
    expect(recorded).toMatchObject([{ cluster: networkCluster("203.0.113.9", true) }]);
    await send({ ...ip, cookie: "__Host-postern-gray=me" });
    expect(recorded).toMatchObject([{ cluster: networkCluster("203.0.113.9", false) }]);
  });

  it("cannot be forged by a client", async () => {
    const { caller } = await send({ "x-postern-caller": "me x-postern-front-f9", "x-postern-front-f9": "1" });
    expect(caller.frontVersion).toBe("f1");
  });

  it("is told to testers, whom nobody counts", async () => {
    const { response, caller } = await send({ "postern-label": "valid" });
    expect(response.headers.get("postern-front-version")).toBe("f1");
    expect(caller).toMatchObject({ tester: true, frontVersion: undefined });
    expect(recorded).toEqual([]);
    expect((await send({ "postern-label": "forged" })).response.headers.get("postern-front-version")).toBeNull();
  });

  it("counts what belongs to no tier", async () => {
    await send({}, "https://b.example/");
    expect(recorded).toMatchObject([{ tier: null, status: 404, code: "host-unknown" }]);
  });
});

describe("the client's request id", () => {
  it("is replaced by default, and kept if the environment accepts it", async () => {
    const id = { "x-request-id": "mine" };
    expect((await sendThroughFront(id)).gateHeaders.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect((await sendThroughFront(id, { requestId: { accept: true } })).gateHeaders.get("x-request-id")).toBe("mine");
    expect((await sendThroughFront({}, { requestId: { accept: true } })).gateHeaders.get("x-request-id")).toMatch(
      /^[0-9a-f-]{36}$/,
    );
  });

  it("is in problems of the front, too", async () => {
    const request = new Request("https://b.example/", { headers: { "x-request-id": "mine" } });
    const app = front({ ...plan, requestId: { accept: true } });
    const response = await app.fetch(request, { GATE_A: {} as Fetcher }, { waitUntil: () => {} });
    expect([response.status, response.headers.get("x-request-id")]).toEqual([404, "mine"]);
    expect(((await response.json()) as Record<string, unknown>)["request-id"]).toBe("mine");
  });
});
