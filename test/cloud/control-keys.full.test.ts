/** The keys that `control init` and `operator add` make: a control plane on a local cloud runs with them, and a rotated one opens nothing any more. */
import fs from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { controlInit, operatorAdd } from "../../infra/commands/operate/control-keys.ts";
import { set } from "../../infra/commands/release/secrets.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { controlClient } from "../../infra/release/control-client.ts";
import { deployHarness, tier } from "./deploy-harness.ts";

it("of a new environment", { timeout: 300_000 }, async () => {
  const { root, cloud, options, deploy } = await deployHarness({
    "routes/a.yaml": tier("a", "https://it.example", "first"),
    "routes/environments/test.yaml": "values: {}\n",
  });
  vi.stubEnv("POSTERN_OPERATOR", undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const at = { root, env: "test" };
  const account = "00000000000000000000000000000001";
  await controlInit({ ...at, host: "control.acme.example", account, operator: "ann" });
  const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8");
  const file = "routes/environments/test.yaml";
  // Where a local cloud is; the front of Cloudflare is at its own hosts.
  const api = cloud.api.replace("127.0.0.1", "localhost");
  fs.writeFileSync(
    path.join(root, file),
    read(file).replace("  operators:", `  api: ${api}\n  front: ${cloud.edge}\n  operators:`),
  );
  await set("CONTROL_KEY", options, async () => read(".secrets/control-test.json"));
  await set("CLOUDFLARE_API_TOKEN", options, async () => cloud.token);
  const first = await deploy();
  expect([first.exitCode, first.text]).toEqual([0, expect.stringContaining("checked: control, its objects")]);

  const client = (operator?: string) =>
    controlClient(root, compile(root, "test").environment, options.target, operator);
  expect(client().operator).toBe("ann");
  const tiers = () => client("ci").call<object>("GET", "/v1/tiers");
  operatorAdd("ci", { ...at, role: "viewer" });
  await expect(tiers()).rejects.toThrow();
  await deploy(["control"]);
  expect(Object.keys(await tiers())).toEqual(["a"]);

  operatorAdd("ci", { ...at, role: "viewer", rotate: true });
  await deploy(["control"]);
  expect(Object.keys(await tiers())).toEqual(["a"]);
  const [old = ""] = fs.globSync(".secrets/operator-ci-test.*.old.json", { cwd: root });
  vi.stubEnv("OPERATOR_CI", read(old));
  await expect(tiers()).rejects.toMatchObject({
    status: 401,
    message: expect.stringContaining("npx postern deploy control"),
  });
});
