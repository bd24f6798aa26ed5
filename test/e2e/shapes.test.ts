/** One manifest in three forms of isolation: a gate of its own, routes with gates of their own, a shared gate. */
import fs from "node:fs";
import type http from "node:http";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { manifest, sharedProject } from "./project.ts";

const routes = (url: string, isolation = "") => `${isolation}filters: [{ cors: { origins: [https://app.example] } }]
upstreams: { it: { http: "${url}" }, slow: { http: "${url}/slow", timeout: 5s } }
routes:
  item: { match: "GET /items/{id}", to: it }
  special: { match: "GET /items/special", to: it, path: /chosen ISOLATION }
  open: { match: "POST /items/{id}/open", to: it ISOLATION, filters: [{ body-limit: 1KiB }] }
  beta: { match: "GET /items/{id}", when: { header: { x-beta: present } }, to: slow ISOLATION }
  forged: { match: "GET /items/{id}", when: { header: { x-real-ip: present, x-beta: absent } }, to: slow ISOLATION }
  constructor: { match: "GET /constructor", to: it }
  rest: { match: "ANY /rest/{rest*}", to: it }
  closed: { match: "GET /closed", to: it, closed: { retry-after: 1h, detail: Back at noon } }
`;

const shapes = (url: string) => ({
  "routes/plain.yaml": manifest("plain", routes(url).replaceAll(" ISOLATION", "")),
  "routes/lifted.yaml": manifest("lifted", routes(url).replaceAll(" ISOLATION", ", isolation: route")),
  "routes/small.yaml": manifest("small", routes(url, "isolation: shared\n").replaceAll(" ISOLATION", "")),
  "routes/other.yaml": manifest(
    "other",
    `isolation: shared\nupstreams: { it: { http: "${url}" } }\nroutes: { one: { match: GET /one, to: it } }\n`,
  ),
});

const answer: http.RequestListener = (request, response) => response.end(`${request.method} ${request.url}`);
const withService = sharedProject(shapes);

const browser = { origin: "https://app.example" };
const questions: readonly (readonly [string, RequestInit?])[] = [
  ["/items/7"],
  ["/items/special"],
  ["/items/special?a=1&b"],
  ["/items/7", { headers: { "x-beta": "1" } }],
  // What strangers say of themselves is removed ahead of every condition.
  ["/items/7", { headers: { "x-real-ip": "10.0.0.1" } }],
  ["/constructor"],
  ["/items/7/open", { method: "POST", body: "x" }],
  ["/items/7/open", { method: "POST", body: "x".repeat(2000) }],
  ["/items/7/open"],
  ["/items/7/open", { method: "OPTIONS" }],
  ["/items/7/open", { method: "OPTIONS", headers: { ...browser, "access-control-request-method": "POST" } }],
  ["/items/7", { method: "OPTIONS", headers: { ...browser, "access-control-request-method": "DELETE" } }],
  ["/items/7", { method: "HEAD" }],
  ["/items/7", { method: "DELETE" }],
  ["/rest/a/b", { method: "PUT", body: "y" }],
  ["/none"],
  ["/items/%2e%2e/x"],
  ["/items/a%2fb"],
  ["/items/%73pecial"],
  ["/closed"],
  ["/closed", { method: "OPTIONS", headers: { ...browser, "access-control-request-method": "GET" } }],
];

const ask = async (url: string, tier: string, [target, init]: (typeof questions)[number]) => {
  const response = await fetch(`${url}/${tier}${target}`, init);
  const text = await response.text();
  const headers = [
    "allow",
    "access-control-allow-origin",
    "access-control-allow-methods",
    "retry-after",
    "content-type",
  ].map((it) => response.headers.get(it));
  return {
    target,
    status: response.status,
    text: text.replace(/"request-id":"[^"]*"/, "").replaceAll(tier, "TIER"),
    headers,
  };
};

it("the three of them answer alike", async () => {
  const { url, lines } = withService(answer);
  for (const question of questions) {
    const plain = await ask(url, "plain", question);
    expect(await ask(url, "lifted", question)).toEqual(plain);
    expect(await ask(url, "small", question)).toEqual(plain);
  }
  const statuses = await Promise.all(questions.map((question) => ask(url, "lifted", question)));
  expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([200, 204, 400, 404, 405, 413, 503]));
  expect(statuses.filter(({ text }) => text.includes("Back at noon")).map(({ headers }) => headers[3])).toEqual([
    "3600",
    "3600",
  ]);
  const of = (tier: string) =>
    lines.map((line) => JSON.parse(line)).filter((it) => it.type === "access" && it.tier === tier);
  expect(new Set(of("lifted").map(({ route }) => route))).toEqual(new Set(of("plain").map(({ route }) => route)));
});

const throws = (folder: string, gate: string, code: string) =>
  fs.writeFileSync(path.join(folder, "gates", gate, "gate.js"), code);

const atStart = `throw new Error("boom"); export class Behind {}; export default {};`;
const atRequest = `import { WorkerEntrypoint } from "cloudflare:workers";
export class Behind extends WorkerEntrypoint { fetch() { throw new Error("boom"); } }
export default { fetch() { throw new Error("boom"); } };`;

const needy = (url: string) => `isolation: shared
filters: [{ headers: { request: { set: { x-token: { secret: MISSING_TOKEN } } } } }]
upstreams: { it: { http: "${url}" } }\nroutes: { one: { match: GET /one, to: it } }\n`;

/** Two gates that throw at start, two at each request, and a tier of the shared gate whose secret is missing. */
const breaking = sharedProject(
  (url) => ({
    ...shapes(url),
    "routes/needy.yaml": manifest("needy", needy(url)),
    ...Object.fromEntries(
      ["headless", "cut", "beheaded"].map((tier) => [
        `routes/${tier}.yaml`,
        manifest(tier, routes(url).replaceAll(" ISOLATION", ", isolation: route")),
      ]),
    ),
  }),
  {
    onEmitted: (folder) => {
      for (const gate of ["lifted--open", "headless"]) throws(folder, gate, atStart);
      for (const gate of ["cut--open", "beheaded"]) throws(folder, gate, atRequest);
    },
  },
);

describe.each([
  ["at start", "lifted", "headless"],
  ["at each request", "cut", "beheaded"],
])("a gate that throws %s", (_, whole, headless) => {
  it("of one route leaves the rest of its tier alone", async () => {
    const { url } = breaking(answer);
    expect((await fetch(`${url}/${whole}/items/7/open`, { method: "POST" })).status).toBe(503);
    for (const target of [`/${whole}/items/7`, `/${whole}/items/special`, "/plain/items/7"])
      expect((await fetch(`${url}${target}`)).status).toBe(200);
  });

  it("of a tier leaves its lifted routes alone", async () => {
    const { url } = breaking(answer);
    expect((await fetch(`${url}/${headless}/items/7`)).status).toBe(503);
    expect((await fetch(`${url}/${headless}/items/7/open`, { method: "POST" })).status).toBe(200);
  });
});

it("of tiers that share a gate, one that cannot be linked answers for itself alone, and says why to the log only", async () => {
  const { url, lines } = breaking(answer);
  const before = lines.length;
  const refused = await fetch(`${url}/needy/one`);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await refused.text()).not.toContain("MISSING_TOKEN");
  expect(lines.slice(before).map((line) => JSON.parse(line))).toMatchObject([
    { type: "fault", tier: "needy", cause: expect.stringContaining("the secret MISSING_TOKEN is not set") },
    { type: "access", tier: "needy", status: 503, verdict: "failed", code: "gate-unavailable" },
  ]);
  expect((await fetch(`${url}/small/items/7`)).status).toBe(200);
  expect((await fetch(`${url}/other/one`)).status).toBe(200);
});

it("a shared gate's binding names the tier, and no request can", async () => {
  const { url } = withService(answer);
  const forged = { "x-postern-tier": "small", host: "localhost" };
  expect((await fetch(`${url}/other/items/7`, { headers: forged })).status).toBe(404);
});

it("each gate holds the parts and upstreams that it uses, and no more", () => {
  const gates = path.join(withService().root, ".build/local/gates");
  const bytes = Object.fromEntries(
    fs.readdirSync(gates).map((gate) => {
      const read = (file: string) => fs.readFileSync(path.join(gates, gate, file), "utf8");
      return [gate, read("gate.js") + read("plan.js")];
    }),
  );
  expect(Object.keys(bytes).sort()).toEqual([
    "lifted",
    "lifted--beta",
    "lifted--forged",
    "lifted--open",
    "lifted--special",
    "plain",
    "shared",
  ]);
  const holds = (mark: string) =>
    Object.keys(bytes)
      .filter((gate) => bytes[gate]?.includes(mark))
      .sort();
  expect(holds('"use":"body-limit"')).toEqual(["lifted--open", "plain", "shared"]);
  expect(holds('/slow"')).toEqual(["lifted--beta", "lifted--forged", "plain", "shared"]);
  expect(holds("access-control-max-age")).toEqual(Object.keys(bytes).sort());
});
