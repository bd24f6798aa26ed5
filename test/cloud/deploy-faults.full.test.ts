/** A deploy that fails in part reports each Worker, exits with 3, and continues with the same command. */
import fs from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startCloud } from "../../infra/cloud/cloud.ts";
import { deploy } from "../../infra/commands/release/deploy.ts";
import type { DeployedWorker } from "../../infra/release/deploy-worker.ts";
import { quietly } from "../command-line.ts";
import { manifest, writeProject } from "../e2e/project.ts";
import { direct } from "./direct.ts";
import { startFaultProxy } from "./fault-proxy.ts";

const body = (text: string) => `routes: { it: { match: GET /it, respond: { status: 200, text: ${text} } } }\n`;
const counted = "filters: [{ rate-limit: { limit: 9/m, by: ip, count: exact } }]\n";

it("each Worker is reported; one that fails keeps back what is bound to it, and nothing else", async () => {
  const tiers = { a: body("a"), b: body("b"), c: counted + body("c"), d: counted + body("d") };
  const root = writeProject({
    "routes/environments/test.yaml": "values: {}\n",
    ...Object.fromEntries(Object.entries(tiers).map(([name, text]) => [`routes/${name}.yaml`, manifest(name, text)])),
  });
  const cloud = await startCloud({ folder: path.join(root, ".cloud"), edgePort: 0, apiPort: 0 });
  onTestFinished(() => cloud.close());
  const run = async (target: string) => {
    const { exitCode, text, data } = await quietly(() =>
      deploy([], { root, env: "test", target: direct(target), split: "100" }),
    );
    const { workers } = data as { readonly workers: readonly DeployedWorker[] };
    return { exitCode, text, done: Object.fromEntries(workers.map((one) => [one.worker, one.what])) };
  };

  const api = await startFaultProxy(cloud.api, (call) =>
    /^PUT .*\/(?:state-shared|gate-a)-test\?/.test(call) ? 500 : "pass",
  );
  const first = await run(api);
  expect(first.exitCode).toBe(3);
  expect(first.done).toEqual({
    "state-shared-test": "failed",
    "gate-a-test": "failed",
    "gate-b-test": "created",
    "gate-c-test": "skipped",
    "gate-d-test": "skipped",
    "postern-front-test": "skipped",
  });
  expect(first.text).toMatch(/^state-shared-test: wrangler deploy: a fault of the platform.*$/m);
  expect(first.text).toContain("gate-c-test: it is bound to state-shared-test");
  expect(first.text).toContain("1 of 6 Workers are new on local, 5 failed or were skipped");

  const second = await run(cloud.api);
  expect(second.exitCode).toBe(0);
  expect(Object.entries(second.done).filter(([, what]) => what !== "created")).toEqual([["gate-b-test", "unchanged"]]);
  const answer = async () => (await fetch(`${cloud.edge}/a/it`)).text();
  expect(await answer()).toBe("a");

  fs.writeFileSync(path.join(root, "routes/a.yaml"), manifest("a", body("changed")));
  // Wrangler believes what it is answered.
  const lossy = await startFaultProxy(cloud.api, (call) =>
    /^POST .*gate-a-test\/deployments/.test(call) ? "lose" : "pass",
  );
  const third = await run(lossy);
  expect([third.exitCode, third.done["gate-a-test"], third.done["postern-front-test"]]).toEqual([
    3,
    "failed",
    "skipped",
  ]);
  expect(third.text).toContain("gate-a-test: wrangler deploy succeeded, but the version is not live");
  expect((await run(cloud.api)).done["gate-a-test"]).toBe("deployed");
  expect(await answer()).toBe("changed");
});
