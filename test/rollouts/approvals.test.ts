/** Approvals by a second person on a local cloud, and what one person is refused. */
import { expect, it } from "vitest";
import type { ProposalView } from "../../functions/control/audit/record.ts";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import type { FeedMessage } from "../../functions/gateway/overlay/overlay.ts";
import { manifest } from "../e2e/project.ts";
import { until } from "../until.ts";
import { rolloutCloud } from "./rollout-cloud.ts";

const tier = (edit: number) =>
  manifest(
    "a",
    `level: core
release: { steps: ["0%", { share: 10%, hold: true }, "100%"], bake: 1s }
upstreams: { it: { http: "http://it.localhost:1" }, old: { http: "http://old.localhost:1" } }
routes:
  moved: { match: GET /moved, to: it, cutover: { legacy: old, percent: 20% } }
  it: { match: GET /it, respond: { status: 200, text: "${edit}" } }
`,
  );

interface Proposed {
  readonly proposal: ProposalView;
}

it("a core tier is released by two people, and stopped by one", async () => {
  const it = await rolloutCloud({ "routes/a.yaml": tier(0) });
  it.edit("routes/a.yaml", tier(1));
  await it.deploy(["a"], "0");
  const start = () => it.client.call<Proposed>("POST", "/v1/tiers/a/rollouts", { reason: "a test" });
  await expect(it.clientAs("carol").call("POST", "/v1/tiers/a/rollouts", { reason: "me too" })).rejects.toThrow(
    "carol is viewer; this requires operator",
  );
  const { proposal: outdated } = await start();
  it.edit("routes/a.yaml", tier(2));
  await it.deploy(["a"], "0");
  const late = it.clientAs("bob").call("POST", `/v1/proposals/${outdated.id}`, { fingerprint: outdated.fingerprint });
  await expect(late).rejects.toThrow("what was approved does not hold: gate-a-local has version");
  const deployments = it.cloud.control.worker("gate-a-local").deployments.length;
  const { proposal } = await start();
  expect(it.cloud.control.worker("gate-a-local").deployments).toHaveLength(deployments);
  const approve = (operator: string) =>
    it.clientAs(operator).call<Rollout>("POST", `/v1/proposals/${proposal.id}`, { fingerprint: proposal.fingerprint });
  await expect(approve("alice")).rejects.toThrow("a second person must approve it");
  expect(await approve("bob")).toMatchObject({ status: "running", by: "alice and bob" });
  await expect(approve("bob")).rejects.toThrow("no proposal");

  const isAtTenth = async () => (await it.status("a")).stretches.at(-1)?.share === 10;
  await until(isAtTenth, "a tenth of the users has it");
  await it.clientAs("bob").call("POST", "/v1/tiers/a/rollout/pause", { reason: "lunch" });
  // One proposal, one approval and one entry of the ledger, out of the pause and to the next step.
  const promotion = await it.client.call<Proposed>("POST", "/v1/tiers/a/rollout/promote", { reason: "it is fine" });
  const { id, fingerprint, names } = promotion.proposal;
  expect(names.at(-1)).toMatch(/^there is not enough evidence that the new version is no worse, at 10 % of users: /);
  expect(await it.clientAs("bob").call<Rollout>("POST", `/v1/proposals/${id}`, { fingerprint })).toMatchObject({
    status: "running",
    goal: { share: 100 },
    why: "alice and bob promoted it without evidence: it is fine; all users get the new version",
  });
  expect(await it.settled("a", 20_000)).toMatchObject({ status: "promoted" });
  await it.clientAs("bob").call("POST", "/v1/tiers/a/rollout/abort", { reason: "no" });
  expect(await it.settled("a", 20_000)).toMatchObject({ status: "rolled-back", why: "bob aborted it: no" });

  const lines = await it.client.call<readonly { by: string; what: string }[]>("GET", "/v1/audit");
  expect(lines.map(({ by, what }) => `${by}: ${what}`)).toEqual([
    "bob: abort",
    "alice and bob: promote",
    "bob: pause",
    "alice and bob: start",
    // Refused, because another version had been uploaded.
    "alice and bob: start",
  ]);
});

it("a concurrent overlay write is not overwritten", async () => {
  const it = await rolloutCloud({ "routes/a.yaml": tier(0) });
  const close = { kind: "close", route: "it", for: "1m", reason: "a test" };
  const both = await Promise.allSettled([
    it.client.call<FeedMessage>("POST", "/v1/tiers/a/overlay", close),
    it.clientAs("bob").call<FeedMessage>("POST", "/v1/tiers/a/overlay", close),
  ]);
  const told = await it.client.call<FeedMessage>("GET", "/v1/tiers/a/overlay");
  const done = both.filter(({ status }) => status === "fulfilled").length;
  expect([told.revision, told.entries.length]).toEqual([done, done]);
  for (const one of both) if (one.status === "rejected") expect(String(one.reason)).toContain("read it again");
  const [entry] = told.entries;
  await expect(it.clientAs("carol").call("DELETE", `/v1/tiers/a/overlay/${entry?.id}`)).rejects.toThrow(
    "carol is viewer",
  );
  const after = await it.client.call<FeedMessage>("DELETE", `/v1/tiers/a/overlay/${entry?.id}`);
  expect(after.entries).toHaveLength(done - 1);
});

it("users of a core tier are moved from an old gateway by two people, and back by one", async () => {
  const it = await rolloutCloud({ "routes/a.yaml": tier(0) });
  const move = (percent: string) => {
    const change = { kind: "cutover", route: "moved", percent, for: "1m", reason: "a test" };
    return it.client.call<FeedMessage>("POST", "/v1/tiers/a/overlay", change);
  };
  await expect(move("30%")).rejects.toThrow("requires two people: npx postern rollout start a/moved");
  await move("5%");
  await expect(move("20%")).rejects.toThrow("requires two people");
  const start = (name: string) =>
    it.client.call<Proposed>("POST", `/v1/tiers/${encodeURIComponent(name)}/rollouts`, { reason: "a test" });
  await expect(start("a/it")).rejects.toThrow('there is no route "a/it" with a cutover');
  const { proposal } = await start("a/moved");
  const started = await it
    .clientAs("bob")
    .call<Rollout>("POST", `/v1/proposals/${proposal.id}`, { fingerprint: proposal.fingerprint });
  // No step moves fewer users than have been moved.
  expect(started).toMatchObject({ tier: "a/moved", steps: [{ share: 10 }, { share: 100 }] });
  await it.clientAs("bob").call("POST", "/v1/tiers/a%2Fmoved/rollout/abort", { reason: "no" });
  expect(await it.settled("a%2Fmoved", 20_000)).toMatchObject({ status: "rolled-back" });
  const { entries } = await it.client.call<FeedMessage>("GET", "/v1/tiers/a/overlay");
  expect(entries).toMatchObject([{ kind: "cutover", route: "moved", percent: "0%" }]);
});
