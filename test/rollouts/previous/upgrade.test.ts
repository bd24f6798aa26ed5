/** `postern deploy` upgrades an account of the previous release: the Durable Objects keep their classes and data. */
import { expect, it } from "vitest";
import type { Rollout } from "../../../functions/control/model/rollout.ts";
import type { Cloud } from "../../../infra/cloud/cloud.ts";
import { deploy } from "../../../infra/commands/release/deploy.ts";
import type { DeployedWorker } from "../../../infra/release/deploy-worker.ts";
import { until } from "../../until.ts";
import { openAccount } from "./account.ts";

/** Namespaces of Durable Objects with their ids, and the last migration, of each Worker. */
const objectsOf = ({ control }: Cloud) =>
  Object.fromEntries(
    [...control.account().workers.values()].map(({ name, classes, migrationTag }) => [name, { classes, migrationTag }]),
  );

it("uploads every Worker, and keeps the classes and data of Durable Objects", {
  timeout: 240_000,
}, async () => {
  const account = await openAccount();
  const { cloud, get, own, root } = account;
  const client = account.as("alice");
  await account.turn(() => "before");
  await account.tryAll(0);
  // A rollout that was rolled back.
  await account.turn((part) => (part === "gate" ? "now" : "before"), 0);
  const { id } = await client.call<Rollout>("POST", "/v1/tiers/b/rollouts", { reason: "a test" });
  await client.call("POST", "/v1/tiers/b/rollout/abort", { reason: "a test" });
  const status = () => client.call<Rollout>("GET", "/v1/tiers/b/rollout");
  await until(async () => (await status()).status === "rolled-back", "the rollout is back");
  const { proposal } = await client.call<{ readonly proposal: { readonly id: string } }>(
    "POST",
    "/v1/tiers/a/rollouts",
    {
      reason: "a test",
    },
  );
  const before = objectsOf(cloud);
  expect(before["postern-control-local"]?.classes.map(({ className }) => className).toSorted()).toEqual([
    "Ledger",
    "Notices",
    "Rollouts",
    "Telemetry",
    "Waves",
  ]);
  const lines = await client.call<readonly { readonly id: number }[]>("GET", "/v1/audit");

  const { data, exitCode, text } = await deploy([], {
    root,
    target: cloud.api,
    split: "100",
    message: "an upgrade",
    // A version of a gate was taken back.
    force: true,
  });
  expect(exitCode, text).toBe(0);
  const { workers } = data as { readonly workers: readonly DeployedWorker[] };
  expect(Object.fromEntries(workers.map(({ worker, what, share }) => [worker, `${what} ${share}`]))).toEqual(
    Object.fromEntries(
      Object.keys(before).map((worker) => [worker, `${worker.startsWith("gate") ? "deployed" : "uploaded"} 100`]),
    ),
  );
  expect(objectsOf(cloud)).toEqual(before);

  expect(await get("/a/counted", { "x-user": "user-0" })).toBe(429);
  expect([await get("/a/close-0"), await get("/a/close-1")]).toEqual([503, 200]);
  expect([await own(await account.tokenOf("lost-0")), await own(await account.tokenOf("kept-0"))]).toEqual([401, 200]);
  await account.reported(0);
  expect(await status()).toMatchObject({ id, status: "rolled-back" });
  expect(await client.call("GET", "/v1/tiers/b/rollouts")).toMatchObject([{ id }]);
  expect(await client.call("GET", "/v1/tiers/b/rollout/measured")).toMatchObject({});
  expect(await client.call("GET", "/v1/audit")).toEqual(lines);
  // A proposal from before the upgrade is refused with a remedy.
  const [waiting] = await client.call<readonly { readonly fingerprint: string }[]>("GET", "/v1/proposals");
  expect(waiting).toMatchObject({ id: proposal.id, what: "start", tier: "a", names: [] });
  const approve = account.as("bob").call("POST", `/v1/proposals/${proposal.id}`, {
    fingerprint: waiting?.fingerprint,
  });
  await expect(approve).rejects.toThrow("propose it again");
});
