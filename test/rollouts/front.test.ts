/** Rollouts of the front on a local cloud under load: a good and a paused version, and bad ones; how many requests met each. */
import { expect, it } from "vitest";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { label } from "../../infra/commands/operate/rollout.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { versionKeyRules } from "../../infra/compiler/emit/version-key-rules.ts";
import { targetOf } from "../../infra/release/target.ts";
import { applyVersionKeyRules } from "../../infra/release/version-key-rules.ts";
import { manifest, runService } from "../e2e/project.ts";
import { until } from "../until.ts";
import { newCallers } from "./identity.ts";
import { full, type RolloutCloud, rolloutCloud, startUsers } from "./rollout-cloud.ts";
import type { LoadReport } from "./users.ts";

const worker = "postern-front-local";
const release = {
  steps: ["0%", "20%", "100%"],
  bake: "3s",
  tolerate: { errors: "+0.5pp", p99: "+900%", refusals: "+1pp" },
  smoke: [{ send: "GET /a/open", expect: 200 }],
};

/** A version of the front that names itself to users. @param body serves a user's request, the `number`th */
const version = (body: string): string => `import front from "./front.js";
let served = 0;
export default {
  async fetch(request, env, context) {
    const number = request.headers.has("postern-label") ? 0 : ++served;
    const serve = (it) => front.fetch(it, env, context);
    const named = (it) => {
      const copy = new Response(it.body, it);
      copy.headers.set("x-release", "two");
      return copy;
    };
    ${body}
  },
};
`;

const good = version("return named(await serve(request));");

/** None of them reports its own failures: the tail, the gates and the probes find one each. CI leaves one out. */
const bads: Readonly<Record<string, { readonly body: string; readonly why: RegExp; readonly always: boolean }>> = {
  "answers 500 to a tenth": {
    body: `if (number > 20 && number % 10 === 0) return named(new Response("broken", { status: 500 }));
    return named(await serve(request));`,
    why: /^[\d,]+ of [\d,]+ requests? failed/,
    always: true,
  },
  "drops a header of requests": {
    body: `const copy = new Request(request);
    if (number > 0) copy.headers.delete("authorization");
    return named(await serve(copy));`,
    why: /^[\d,]+ of [\d,]+ requests? (?:was|were) refused/,
    always: true,
  },
  "drops a header of responses": {
    body: `const answer = named(await serve(request));
    if (env.VERSION && served > 20) answer.headers.delete("x-served-by");
    return answer;`,
    why: /^probes: GET \/a\/open: its answer has no header x-served-by, 3 of 3 times in a row/,
    always: true,
  },
  dies: {
    body: `if (number > 20 && number % 5 === 0) throw new Error("dead");
    return named(await serve(request));`,
    why: /^[\d,]+ of [\d,]+ requests? died, or failed in the gate itself/,
    always: false,
  },
};

const tier = (url: string, keys: string): string =>
  manifest(
    "a",
    `filters: [{ headers: { response: { set: { x-served-by: a } } } }]
upstreams: { it: { http: "${url}" } }
routes:
  open: { match: GET /open, to: it }
  it:
    match: GET /it
    filters: [{ jwt: { issuer: "https://id.acme.example", audience: a, algorithms: [ES256], keys: ${keys} } }]
    to: it
`,
  );

/** Requests that met the new version: those that it named, and those that failed. */
const exposedIn = ({ releases, failures }: LoadReport): number => (releases.two ?? 0) + (failures.none ?? 0);

const print = (which: string, { status, why, startedAt, endedAt }: Rollout, met: LoadReport): void =>
  console.log(
    `a front that ${which}: ${status} after ${(((endedAt ?? Date.now()) - startedAt) / 1000).toFixed(0)} s; ${exposedIn(met)} of ${met.sent} requests and ${met.users.two} users met it; ${JSON.stringify(met.counts)}; ${why}`,
  );

const shareOf = (cloud: RolloutCloud["cloud"], id: string | undefined): number =>
  cloud.control.worker(worker).deployments[0]?.versions.find(({ version_id }) => version_id === id)?.percentage ?? 0;

it("a bad front is rolled back by itself, a paused one stays, a good one is promoted", {
  timeout: 300_000,
}, async () => {
  const { url } = await runService((_, response) => void response.end("ok"));
  const { tokens, keys } = await newCallers();
  const it = await rolloutCloud({ "routes/a.yaml": tier(url, keys) }, {}, {}, { release });
  const { front } = compile(it.root, "local");
  expect(await applyVersionKeyRules(targetOf(it.cloud.api), versionKeyRules(front, worker, undefined))).toBe(undefined);
  const users = () => startUsers(it.cloud.edge, "/a/it", 200, 100, tokens);

  for (const [which, { body, why, always }] of Object.entries(bads)) {
    if (!always && !full) continue;
    await it.upload(worker, version(body));
    const load = users();
    await it.start("front");
    // Users with a key may hold it first: it pauses then, until those without one confirm it.
    const end = await it.settledAt("front", "rolled-back", 60_000);
    const met = await load.end();
    print(which, end, met);
    expect(end, which).toMatchObject({ status: "rolled-back", why: expect.stringMatching(why) });
    expect(shareOf(it.cloud, end.subjects[0]?.stable)).toBe(100);
    expect(exposedIn(met)).toBeGreaterThan(0);
    expect(exposedIn(met)).toBeLessThan(met.sent / 2);
    // A user with a key stays with a version, so most of these never met it; every third user has none.
    expect(met.users.two ?? 0).toBeLessThan(((met.users.none ?? 0) * 2) / 3);
  }

  await it.upload(worker, good);
  const load = users();
  // Half of the users, so that the statistics pass it within a minute.
  const { subjects } = await it.start("front", { release: { ...release, steps: ["0%", "50%", "100%"], bake: "5s" } });
  const canary = subjects[0]?.canary;
  await until(
    () => shareOf(it.cloud, canary) === 50,
    () => "it has its first users",
    20_000,
  );
  const selected = await label("front", { root: it.root, target: it.cloud.api });
  const { header, value } = selected.data as { readonly header: string; readonly value: string };
  for (let count = 0; count < 5; count++)
    expect((await fetch(`${it.cloud.edge}/a/open`, { headers: { [header]: value } })).headers.get("x-release")).toBe(
      "two",
    );
  await it.client.call("POST", "/v1/tiers/front/rollout/pause", { reason: "a test" });
  const pausedAt = Date.now();
  await until(
    () => Date.now() - pausedAt > 6000,
    () => "longer than the bake",
    10_000,
  );
  expect([(await it.status("front")).status, shareOf(it.cloud, canary)]).toEqual(["paused", 50]);
  await it.client.call("POST", "/v1/tiers/front/rollout/resume", { reason: "a test" });
  let end = await it.settled("front", 90_000);
  // On a busy machine latency needs more evidence, which a resumed rollout keeps.
  for (let tries = 0; tries < 3 && end.status === "paused"; tries++) {
    expect(end.why).toMatch(/^not enough evidence/);
    await it.client.call("POST", "/v1/tiers/front/rollout/resume", { reason: "a busy machine" });
    end = await it.settled("front", 90_000);
  }
  const met = await load.end();
  print("is well", end, met);
  expect(end).toMatchObject({ status: "promoted" });
  expect(met.counts).toEqual({ "200": met.sent });
  expect(shareOf(it.cloud, canary)).toBe(100);
});
