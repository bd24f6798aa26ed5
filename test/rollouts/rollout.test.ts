/** Rollouts on a local cloud, uploaded by real wrangler, under users: a good version arrives, and bad ones come back by themselves. */
import type http from "node:http";
import { describe, expect, it } from "vitest";
import { manifest, service } from "../e2e/city.ts";
import { place, users } from "./ramp.ts";

const steps = ["0%", "20%", "100%"];

/** CI tries three of the six. */
const full = process.env.POSTERN_FULL === "1";

/** Fast steps, and what a laptop's noise allows. */
const release = `release: { steps: [${steps.map((step) => `"${step}"`)}], bake: 6s, tolerate: { errors: +2pp, p99: +400%, refusals: +2pp } }\n`;

const named = (name: string) => `{ headers: { response: { set: { x-release: ${name} } } } }`;

const tier = (url: string, name: string, extra = "", timeout = "10s") =>
  manifest(
    "a",
    `${release}filters: [${named(name)}${extra}]
upstreams: { it: { http: "${url}", timeout: ${timeout} } }
routes:
  it: { match: GET /it, to: it }
`,
  );

/** A business service that is well, and beneath \`/bad\` one that is not. */
const business = (bad: (response: http.ServerResponse, count: number) => void) => {
  let count = 0;
  return service((request, response) => {
    if (request.url?.startsWith("/bad")) return bad(response, ++count);
    return response.end("ok");
  });
};

const bads = {
  "answers 500 to one in ten": (response: http.ServerResponse, count: number) => {
    response.statusCode = count % 10 === 0 ? 500 : 200;
    response.end("ok");
  },
  "is slow": (response: http.ServerResponse) => void setTimeout(() => response.end("ok"), 400),
  "hangs one request in ten": (response: http.ServerResponse, count: number) => {
    if (count % 10 !== 0) response.end("ok");
  },
} as const;

/** A gate that serves a while, and then throws before anything of ours could tell. */
const dying = `import { Behind as Gate } from "./gate.js";
let served = 0;
export class Behind extends Gate {
  fetch(request) {
    if (++served > 50) throw new Error("dead");
    return super.fetch(request);
  }
}
export default { fetch: () => new Response(null, { status: 404 }) };
`;

describe("under users", () => {
  it("a good version reaches all of them, and none of their requests fails for it", { timeout: 240_000 }, async () => {
    const { url } = await business(() => {});
    const it = await place({ "routes/a.yaml": tier(url, "one") });
    const load = users(it.cloud.edge, "/a/it", 200, 250);
    it.edit("routes/a.yaml", tier(url, "two"));
    await it.deploy(["a"], "0");
    await it.start("a");
    const end = await it.settled("a", 150_000);
    const met = await load.end();
    expect(end).toMatchObject({ status: "promoted" });
    expect(Object.keys(met.counts)).toEqual(["200"]);
    expect(met.releases.two).toBeGreaterThan(0);
  });

  it.each((Object.keys(bads) as (keyof typeof bads)[]).slice(0, full ? undefined : 1))(
    "one that %s comes back by itself",
    { timeout: 240_000 },
    async (which) => {
      const { url } = await business(bads[which]);
      const it = await place({ "routes/a.yaml": tier(url, "one") });
      const load = users(it.cloud.edge, "/a/it", 200, 250);
      it.edit("routes/a.yaml", tier(`${url}/bad`, "two"));
      await it.deploy(["a"], "0");
      await it.start("a");
      const end = await it.settled("a", 150_000);
      const met = await load.end();
      expect(end).toMatchObject({ status: "rolled-back" });
      expect(it.cloud.control.worker("gate-a-local").deployments[0]?.versions).toMatchObject([{ percentage: 100 }]);
      // What the canary did to users before it came back.
      expect(met.users.two ?? 0).toBeLessThan(met.users.one ?? 0);
      expect(met.failures.one ?? 0).toBe(0);
    },
  );

  it.runIf(full)("one that refuses good users comes back by itself", { timeout: 240_000 }, async () => {
    const { url } = await business(() => {});
    const it = await place({ "routes/a.yaml": tier(url, "one") });
    const load = users(it.cloud.edge, "/a/it", 200, 250);
    it.edit("routes/a.yaml", tier(url, "two", ", { ip: { allow: [10.0.0.0/8] } }"));
    await it.deploy(["a"], "0");
    await it.start("a");
    const end = await it.settled("a", 150_000);
    const met = await load.end();
    expect(end).toMatchObject({ status: "rolled-back", why: expect.stringMatching(/^refusals: /) });
    expect(met.counts["403"]).toBeGreaterThan(0);
  });

  it("one that dies under load, and cannot say so, comes back by what the tail heard", {
    timeout: 240_000,
  }, async () => {
    const { url } = await business(() => {});
    const it = await place({ "routes/a.yaml": tier(url, "one") });
    const load = users(it.cloud.edge, "/a/it", 200, 250);
    await it.upload("gate-a-local", dying);
    await it.start("a");
    const end = await it.settled("a", 150_000);
    const met = await load.end();
    expect(end).toMatchObject({ status: "rolled-back", why: expect.stringMatching(/^errors: /) });
    expect(met.counts["503"]).toBeGreaterThan(0);
  });
});
