/** A cutover from an old gateway under load: step by step, sticky, with automatic rollback. */
import type http from "node:http";
import { expect, it } from "vitest";
import type { FeedMessage } from "../../functions/gateway/overlay/overlay.ts";
import { manifest, runService } from "../e2e/project.ts";
import { full, type RolloutCloud, rolloutCloud, startUsers } from "./rollout-cloud.ts";

const isolates = 2;
/** In CI the bad gate fails more often, and a person promotes the good one, whose verdict takes 44 s. */
const failing = full ? 50 : 10;

const tier = (it: string, old: string) =>
  manifest(
    "a",
    `filters: [{ headers: { response: { set: { x-release: gate } } } }, { ip: { deny: [10.0.0.0/8] } }]
upstreams: { it: { http: "${it}" }, old: { http: "${old}" } }
routes:
  good: { match: GET /good, to: it, path: /new, cutover: { legacy: old, percent: 0% } }
  bad: { match: GET /bad, to: it, cutover: { legacy: old, percent: 0% } }
  moved: { match: GET /moved, to: it, cutover: { legacy: old, percent: 0% } }
`,
  );

/** Stands in for the previous gateway: a plain Node server with its own answers. */
const oldGateway = () =>
  runService((request, response) => {
    response.setHeader("x-release", "legacy");
    response.setHeader("x-asked", request.url ?? "");
    response.end("ok");
  });

const newService = () => {
  let count = 0;
  return runService((request, response: http.ServerResponse) => {
    if (request.url === "/a/bad" && ++count % failing === 0) response.statusCode = 500;
    response.end("ok");
  });
};

const release = (first: string, errors: string) => ({
  release: { steps: ["0%", first, "100%"], bake: "6s", tolerate: { errors, p99: "+400%", refusals: "+2pp" } },
});

const releasesSeen = async ({ cloud }: RolloutCloud, route: string, count: number): Promise<Set<string>> => {
  const releases = new Set<string>();
  for (let index = 0; index < count; index++) {
    const response = await fetch(`${cloud.edge}/a/${route}`, { headers: { "x-device-id": `d${index}` } });
    await response.arrayBuffer();
    releases.add(response.headers.get("x-release") ?? "none");
  }
  return releases;
};

const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));
const settledWithin = 150_000;
/** By then every isolate applies a new share, as documented; load during that time is part of the test. */
const spreadMs = 10_000;

it("moves users to the gate without loss, rolls back from a failing gate, and all isolates apply an overlay", {
  timeout: 240_000,
}, async () => {
  const [{ url }, old] = await Promise.all([newService(), oldGateway()]);
  const it = await rolloutCloud({ "routes/a.yaml": tier(url, old.url) }, { isolates });
  expect(await releasesSeen(it, "moved", 30)).toEqual(new Set(["legacy"]));
  const [good, bad] = [startUsers(it.cloud.edge, "/a/good", 200, 80), startUsers(it.cloud.edge, "/a/bad", 200, 160)];
  await it.start("a%2Fgood", release("50%", "+2pp"));
  await it.start("a%2Fbad", release("70%", "+0.5pp"));
  const move = { kind: "cutover", route: "moved", percent: "100%", for: "1h", reason: "a test" };
  await it.client.call<FeedMessage>("POST", "/v1/tiers/a/overlay", move);
  await pause(spreadMs);
  if (!full) await it.client.call("POST", "/v1/tiers/a%2Fgood/rollout/promote", { reason: "in a hurry" });
  expect(await releasesSeen(it, "moved", 30)).toEqual(new Set(["gate"]));

  const ends = await Promise.all([it.settled("a%2Fgood", settledWithin), it.settled("a%2Fbad", settledWithin)]);
  const [met, metBad] = await Promise.all([good.end(), bad.end()]);
  expect(ends[0]).toMatchObject({ status: "promoted" });
  expect(Object.keys(met.counts)).toEqual(["200"]);
  // The promotion ends the last stretch.
  const changes = ends[0].stretches.flatMap(({ since, until }) => [since, until ?? 0]);
  for (const at of met.returned) expect(changes.some((since) => at >= since && at < since + spreadMs)).toBe(true);

  expect(ends[1]).toMatchObject({ status: "rolled-back", why: expect.stringMatching(/ requests? failed \(/) });
  expect(Object.keys(metBad.failures)).toEqual(["gate"]);
  expect(metBad.users.gate).toBeLessThan(metBad.users.legacy as number);
  const { entries } = await it.client.call<FeedMessage>("GET", "/v1/tiers/a/overlay");
  expect(entries.map((one) => one.kind === "cutover" && `${one.route} ${one.percent}`).sort()).toEqual([
    "bad 0%",
    "good 100%",
    "moved 100%",
  ]);
});
