/**
 * A project of the previous commit's package is upgraded to this one: `postern upgrade` says what changes, and the deployment
 * goes on. It has a filter of its own, a control plane with an overlay, limits that were counted, and a split under way.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { localToken } from "../../infra/cloud/account/access.ts";
import { pack, stage } from "../../infra/package/stage.ts";
import { until } from "../until.ts";
import { type Newcomer, newcomer, ownTools, type Running } from "./newcomer.ts";
import { packPrevious } from "./previous.ts";
import { freePort, type Registry, startRegistry } from "./registry.ts";

const versions = { before: "0.0.8", after: "0.0.9" };
/** Lines of `postern upgrade` about plans, which the changelog has to name: people upgrade for other reasons. */
const changedPlans: readonly RegExp[] = [];
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "postern-upgrade-"));
let registry: Registry;
let user: Newcomer;
let project: string;
let api: number;
let edge: number;

beforeAll(async () => {
  [api, edge] = [await freePort(), await freePort()];
  const before = packPrevious(versions.before, path.join(scratch, "previous"));
  const folder = stage(versions.after, "version-after");
  // The front differs in any case, so that there is something to upgrade.
  const front = path.join(folder, "functions/front.js");
  fs.appendFileSync(front, '\nglobalThis.posternRelease = "next";\n');
  const { file: after } = pack(folder, path.join(scratch, "tarballs"));
  registry = await startRegistry(path.join(scratch, "registry"));
  for (const file of [before, after]) registry.publish(file);
  user = newcomer(path.join(scratch, "user"), ownTools(), registry.url);
  project = path.join(user.folder, "gateway");
  fs.mkdirSync(project);
  fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await user.succeed(`npm install --save-dev --save-exact postern@${versions.before}`, project);
  await user.succeed("npx postern init --yes && npx postern new filter geo-fence", project);
  await user.succeed("npx postern control init --env local --operator lead", project);
  await user.succeed(`printf ${localToken} | npx postern secrets set CLOUDFLARE_API_TOKEN --env local`, project);
  const environment = path.join(project, "routes/environments/local.yaml");
  const ports = fs
    .readFileSync(environment, "utf8")
    .replace(/:8799$/m, `:${api}`)
    .replace(/:8800$/m, `:${edge}`);
  fs.writeFileSync(environment, ports);
  const manifest = path.join(project, "routes/shop.yaml");
  const text = fs.readFileSync(manifest, "utf8");
  const limited = text.replace(
    /^( *- rate-limit: ).*$/m,
    "$1{ limit: 3/h, by: ip }\n  - geo-fence: { expect: please }",
  );
  fs.writeFileSync(manifest, limited);
});

afterAll(async () => {
  await registry.stop();
  fs.rmSync(scratch, { recursive: true, force: true });
});

it("postern upgrade names the Workers that change, and changes nothing", async () => {
  const before = fs.readFileSync(path.join(project, "package.json"), "utf8");
  const output = await user.succeed(`npx postern upgrade ${versions.after}`, project);
  expect(output).toContain(`postern ${versions.before} → ${versions.after}`);
  expect(output).toMatch(/^postern-front-local +new version +code/m);
  const plans = output.split("\n").filter((line) => /\bplan:/.test(line));
  expect(plans.filter((line) => !changedPlans.some((it) => it.test(line)))).toEqual([]);
  expect(output).toContain("no migration of Durable Objects");
  expect(output).toContain("the new version takes all of them");
  expect(fs.readFileSync(path.join(project, "package.json"), "utf8")).toBe(before);
  expect(fs.existsSync(path.join(project, ".build/upgrade"))).toBe(false);
});

it("a deployment of the version before is upgraded with its limits and its split", async () => {
  const postern = (command: string) => user.succeed(`npx postern ${command} --target http://127.0.0.1:${api}`, project);
  const cloud = (): Promise<Running> =>
    user.start(`npx postern cloud --api-port ${api} --edge-port ${edge}`, new RegExp(`${edge}`), project);
  const statusOf = async (path: string) => (await fetch(`http://localhost:${edge}/shop/v1${path}`)).status;
  const status = () => statusOf("/orders");
  let running = await cloud();
  try {
    await postern("deploy");
    // Three an hour are let through to the project's own filter, which refuses them; the fourth is one too many.
    expect([await status(), await status(), await status(), await status()]).toEqual([403, 403, 403, 429]);
    await postern("overlay close shop/order --for 1h -m test --as lead");
    await until(async () => (await statusOf("/orders/1")) === 503, "the route is closed", 60_000);
    const manifest = path.join(project, "routes/shop.yaml");
    fs.writeFileSync(manifest, fs.readFileSync(manifest, "utf8").replace("timeout: 2s", "timeout: 3s"));
    expect(await postern("deploy shop --split 10")).toMatch(/gate-shop-local +uploaded +10 %/);
    await running.stop();
    await user.succeed(`npm install --save-dev --save-exact postern@${versions.after}`, project);
    running = await cloud();
    expect(await postern("releases shop")).toMatch(/ 10 %[\s\S]* 90 %/);
    expect([await status(), await statusOf("/orders/1")]).toEqual([429, 503]);
    // The front changes; the gate goes on with its split.
    expect(await postern("deploy front")).toMatch(/postern-front-local +\w+ +100 %/);
    expect(await postern("releases shop")).toMatch(/ 10 %[\s\S]* 90 %/);
    expect([await status(), await statusOf("/orders/1")]).toEqual([429, 503]);
    expect(await postern("overlay list shop")).toMatch(/close +order/);
    expect(await postern("rollback shop")).toContain("all requests go to");
  } finally {
    await running.stop();
  }
});
