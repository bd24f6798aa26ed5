/** Which clients keep their version of a gate's share, and which request ids are accepted. */
import { expect } from "vitest";
import type { Gateway, GatewayRow, RequestOptions } from "./gateway.ts";

const docs = "docs/manifest.md, Shares; envoyproxy/envoy, ring hash policies in order";

/** Which of the two services answered each. */
const versions = async (gateway: Gateway, path: string, asks: readonly RequestOptions[]): Promise<Set<string>> => {
  const answers = [];
  for (const ask of asks) answers.push(await gateway.ask(`GET /shares/${path}`, ask));
  return new Set(
    answers.map(({ status, body }) => (status === 200 ? JSON.parse(body).url.slice(1, 4) : String(status))),
  );
};

const both = new Set(["one", "two"]);

/** All of them are answered from one side. */
const stays = async (gateway: Gateway, path: string, asks: readonly RequestOptions[]): Promise<void> => {
  expect((await versions(gateway, path, asks)).size).toBe(1);
};

const times = (count: number, ask: (index: number) => RequestOptions): RequestOptions[] =>
  Array.from({ length: count }, (_, it) => ask(it));
const addresses = times(16, (it) => ({ from: `127.0.0.${it + 2}` }));

export const shares: readonly GatewayRow[] = [
  ...["weights", "moved"].flatMap((path): GatewayRow[] => [
    {
      it: `${path}: a client without a cookie stays on one side, by its address`,
      authority: docs,
      holds: async (gateway) => {
        for (const from of ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"])
          await stays(gateway, path, Array(6).fill({ from }));
      },
    },
    {
      it: `${path}: a browser that keeps no cookie stays on one side, too`,
      authority: docs,
      holds: async (gateway) => {
        const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" };
        await stays(gateway, path, Array(8).fill({ headers }));
      },
    },
    {
      it: `${path}: clients of many addresses are on both sides`,
      authority: docs,
      holds: async (gateway) => {
        expect(await versions(gateway, path, addresses)).toEqual(both);
      },
    },
    {
      it: `${path}: the cookie goes ahead of the address, and the configured header ahead of the cookie`,
      authority: docs,
      holds: async (gateway) => {
        const cookie = { cookie: "__Host-postern-gray=alice" };
        const [byCookie] = await versions(gateway, path, [{ headers: cookie }]);
        const anywhere = addresses.map((it) => ({ ...it, headers: cookie }));
        expect(await versions(gateway, path, anywhere)).toEqual(new Set([byCookie]));
        const keys = times(16, (it) => ({ headers: { ...cookie, "x-device-id": `device-${it}` } }));
        expect(await versions(gateway, path, keys)).toEqual(both);
        const device = { "x-device-id": "device-1" };
        const cookies = times(16, (it) => ({ headers: { ...device, cookie: `__Host-postern-gray=${it}` } }));
        await stays(gateway, path, cookies);
      },
    },
  ]),
  {
    it: "percent of a guard follows the address and no key that the client chose",
    authority: "docs/manifest.md, Shares; CWE-807",
    holds: async (gateway) => {
      const keys = times(16, (it) => ({ headers: { "x-device-id": `d${it}`, cookie: `__Host-postern-gray=c${it}` } }));
      await stays(gateway, "guarded", keys);
      expect(await versions(gateway, "guarded", addresses)).toEqual(new Set(["one", "403"]));
    },
  },
  {
    it: "a request id of the client is kept where the environment says so, in problem, header and service",
    authority: "envoyproxy/envoy, preserve_external_request_id; Heroku, HTTP Request IDs",
    holds: async (gateway) => {
      const id = "Root=1-67891233-abcdef012345678912345678";
      const answer = await gateway.ask("GET /open/item", { headers: { "x-request-id": id } });
      expect([answer.headers["x-request-id"], gateway.seen().headers["x-request-id"]]).toEqual([id, id]);
      const problem = await gateway.ask("GET /open/private", { headers: { "x-request-id": id } });
      expect(JSON.parse(problem.body)["request-id"]).toBe(id);
    },
  },
  {
    it: "a request id that is too long, empty, sent twice, or more than plain characters is replaced",
    authority: "CWE-117; Heroku, HTTP Request IDs",
    holds: async (gateway) => {
      for (const id of ["x".repeat(129), "", "a b", '"a"', "a,b", "<a>", "\u00e9", ["a", "b"]]) {
        const { headers } = await gateway.ask("GET /open/item", { headers: { "x-request-id": id } });
        expect(headers["x-request-id"]).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      }
      const longest = "x".repeat(128);
      expect(
        (await gateway.ask("GET /open/item", { headers: { "x-request-id": longest } })).headers["x-request-id"],
      ).toBe(longest);
    },
  },
  {
    it: "a trace that begins here has an id of its own, whatever the client calls its request",
    authority: "W3C Trace Context, 3.2.2.3",
    holds: async (gateway) => {
      const traces = new Set<unknown>();
      for (let again = 0; again < 3; again++) {
        await gateway.ask("GET /open/item", { headers: { "x-request-id": "same" } });
        traces.add(gateway.seen().headers.traceparent);
      }
      expect(traces.size).toBe(3);
    },
  },
];
