/** One script of unmodified wrangler's commands: what each asks of the API, and what the edge does then. */
import fs from "node:fs";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { home } from "../../infra/gen/generated.ts";
import { until } from "../e2e/city.ts";
import { type Local, openLocal, openWrangler, type Ran, type Wrangler } from "./cloud.ts";

const golden = path.join(home, "test/golden/wrangler-calls.txt");
const update = process.env.UPDATE_GOLDEN === "1";
if (update && process.env.CI) throw new Error("CI does not write golden files");

let local: Local;
let wrangler: Wrangler;
let bare: string;
/** Where chance falls: the newer version has the lower end. */
const chance = 0.5;

beforeAll(async () => {
  local = await openLocal({ random: () => chance });
  wrangler = openWrangler(local);
  bare = path.join(local.folder, "bare");
  fs.mkdirSync(bare);
  return local.close;
});

const project = (name: string, main: string, config: object): string => {
  const folder = path.join(local.folder, name);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "main.js"), main);
  fs.writeFileSync(
    path.join(folder, "wrangler.json"),
    JSON.stringify({ name, main: "main.js", compatibility_date: "2026-10-01", ...config }),
  );
  return folder;
};

const backMain = `
import { WorkerEntrypoint } from "cloudflare:workers";
export class Greeter extends WorkerEntrypoint {
  greet(name) { return \`hello \${name} of \${this.ctx.props.tenant}\`; }
}
export default { fetch: () => new Response("back") };`;

const shopMain = `
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/count") return new Response(String(await env.COUNTER.getByName("one").add()));
    if (pathname.startsWith("/kv/"))
      return Response.json(await env.STORE.getWithMetadata(pathname.slice(4)));
    if (pathname === "/limit") return Response.json((await env.LIMIT.limit({ key: "all" })).success);
    if (pathname === "/secrets") return Response.json([env.ONE ?? null, env.TWO ?? null, env.THREE ?? null]);
    console.log("asked for", pathname);
    const { id, tag } = env.VERSION;
    return Response.json({ release, id, tag, greeting: await env.BACK.greet("you") });
  },
};`;

const shopHost = "shop.example.com";

const shopConfig = (namespace: string) => ({
  routes: [{ pattern: `${shopHost}/*`, zone_name: "example.com" }],
  workers_dev: true,
  preview_urls: true,
  version_metadata: { binding: "VERSION" },
  services: [{ binding: "BACK", service: "back", entrypoint: "Greeter", props: { tenant: "acme" } }],
  kv_namespaces: [{ binding: "STORE", id: namespace }],
  ratelimits: [{ name: "LIMIT", namespace_id: "7", simple: { limit: 2, period: 60 } }],
  durable_objects: { bindings: [{ name: "COUNTER", class_name: "Counter" }] },
  migrations: [{ tag: "v1", new_sqlite_classes: ["Counter"] }],
});

/** All of them end well. */
const done = async (...commands: readonly Promise<Ran>[]): Promise<Ran[]> => {
  const all = await Promise.all(commands);
  for (const { code, said } of all) if (code !== 0) throw new Error(said);
  return all;
};
const out = async (command: Promise<Ran>): Promise<string> => (await done(command))[0]?.out ?? "";
const json = async (host: string, target = "/") => JSON.parse((await local.ask(host, target)).text);
const edge = async () => (await json(shopHost)).release;
const versions = () => local.cloud.control.worker("shop").versions.map(({ id }) => id);
const newest = () => versions().at(-1) ?? "";
const store = () =>
  [...local.cloud.control.account().namespaces.values()].find(({ title }) => title === "store")?.id ?? "";

it("whoami, namespaces, and a first deploy of two Workers", async () => {
  const back = project("back", backMain, { workers_dev: false, preview_urls: false });
  const run = (command: string) => wrangler.run(bare, command);
  const [who] = await done(
    run("whoami"),
    run("kv namespace create store"),
    run("kv namespace create spare"),
    wrangler.run(back, "deploy"),
  );
  expect(who?.out).toContain("local cloud");
  const shop = project("shop", shopMain, shopConfig(store()));
  const [, list] = await done(
    wrangler.run(shop, "deploy --define release:1"),
    run("kv namespace list"),
    run("kv namespace rename spare --new-name other"),
  );
  expect(JSON.parse(list?.out ?? "").map(({ title }: { title: string }) => title)).toContain("store");
  const first = { release: 1, id: newest(), tag: "", greeting: "hello you of acme" };
  expect(await json(shopHost)).toEqual(first);
  expect(await json("shop.local.workers.dev")).toEqual(first);
  expect((await local.ask("back.local.workers.dev")).status).toBe(404);
  expect([await json(shopHost, "/limit"), await json(shopHost, "/limit"), await json(shopHost, "/limit")]).toEqual([
    true,
    true,
    false,
  ]);
  expect(await json(shopHost, "/count")).toBe(1);
});

it("zz", () => {
  fs.writeFileSync(
    "/tmp/h6/tr.txt",
    wrangler.transcripts.map(({ command, calls }) => [`$ wrangler ${command}`, ...calls].join("\n  ")).join("\n\n"),
  );
});
