/**
 * A project of one version is upgraded to the next: `postern upgrade` says what changes, and the deployment goes on. It has a
 * filter of its own, limits that were counted, and a split under way.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pack, stage } from "../../infra/package/stage.ts";
import { type Newcomer, newcomer, ownTools, type Running } from "./newcomer.ts";
import { freePort, type Registry, startRegistry } from "./registry.ts";

const versions = { before: "0.0.8", after: "0.0.9" };
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "postern-upgrade-"));
let registry: Registry;
let user: Newcomer;
let project: string;

beforeAll(async () => {
  const tarballs = path.join(scratch, "tarballs");
  const before = pack(stage(versions.before, "version-before"), tarballs);
  const folder = stage(versions.after, "version-after");
  // What differs in the next version: code of the front.
  const front = path.join(folder, "functions/front.js");
  fs.appendFileSync(front, '\nglobalThis.posternRelease = "next";\n');
  const after = pack(folder, tarballs);
  registry = await startRegistry(path.join(scratch, "registry"));
  for (const { file } of [before, after]) registry.publish(file);
  user = newcomer(path.join(scratch, "user"), ownTools(), registry.url);
  project = path.join(user.folder, "gateway");
  fs.mkdirSync(project);
  fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await user.succeed(`npm install --save-dev --save-exact postern@${versions.before}`, project);
  await user.succeed("npx postern init --yes && npx postern new filter geo-fence", project);
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
  expect(output).not.toMatch(/^gate-shop|plan:/m);
  expect(output).toContain("no migration of Durable Objects");
  expect(output).toContain("the new version takes all of them");
  expect(fs.readFileSync(path.join(project, "package.json"), "utf8")).toBe(before);
  expect(fs.existsSync(path.join(project, ".build/upgrade"))).toBe(false);
});

it("a deployment of the version before is upgraded with its limits and its split", async () => {
  const [api, edge] = [await freePort(), await freePort()];
  const postern = (command: string) => user.succeed(`npx postern ${command} --target http://127.0.0.1:${api}`, project);
  const cloud = (): Promise<Running> =>
    user.start(`npx postern cloud --api-port ${api} --edge-port ${edge}`, new RegExp(`${edge}`), project);
  const status = async () => (await fetch(`http://localhost:${edge}/shop/v1/orders`)).status;
  let running = await cloud();
  try {
    await postern("deploy");
    // Three an hour are let through to the project's own filter, which refuses them; the fourth is one too many.
    expect([await status(), await status(), await status(), await status()]).toEqual([403, 403, 403, 429]);
    const manifest = path.join(project, "routes/shop.yaml");
    fs.writeFileSync(manifest, fs.readFileSync(manifest, "utf8").replace("timeout: 2s", "timeout: 3s"));
    expect(await postern("deploy shop --split 10")).toMatch(/gate-shop-local +uploaded +10 %/);
    await running.stop();
    await user.succeed(`npm install --save-dev --save-exact postern@${versions.after}`, project);
    running = await cloud();
    expect(await postern("releases shop")).toMatch(/ 10 %[\s\S]* 90 %/);
    expect(await status()).toBe(429);
    // The front changes; the gate goes on with its split.
    expect(await postern("deploy front")).toMatch(/postern-front-local +\w+ +100 %/);
    expect(await postern("releases shop")).toMatch(/ 10 %[\s\S]* 90 %/);
    expect(await status()).toBe(429);
    expect(await postern("rollback shop")).toContain("all requests go to");
  } finally {
    await running.stop();
  }
});
