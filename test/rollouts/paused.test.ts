/**
 * Rollouts that do not advance, under load on one local cloud: paused ones, one whose split someone else decided, and
 * those in their watch after the promotion. Then `rollout watch` over a restart of the cloud.
 */
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { startCloud } from "../../infra/cloud/cloud.ts";
import { wrangler } from "../../infra/release/wrangler.ts";
import { direct } from "../cloud/direct.ts";
import { postern } from "../command-line.ts";
import { manifest, runService } from "../e2e/project.ts";
import { until } from "../until.ts";
import { type RolloutCloud, rolloutCloud, startUsers } from "./rollout-cloud.ts";

const tolerate = "tolerate: { errors: +2pp, p99: +900%, refusals: +2pp }";

/** Each with its release. */
const releases = {
  /** Paused by a person at 20 %. */
  paused: `{ steps: ["20%", "100%"], bake: 10m, ${tolerate} }`,
  /** Split by someone else. */
  foreign: `{ steps: ["20%", "100%"], bake: 10m, ${tolerate} }`,
  /** Fails in its watch, beside a hold-back. */
  late: `{ steps: ["100%"], watch: { for: 10m, hold-back: 20% }, ${tolerate} }`,
  /** Is well in its watch. */
  good: `{ steps: ["100%"], watch: { for: 6s, hold-back: 20% }, ${tolerate} }`,
  /** Dies in a watch without a hold-back. */
  dying: `{ steps: ["100%"], watch: { for: 10m, hold-back: 0% }, ${tolerate} }`,
} as const;

type Tier = keyof typeof releases;
const tiers = Object.keys(releases) as Tier[];

const text = (tier: Tier, url: string, release: string) =>
  manifest(
    tier,
    `release: ${releases[tier]}
filters: [{ headers: { response: { set: { x-release: ${tier}-${release} } } } }]
upstreams: { it: { http: "${url}" } }
routes: { it: { match: GET /it, to: it } }
`,
  );

/** A gate that throws on each request, once \`/dies\` was called. */
const dying = `import { Behind as Gate } from "./gate.js";
let isDead = false;
export class Behind extends Gate {
  async fetch(request) {
    if (isDead ||= request.headers.has("x-dies")) throw new Error("dead");
    const answer = await super.fetch(request);
    const named = new Response(answer.body, answer);
    named.headers.set("x-release", "dying-two");
    return named;
  }
}
export default { fetch: () => new Response(null, { status: 404 }) };
`;

const reached = async ({ status }: RolloutCloud, tier: Tier, is: (it: Rollout) => boolean): Promise<Rollout> => {
  let it = await status(tier);
  const isThere = async () => {
    it = await status(tier);
    return is(it);
  };
  await until(isThere, () => `${tier} gets there: ${JSON.stringify(it)}`, 40_000);
  return it;
};

const hasShare =
  (share: number) =>
  ({ goal, stretches }: Rollout): boolean =>
    goal.share === share && stretches.at(-1)?.share === share;

it("versions that fail are rolled back while paused or watched, and alert where control may not act", {
  timeout: 240_000,
}, async () => {
  let isBad = false;
  const { url } = await runService((request, response) => {
    response.statusCode = isBad && request.url?.startsWith("/two") ? 500 : 200;
    response.end("ok");
  });
  const it = await rolloutCloud(
    Object.fromEntries(tiers.map((tier) => [`routes/${tier}.yaml`, text(tier, `${url}/one`, "one")])),
  );
  for (const tier of tiers.filter((tier) => tier !== "dying"))
    it.edit(`routes/${tier}.yaml`, text(tier, `${url}/two`, "two"));
  await it.uploadEdited();
  await it.upload("gate-dying-local", dying);
  const load = startUsers(it.cloud.edge, tiers.map((tier) => `/${tier}/it`).join(), 200, 200);

  for (const tier of tiers) await it.start(tier);
  await Promise.all([
    ...(["paused", "foreign"] as const).map((tier) => reached(it, tier, hasShare(20))),
    reached(it, "late", hasShare(80)),
    reached(it, "dying", hasShare(100)),
  ]);
  await it.client.call("POST", "/v1/tiers/paused/rollout/pause", { reason: "lunch" });
  const [{ stable, canary } = { stable: "", canary: "" }] = (await it.status("foreign")).subjects;
  const shares = [`${stable}@60`, `${canary}@40`];
  await wrangler(direct(it.cloud.api), ["versions", "deploy", ...shares, "--name", "gate-foreign-local", "-y"]);
  await reached(it, "foreign", ({ foreign }) => foreign);
  expect(await it.settled("good", 30_000)).toMatchObject({ status: "promoted" });

  isBad = true;
  const badSince = Date.now();
  await fetch(`${it.cloud.edge}/dying/it`, { headers: { "x-dies": "now" } });
  const [paused, late, dead] = await Promise.all(
    (["paused", "late", "dying"] as const).map((tier) => it.settledAt(tier, "rolled-back", 40_000)),
  );
  const foreign = await reached(it, "foreign", ({ alerts = [] }) => alerts.length > 0);
  const met = await load.end();

  for (const end of [paused, late]) expect(end?.why).toMatch(/^[\d,]+ of [\d,]+ requests failed /);
  expect(dead?.why).toMatch(/^[\d,]+ of [\d,]+ requests died, or failed in the gate itself /);
  for (const tier of ["paused", "late", "dying"])
    expect(it.cloud.control.worker(`gate-${tier}-local`).deployments[0]?.versions).toMatchObject([{ percentage: 100 }]);
  expect(foreign).toMatchObject({ status: "paused", foreign: true, goal: { share: 20 } });
  expect(it.cloud.control.worker("gate-foreign-local").deployments[0]?.versions).toMatchObject([
    { percentage: 60 },
    { percentage: 40 },
  ]);
  const messages = it.cloud.control
    .worker("gate-good-local")
    .deployments.map(({ annotations }) => annotations["workers/message"]?.replace(/^postern \S+: /, ""));
  expect(messages.slice(0, 2)).toEqual(["100 %", "80 %"]);
  // No failure but those of the new versions.
  for (const release of Object.keys(met.failures)) expect(release).toMatch(/-two$|^none$/);
  for (const end of [paused, late, dead])
    console.log(
      `${end?.tier}: rolled back ${(((end?.endedAt ?? 0) - badSince) / 1000).toFixed(0)} s after it failed; ${met.failures[`${end?.tier}-two`] ?? met.failures.none} of its requests failed; ${end?.why}`,
    );
  console.log(`foreign: ${met.failures["foreign-two"]} failed requests, an alert: ${foreign.alerts?.[0]?.why}`);

  await watchesOverRestart(it);
});

/** A newer version ends the watch of the one before; `rollout watch` follows it while the cloud ends and starts again. */
const watchesOverRestart = async (it: RolloutCloud) => {
  for (const release of ["three", "four"]) {
    it.edit("routes/good.yaml", text("good", it.cloud.edge, release));
    await it.uploadEdited();
    await it.start("good");
    await reached(it, "good", hasShare(80));
  }
  const all = await it.client.call<readonly Rollout[]>("GET", "/v1/tiers/good/rollouts");
  expect(all.map(({ status }) => status)).toEqual(["running", "promoted", "promoted"]);
  expect(all[0]?.subjects[0]?.stable).toBe(all[1]?.subjects[0]?.canary);
  const command = ["rollout", "watch", "good", "--root", it.root, "--target", "local", "--as", "alice"];
  let written = { out: "", err: "" };
  const watching = postern(command, {
    onWrite: (now) => {
      written = { ...now };
    },
  });
  await until(
    () => written.out !== "",
    () => "it watches",
    30_000,
  );
  const [edgePort, apiPort] = [it.cloud.edge, it.cloud.api].map((address) => Number(new URL(address).port));
  await it.cloud.close();
  await until(
    () => written.err.includes("trying again"),
    () => "it says that control is gone",
    30_000,
  );
  const again = await startCloud({
    folder: path.join(it.root, ".cloud"),
    edgePort: edgePort ?? 0,
    apiPort,
    log: () => {},
    report: () => {},
  });
  onTestFinished(() => again.close());
  const { code, out, err } = await watching;
  expect(err).toMatch(/^control does not answer \(.*\); trying again\n$/);
  expect([code, out]).toEqual([0, expect.stringContaining("PROMOTED")]);
};
