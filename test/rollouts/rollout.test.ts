/** Rollouts on a local cloud under load, uploaded by real wrangler: a good version is promoted, bad ones are rolled back. */
import type http from "node:http";
import { describe, expect, it } from "vitest";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { manifest, runService } from "../e2e/project.ts";
import { issuer, newCallers } from "./identity.ts";
import { full, rolloutCloud, startUsers } from "./rollout-cloud.ts";
import type { LoadReport } from "./users.ts";

const steps = ["0%", "20%", "100%"];

/** CI runs the good version, and the one that crashes without a report. */

/** Fast steps, and tolerances that a laptop's noise allows. */
const release = `release: { steps: [${steps.map((step) => `"${step}"`)}], bake: 6s, tolerate: { errors: +0.5pp, p99: +400%, refusals: +1pp } }\n`;

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

/** A healthy business service, and under \`/bad\` a failing one. */
const business = (bad: (response: http.ServerResponse, count: number) => void) => {
  let count = 0;
  return runService((request, response) => {
    if (request.url?.startsWith("/bad")) return bad(response, ++count);
    return response.end("ok");
  });
};

const bads = {
  "answers 5xx to 2 %": (response: http.ServerResponse, count: number) => {
    response.statusCode = count % 50 === 0 ? 500 : 200;
    response.end("ok");
  },
  "is slow": (response: http.ServerResponse) => void setTimeout(() => response.end("ok"), 400),
  "breaks off one body in twenty": (response: http.ServerResponse, count: number) => {
    response.writeHead(200, { "content-length": "2" });
    if (count % 20 === 0) response.write("o", () => response.destroy());
    else response.end("ok");
  },
  "hangs one request in fifty": (response: http.ServerResponse, count: number) => {
    if (count % 50 !== 0) response.end("ok");
  },
} as const;

/** A gate that serves for a while, and then throws before it can report. */
const dying = `import { Behind as Gate } from "./gate.js";
let served = 0;
export class Behind extends Gate {
  async fetch(request) {
    if (++served > 50) throw new Error("dead");
    const answer = await super.fetch(request);
    const named = new Response(answer.body, answer);
    named.headers.set("x-release", "two");
    return named;
  }
}
export default { fetch: () => new Response(null, { status: 404 }) };
`;

/** Prints the users' results. A failed request of the stable version, or one without a response, is the test bed's fault. */
const printResult = (
  which: string,
  { status, why, startedAt, endedAt }: Rollout,
  { sent, counts, releases, users, lost }: LoadReport,
) => {
  // Requests that died or hung named no release; the stable version never does that.
  const exposed = sent - (releases.one ?? 0);
  const seconds = (((endedAt ?? startedAt) - startedAt) / 1000).toFixed(0);
  console.log(
    `${which}: ${status} after ${seconds} s; ${exposed} of ${sent} requests and ${users.two ?? 0} users met it; ${JSON.stringify(counts)}; lost ${lost}; ${why}`,
  );
  return exposed;
};

const within = { timeout: 240_000 };

/** Rolls out `two` over `one` under load, until it ends. A hold may pause it before it comes back. */
const runRollout = async (
  which: string,
  one: string,
  two: string | undefined,
  {
    tokens = "",
    control = {},
    cuts = false,
    status = "rolled-back",
  }: {
    readonly tokens?: string;
    readonly control?: object;
    readonly cuts?: boolean;
    readonly status?: Rollout["status"];
  } = {},
) => {
  const it = await rolloutCloud({ "routes/a.yaml": one }, {}, control);
  const load = startUsers(it.cloud.edge, "/a/it", 200, 250, tokens);
  if (two === undefined) await it.upload("gate-a-local", dying);
  else {
    it.edit("routes/a.yaml", two);
    await it.deploy(["a"], "0");
  }
  await it.start("a");
  const end = await it.settledAt("a", status, 150_000);
  const met = await load.end();
  const exposed = printResult(which, end, met);
  expect(met.lost > 0, "requests without a whole answer, but those that hung").toBe(cuts);
  expect(met.failures.one ?? 0, "failures of the stable version").toBe(0);
  return { end, met, exposed, live: it.cloud.control.worker("gate-a-local").deployments[0]?.versions };
};

const failedBy = (criterion: string) => expect.objectContaining({ criterion, verdict: "fail" });

const expectRolledBack = ({ end, met, exposed, live }: Awaited<ReturnType<typeof runRollout>>) => {
  expect(end).toMatchObject({ status: "rolled-back", verdict: { verdict: "fail" } });
  expect(live).toMatchObject([{ percentage: 100 }]);
  // It was exposed to some users, and never to most.
  expect(exposed).toBeGreaterThan(0);
  expect(exposed).toBeLessThan(met.sent / 2);
};

describe("under load", () => {
  it("a good version is promoted without a failed request", within, async () => {
    const { url } = await business(() => {});
    const { end, met } = await runRollout("one that is well", tier(url, "one"), tier(url, "two"), {
      status: "promoted",
    });
    expect(end).toMatchObject({ status: "promoted" });
    expect(met.counts).toEqual({ "200": met.sent });
    expect(met.releases.two).toBeGreaterThan(0);
  });

  it.runIf(full).each(Object.keys(bads) as (keyof typeof bads)[])(
    "one that %s is rolled back automatically",
    within,
    async (which) => {
      const { url } = await business(bads[which]);
      const cuts = which.startsWith("breaks off");
      const result = await runRollout(`one that ${which}`, tier(url, "one"), tier(`${url}/bad`, "two"), { cuts });
      expectRolledBack(result);
      if (cuts) expect(result.end.verdict?.findings).toContainEqual(failedBy("errors"));
    },
  );

  it.runIf(full)("a version that refuses valid tokens is rolled back automatically", within, async () => {
    const { url } = await business(() => {});
    const { tokens, keys } = await newCallers();
    const jwt = (audience: string) =>
      `, { jwt: { issuer: "${issuer}", audience: ${audience}, algorithms: [ES256], keys: ${keys} } }`;
    const it = await runRollout(
      "one that refuses valid tokens",
      tier(url, "one", jwt("a")),
      tier(url, "two", jwt("b")),
      {
        tokens,
      },
    );
    expectRolledBack(it);
    expect(it.end.why).toMatch(/^[\d,]+ of [\d,]+ requests were refused \(.*`token-[a-z]+` on `[\w-]+\/it` by `jwt`/);
    expect(it.met.counts["401"]).toBeGreaterThan(0);
  });

  it.runIf(full)("one that fails only a Prometheus query is rolled back automatically", within, async () => {
    const { url } = await business(() => {});
    const asked: { readonly query: string; readonly token: string | undefined }[] = [];
    // Fails once and answers invalid data once, between values that are out of bounds.
    const prometheus = await runService((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://it");
      if (pathname !== "/prometheus/api/v1/query") return response.writeHead(404).end();
      asked.push({ query: searchParams.get("query") ?? "", token: request.headers.authorization });
      if (asked.length === 2) return;
      if (asked.length === 3) return response.end("<html>");
      const result = [{ metric: {}, value: [Date.now() / 1000, asked.length === 1 ? "0" : "0.5"] }];
      return response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
    });
    const query = "{ query: \"sum(unpaid{version=~'{{canary}}'})\", max: 0.01, every: 2s }";
    const queried = (name: string) => tier(url, name).replace("tolerate:", `queries: { unpaid: ${query} }, tolerate:`);
    const control = { prometheus: { url: `${prometheus.url}/prometheus`, secret: "PROMETHEUS_TOKEN" } };
    const it = await runRollout("one that a query speaks against", queried("one"), queried("two"), { control });
    expectRolledBack(it);
    expect(it.end.why).toMatch(/^query unpaid: 0.5 where 0.01 is the maximum; out of bounds 3 of 3/);
    expect(asked[0]).toEqual({
      query: `sum(unpaid{version=~'${it.end.subjects[0]?.canary}'})`,
      token: "Bearer token-of-a-test",
    });
  });

  it("one that dies under load without reporting is rolled back by the outside observers", within, async () => {
    const { url } = await business(() => {});
    const it = await runRollout("one that dies under load", tier(url, "one"), undefined);
    expectRolledBack(it);
    expect(it.end.why).toMatch(/^[\d,]+ of [\d,]+ requests died, or failed in the gate itself /);
    expect(it.met.counts["503"]).toBeGreaterThan(0);
  });
});
