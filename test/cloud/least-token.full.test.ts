/** The permissions that docs/deploy.md lists are what the commands need: a token with these and no others does all of it by unmodified wrangler, and one without any of them does not. */
import fs from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { PermissionName } from "../../infra/cloud/account/permission-groups.ts";
import { zoneId } from "../../infra/cloud/account/zone-id.ts";
import { startCloud } from "../../infra/cloud/cloud.ts";
import { deploy } from "../../infra/commands/release/deploy.ts";
import { doctor } from "../../infra/commands/release/doctor.ts";
import { releases } from "../../infra/commands/release/releases.ts";
import { rollback } from "../../infra/commands/release/rollback.ts";
import { list, set } from "../../infra/commands/release/secrets.ts";
import { type Target, variablesOf } from "../../infra/release/target.ts";
import { quietly } from "../command-line.ts";
import { writeProject } from "../e2e/project.ts";
import { createToken } from "./account-api.ts";

/** Each permission as the dashboard names it, and what is deployed without it. */
const needed = {
  "Workers Scripts Write": ["Workers Scripts: Edit", "pay"],
  "Workers KV Storage Write": ["Workers KV Storage: Edit", "consumers"],
  "Workers Routes Write": ["Workers Routes: Edit", "front"],
  "Zone Read": ["Zone: Read", "front"],
  "Zone Transform Rules Write": ["Transform Rules: Edit", "front"],
} as const satisfies Partial<Record<PermissionName, readonly string[]>>;
const least = Object.keys(needed) as (keyof typeof needed)[];

const namespace = "ab".repeat(16);
const manifest = (edit: string) => `api: postern/v1
tier: pay
hosts: [api.acme.example]
base: /pay
filters: [{ api-key: { header: x-api-key } }]
upstreams: { it: { http: https://it.acme.example } }
routes:
  which: { match: GET /which, respond: { status: 200, text: "${edit}" }, without: [api-key] }
  it: { match: GET /it, to: it, filters: [{ headers: { request: { set: { authorization: { secret: IT_TOKEN } } } } }] }
`;

const start = async () => {
  const root = writeProject({
    "routes/pay.yaml": manifest("first"),
    "routes/environments/staging.yaml": `kv: { consumers: "${namespace}" }\n`,
    "routes/consumers.yaml": `consumers: { shop: { keys: ["sha256:${"1".repeat(64)}"] } }\n`,
  });
  const cloud = await startCloud({ folder: path.join(root, ".cloud"), edgePort: 0, apiPort: 0 });
  onTestFinished(() => cloud.close());
  await cloud.control.addNamespace("consumers-staging", namespace);
  const own = { authorization: `Bearer ${cloud.token}` };
  const call = async (method: string, at: string, body?: object) => {
    const response = await fetch(`${cloud.api}${at}`, {
      method,
      headers: own,
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, ...((await response.json()) as object) } as never;
  };
  const zones = `com.cloudflare.api.account.zone.${zoneId("acme.example")}`;
  const targetWith = async (groups: readonly PermissionName[]): Promise<Target> => {
    const { value } = await createToken({ call }, groups, { zones });
    return { name: "cloudflare", variables: variablesOf(cloud.api, value) };
  };
  return { root, cloud, targetWith };
};

it("one zone and five permissions are enough, and each is needed", { timeout: 300_000 }, async () => {
  const { root, cloud, targetWith } = await start();
  const target = await targetWith(least);
  const options = { root, env: "staging", target };
  expect((await set("IT_TOKEN", options, async () => "x")).exitCode).toBe(0);
  const first = await quietly(() => deploy([], { ...options, split: "100" }));
  expect([first.exitCode, first.text]).toEqual([0, expect.not.stringContaining("version key")]);
  fs.writeFileSync(path.join(root, "routes/pay.yaml"), manifest("second"));
  expect((await quietly(() => deploy(["pay"], { ...options, split: "10" }))).exitCode).toBe(0);
  expect((await releases("pay", options)).text).toContain("10 %");
  expect((await rollback("pay", options)).exitCode).toBe(0);
  expect((await list(options)).exitCode).toBe(0);
  expect((await quietly(() => doctor(options))).exitCode).toBe(0);
  expect(cloud.control.account().workers.get("postern-front-staging")?.routes).toMatchObject([
    { pattern: "api.acme.example/*", zoneName: "acme.example" },
  ]);

  for (const [group, [inDashboard, what]] of Object.entries(needed)) {
    fs.writeFileSync(
      path.join(root, "routes/pay.yaml"),
      manifest(group).replace("base: /pay", `base: /p${group.length}`),
    );
    await cloud.control.changeSettings("postern-front-staging", { routes: [] });
    const without = { ...options, target: await targetWith(least.filter((it) => it !== group)) };
    const outcome = await quietly(() => deploy([what], { ...without, split: "100" })).catch((error: Error) => ({
      exitCode: 3,
      data: { why: error.message },
    }));
    // Without the rules the front is deployed all the same, and a split of it divides requests and not users.
    const isRefused = outcome.exitCode === 3 || JSON.stringify(outcome.data).includes('"sticky":false');
    expect([group, isRefused, outcome.data]).toEqual([group, true, expect.anything()]);
    const found = await quietly(() => doctor(without));
    expect([group, found.exitCode, found.text]).toEqual([group, 1, expect.stringContaining(inDashboard)]);
  }
});
