/**
 * The first day of somebody who has Node and npm: `npm create postern`, the dev loop, cases, and a local cloud with a gray
 * release and a rollback. On the lowest Node that the package allows, with the npm that comes with it, and on this one's.
 */
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryManifest } from "../../infra/package/stage.ts";
import { until } from "../until.ts";
import { type Newcomer, newcomer, nodeFolder, npmFolder, ownTools } from "./newcomer.ts";
import { packed } from "./packed.ts";
import { freePort, type Registry, startRegistry } from "./registry.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "postern-package-"));
let registry: Registry;

beforeAll(async () => {
  const { postern, create } = packed();
  registry = await startRegistry(path.join(scratch, "registry"));
  for (const { file } of [postern, create]) registry.publish(file);
});

afterAll(async () => {
  await registry.stop();
  fs.rmSync(scratch, { recursive: true, force: true });
});

const lowest = `${repositoryManifest().engines.node?.slice(2)}.0`;
interface System {
  readonly name: string;
  readonly tools: () => readonly string[];
}

const systems: readonly [System, System] = [
  { name: `Node ${lowest}`, tools: () => [nodeFolder(lowest), npmFolder("10.9.3")] },
  { name: "this Node", tools: ownTools },
];

const folderFor = ({ name }: System): string => path.join(scratch, name.replaceAll(/\W+/g, "-"));

/** All files below a folder, with their sizes and times: what differs was written. */
const filesIn = (folder: string): string[] =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => path.join(it.parentPath, it.name))
    .map((file) => `${path.relative(folder, file)} ${fs.statSync(file).size} ${fs.statSync(file).mtimeMs}`)
    .sort();

/** On the disk: the scripts of workerd and esbuild link a second name to their programs. */
const sizeOf = (folder: string): number => {
  const files = fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => fs.statSync(path.join(it.parentPath, it.name)));
  return [...new Map(files.map((it) => [it.ino, it.size])).values()].reduce((sum, size) => sum + size, 0);
};

/** With all dependencies. `docs/versions.md` names it; workerd, esbuild and TypeScript's libraries are most of it. */
const maxInstalledBytes = 300_000_000;

describe.each(systems)("on $name", (system) => {
  let user: Newcomer;
  let project: string;
  let installed: string[];

  beforeAll(() => {
    user = newcomer(folderFor(system), system.tools(), registry.url);
    project = path.join(user.folder, "my-gateway");
  });

  it("npm create makes a project that installs from the same registry", async () => {
    const output = await user.succeed("npm create postern@latest my-gateway -- --yes");
    expect(output).toContain("npm run dev");
    expect(fs.readFileSync(path.join(project, ".gitignore"), "utf8")).toMatch(/^\.secrets\/$/m);
    const { devDependencies } = JSON.parse(fs.readFileSync(path.join(project, "package.json"), "utf8"));
    expect(devDependencies.postern).toBe(repositoryManifest().version);
    await user.succeed("npm install", project);
    expect(sizeOf(path.join(project, "node_modules"))).toBeLessThan(maxInstalledBytes);
    installed = filesIn(path.join(project, "node_modules/postern"));
  });

  it("the dev loop refuses a request, and serves one", async () => {
    const port = await freePort();
    const loop = await user.start(`npm run dev -- --port ${port}`, /ready in/, project);
    try {
      const url = `http://localhost:${port}/shop/v1/orders`;
      const refused = await fetch(url);
      expect([refused.status, await refused.json()]).toMatchObject([401, { code: "token-missing" }]);
      const token = await tokenOf();
      const served = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      expect(served.status).toBe(200);
    } finally {
      await loop.stop();
    }
  });

  it("the cases hold, and nothing is to be found fault with", async () => {
    expect(await user.succeed("npm test", project)).toContain("cases hold");
    expect(await user.succeed("npx postern check", project)).toContain("no problems");
  });

  it("a local cloud takes a deploy, a gray release and a rollback", async () => {
    const [api, edge] = [await freePort(), await freePort()];
    const services = await user.start(
      "node services/identity.js 18100 & node services/orders.js 18101 & echo up; wait",
      /up/,
      project,
    );
    const cloud = await user.start(
      `npx postern cloud --api-port ${api} --edge-port ${edge}`,
      new RegExp(`${edge}`),
      project,
    );
    const postern = (command: string) =>
      user.succeed(`npx postern ${command} --target http://127.0.0.1:${api}`, project);
    try {
      expect(await postern("deploy")).toContain("Workers are new on local");
      const orders = `http://localhost:${edge}/shop/v1/orders`;
      expect((await fetch(orders)).status).toBe(401);
      const authorization = `Bearer ${await tokenOf()}`;
      await until(
        async () => (await fetch(orders, { headers: { authorization } })).status === 200,
        "an order is served",
      );
      const manifest = path.join(project, "routes/shop.yaml");
      const before = fs.readFileSync(manifest, "utf8");
      const edited = before.replace("- headers: {", "- headers: { response: { set: { x-release: two } },");
      fs.writeFileSync(manifest, edited);
      expect(await postern("deploy shop --split 50")).toMatch(/gate-shop-local +uploaded +50 %/);
      const releases = async () => {
        const answers = Array.from({ length: 40 }, () =>
          fetch(orders, { headers: { authorization, cookie: "", "x-user": randomUUID() } }),
        );
        return new Set((await Promise.all(answers)).map((it) => `${it.status} ${it.headers.get("x-release")}`));
      };
      await until(async () => (await releases()).size === 2, "two versions serve");
      expect([...(await releases())].sort()).toEqual(["200 null", "200 two"]);
      expect(await postern("rollback shop")).toContain("all requests go to");
      await until(async () => (await releases()).size === 1, "one version serves");
      expect([...(await releases())]).toEqual(["200 null"]);
    } finally {
      await cloud.stop();
      await services.stop();
    }
  });

  it("nothing was written into the installed package, which may be read-only", () => {
    const before = new Set(installed);
    expect(filesIn(path.join(project, "node_modules/postern")).filter((it) => !before.has(it))).toEqual([]);
  });
});

/** Of the sample identity provider, which the project's dev loop starts. */
const tokenOf = async (): Promise<string> => {
  const answer = await fetch("http://localhost:18100/token/alice?audience=shop");
  return answer.text();
};

describe("an older Node", () => {
  const commands = [
    ["npm create postern@latest old -- --yes", "."],
    ["npx postern dev", "my-gateway"],
  ] as const;

  it.each(commands)("%s says what it needs, in one sentence", async (command, folder) => {
    // What the first one has downloaded is in the cache.
    const user = newcomer(folderFor(systems[0]), [nodeFolder("20.19.0"), npmFolder("10.9.3")], registry.url);
    const { code, stderr } = await user.run(command, path.join(user.folder, folder));
    const said = stderr.split("\n").filter((line) => /this is Node/.test(line));
    const sentence = /^[\w-]+: this is Node 20\.19\.0, and postern needs 22\.18 or newer/;
    expect([code, said]).toEqual([3, [expect.stringMatching(sentence)]]);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});
