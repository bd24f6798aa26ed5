/** Isolation of tiers: a broken or forged neighbour does not affect the others. */
import fs from "node:fs";
import type http from "node:http";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { findAccessLine, manifest, runProject, runService, sharedProject } from "./project.ts";

const tiers = (url: string, names: readonly string[]) =>
  Object.fromEntries(
    names.map((name) => [
      `routes/${name}.yaml`,
      manifest(name, `upstreams: { it: { http: "${url}" } }\nroutes: { all: { match: "ANY /{rest*}", to: it } }\n`),
    ]),
  );

const throws = (folder: string, gate: string, code: string) =>
  fs.writeFileSync(path.join(folder, "gates", gate, "gate.js"), code);

/** Weights and a guard under percent, for who brings a gray key. */
const gray = (url: string) =>
  manifest(
    "gray",
    `upstreams: { one: { http: "${url}/one" }, two: { http: "${url}/two" } }
routes:
  shared: { match: GET /shared, to: [{ one: 50 }, { two: 50 }] }
  guarded:
    match: GET /guarded
    filters: [{ ip: { deny: [192.0.2.1] } }, { ip: { allow: [192.0.2.1] }, id: new, percent: 50% }]
    to: one
`,
  );

const nested = (url: string) =>
  manifest(
    "nested",
    `upstreams: { it: { http: "${url}/nested" } }\nroutes: { all: { match: "ANY /{rest*}", to: it } }\n`,
  ).replace("base: /nested", "base: /a/deep");

/** Two gates that throw, beside good ones. */
const withService = sharedProject(
  (url) => ({
    ...tiers(url, ["good", "bad", "worse", "zone", "a"]),
    "routes/gray.yaml": gray(url),
    "routes/nested.yaml": nested(url),
    "routes/environments/local.yaml": "front: { gray-key: { header: x-device-id } }\n",
  }),
  {
    onEmitted: (folder) => {
      throws(folder, "bad", `throw new Error("boom at start"); export class Behind {}; export default {};`);
      throws(
        folder,
        "worse",
        `import { WorkerEntrypoint } from "cloudflare:workers";
         export class Behind extends WorkerEntrypoint { fetch() { throw new Error("boom"); } }
         export default { fetch() { throw new Error("boom"); } };`,
      );
    },
  },
);

const get = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init);
  const text = await response.text();
  const id = response.headers.get("x-request-id") ?? "";
  return { id, status: response.status, code: text.startsWith("{") ? JSON.parse(text).code : undefined, text };
};

describe("one tier that throws", () => {
  it("at start: its requests get a 503, those of the others are untouched", async () => {
    const { url, refused } = withService();
    expect(refused["gate-bad-local"]).toContain("boom at start");
    for (let tries = 0; tries < 20; tries++) {
      expect(await get(`${url}/bad/x`)).toMatchObject({ status: 503, code: "tier-not-deployed" });
      expect(await get(`${url}/good/x`)).toMatchObject({ status: 200, text: "ok" });
    }
  });

  it("at each request: the same", async () => {
    const { url } = withService();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => get(`${url}/${index % 2 ? "worse" : "good"}/x`)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(answers.filter(({ code }) => code === "gate-unavailable")).toHaveLength(20);
    expect(answers.map(({ text }) => text).join()).not.toContain("boom");
  });
});

describe("forged internal headers", () => {
  const forged = {
    "x-postern-caller": "forged x-postern-smoke",
    "x-postern-smoke": "forged",
    "cloudflare-workers-version-key": "forged",
    "cloudflare-workers-version-overrides": 'gate-wallet="old"',
    "x-forwarded-for": "10.0.0.1",
    "x-request-id": "forged",
  };
  const echo: http.RequestListener = (request, response) => response.end(JSON.stringify(request.headers));

  it("at a gate without its front are an untrusted client's: none is believed, none is forwarded", async () => {
    const upstream = await runService(echo);
    const { url, lines } = await runProject(tiers(upstream.url, ["zone"]), { onlyGate: "zone" });
    const response = await fetch(`${url}/zone/x`, { headers: forged });
    expect(response.headers.get("x-request-id")).not.toBe("forged");
    const seen = (await response.json()) as Record<string, string>;
    expect(JSON.stringify(seen)).not.toContain("forged");
    expect(seen["x-forwarded-for"]).not.toContain("10.0.0.1");
    await findAccessLine({ lines }, response.headers.get("x-request-id") ?? "");
    expect(lines.join()).not.toContain("forged");
  });

  it("at the front are the same", async () => {
    const { url, lines } = withService(echo);
    const response = await fetch(`${url}/zone/x`, { headers: forged });
    expect(response.headers.get("x-request-id")).not.toBe("forged");
    const seen = (await response.json()) as Record<string, string>;
    expect(JSON.stringify(seen)).not.toContain("forged");
    expect(Object.keys(seen).filter((name) => /^(?:x-postern|cloudflare-workers)/.test(name))).toEqual([]);
    await findAccessLine({ lines }, response.headers.get("x-request-id") ?? "");
    expect(lines.join()).not.toContain("forged");
  });
});

describe("the front", () => {
  it("finds the tier with the longest base, at a segment's border", async () => {
    const { url, ...project } = withService((request, response) => response.end(request.url));
    expect((await get(`${url}/a/x`)).text).toBe("/a/x");
    expect((await get(`${url}/a/deep/x`)).text).toBe("/nested/a/deep/x");
    expect((await get(`${url}/a/deeper`)).text).toBe("/a/deeper");
    const unknown = await get(`${url}/ab`);
    expect(unknown).toMatchObject({ status: 404, code: "route-unknown" });
    expect(await findAccessLine(project, unknown.id)).toMatchObject({
      type: "access",
      tier: null,
      status: 404,
      by: "front",
      code: "route-unknown",
    });
  });

  it("keeps a browser on one version by a cookie, an app by its header, and bothers nobody else", async () => {
    const { url } = withService();
    const cookie = async (headers: Record<string, string>) =>
      (await fetch(`${url}/a/x`, { headers })).headers.get("set-cookie");
    expect(await cookie({})).toBeNull();
    expect(await cookie({ "sec-fetch-site": "none" })).toMatch(
      /^__Host-postern-gray=[0-9a-f-]{36}; Path=\/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax$/,
    );
    expect(await cookie({ "sec-fetch-site": "none", cookie: "__Host-postern-gray=abc" })).toBeNull();
    expect(await cookie({ "sec-fetch-site": "none", cookie: "postern-gray=abc" })).toMatch(/^__Host-postern-gray=abc;/);
    expect(await cookie({ "sec-fetch-site": "none", "x-device-id": "device-7" })).toBeNull();
    // A key that is no plain word is none.
    expect(await cookie({ "sec-fetch-site": "none", "x-device-id": "a b,c" })).not.toBeNull();
  });

  it("names the request, and the gate behind it believes the name", async () => {
    const upstream = await runService((request, response) => response.end(String(request.headers["x-request-id"])));
    const { url, lines } = await runProject(tiers(upstream.url, ["a"]), {
      onEmitted: (folder) => {
        const front = path.join(folder, "front/front.js");
        fs.writeFileSync(
          front,
          fs.readFileSync(front, "utf8").replaceAll("crypto.randomUUID()", '"11111111-2222-4333-8444-555555555555"'),
        );
      },
    });
    expect((await get(`${url}/a/x`)).text).toBe("11111111-2222-4333-8444-555555555555");
    expect(lines.map((line) => JSON.parse(line).request)).toEqual(["11111111-2222-4333-8444-555555555555"]);
  });

  it("hands the gray key on: weights follow it, and a guard under percent does not", async () => {
    const { url } = withService((request, response) => response.end(request.url));
    const seen = async (path: string) => {
      const all = new Set<string>();
      for (let user = 0; user < 20; user++) {
        const headers = { cookie: `__Host-postern-gray=user-${user}` };
        const [first, second] = [await get(url + path, { headers }), await get(url + path, { headers })];
        expect([first.status, first.text.slice(0, 4)]).toEqual([second.status, second.text.slice(0, 4)]);
        all.add(first.status === 200 ? first.text.slice(0, 4) : String(first.status));
      }
      return all;
    };
    expect(await seen("/gray/shared")).toEqual(new Set(["/one", "/two"]));
    expect((await seen("/gray/guarded")).size).toBe(1);
  });

  it("no key that a client chose takes it out of a guard's percent", async () => {
    const { url } = withService();
    // Whatever says who a client is, or where it comes from, in words of its own.
    const attempts = (value: string): Record<string, string>[] => [
      { cookie: `__Host-postern-gray=${value}` },
      { cookie: `postern-gray=${value}` },
      { "x-device-id": value },
      { "cloudflare-workers-version-key": value },
      { "x-postern-caller": value },
      { "x-postern-caller": `${value} postern-smoke` },
      { "x-forwarded-for": `203.0.113.${value}` },
      { "x-real-ip": `203.0.113.${value}` },
      { "true-client-ip": `203.0.113.${value}` },
      { forwarded: `for=203.0.113.${value}` },
      { "x-request-id": value },
      { traceparent: `00-${value.padStart(32, "0")}-00f067aa0ba902b7-01` },
      { authorization: `Bearer ${value}` },
      { "user-agent": value },
    ];
    const statuses = new Set<number>();
    for (let value = 1; value < 40; value++)
      for (const headers of attempts(String(value)))
        statuses.add((await get(`${url}/gray/guarded`, { headers })).status);
    expect(statuses.size).toBe(1);
  });

  it("continues a trace from the client to the service", async () => {
    const { url } = withService((request, response) => response.end(String(request.headers.traceparent)));
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const { text } = await get(`${url}/a/x`, { headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` } });
    expect(text).toMatch(new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
  });
});
