/** A script of unmodified wrangler's commands: the calls of each, and the edge's behaviour afterwards. */
import fs from "node:fs";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { until } from "../until.ts";
import { type CommandResult, type LocalCloud, openLocalCloud, openWrangler, type Wrangler } from "./local-cloud.ts";
import { backMain, shopConfig, shopHost, shopMain, writeWorkerProject } from "./sample-workers.ts";

const golden = path.join(codeRoot, "test/golden/wrangler-calls.txt");
const update = process.env.UPDATE_GOLDEN === "1";
if (update && process.env.CI) throw new Error("CI does not write golden files");

let local: LocalCloud;
let wrangler: Wrangler;
let bare: string;
/** Where chance falls: the newer version has the lower end. */
let chance = 0.5;

beforeAll(async () => {
  local = await openLocalCloud({ random: () => chance });
  wrangler = openWrangler(local);
  bare = path.join(local.folder, "bare");
  fs.mkdirSync(bare);
  return local.close;
});

/** All of them end well. */
const done = async (...commands: readonly Promise<CommandResult>[]): Promise<CommandResult[]> => {
  const all = await Promise.all(commands);
  for (const { code, output: said } of all) if (code !== 0) throw new Error(said);
  return all;
};
const json = async (host: string, target = "/") => JSON.parse((await local.get(host, target)).text);
const edge = async () => (await json(shopHost)).release;
const versions = () => local.cloud.control.worker("shop").versions.map(({ id }) => id);
const newest = () => versions().at(-1) ?? "";
const store = () =>
  [...local.cloud.control.account().namespaces.values()].find(({ title }) => title === "store")?.id ?? "";

it("whoami, namespaces, and a first deploy of two Workers", async () => {
  const back = writeWorkerProject(local.folder, "back", backMain, { workers_dev: false, preview_urls: false });
  const run = (command: string) => wrangler.run(bare, command);
  const [who] = await done(
    run("whoami"),
    run("kv namespace create store"),
    run("kv namespace create spare"),
    wrangler.run(back, "deploy"),
  );
  expect(who?.stdout).toContain("local cloud");
  const shop = writeWorkerProject(local.folder, "shop", shopMain, shopConfig(store()));
  const [, list] = await done(
    wrangler.run(shop, "deploy --define release:1"),
    run("kv namespace list"),
    run("kv namespace rename spare --new-name other"),
  );
  expect(JSON.parse(list?.stdout ?? "").map(({ title }: { title: string }) => title)).toContain("store");
  const first = { release: 1, id: newest(), tag: "", greeting: "hello you of acme" };
  expect(await json(shopHost)).toEqual(first);
  expect(await json("shop.local.workers.dev")).toEqual(first);
  expect((await local.get("back.local.workers.dev")).status).toBe(404);
  expect([await json(shopHost, "/limit"), await json(shopHost, "/limit"), await json(shopHost, "/limit")]).toEqual([
    true,
    true,
    false,
  ]);
  expect(await json(shopHost, "/count")).toBe(1);
});

it("KV is written and read by commands, and the Worker sees it; a version beside it takes its share", async () => {
  const shop = path.join(local.folder, "shop");
  const id = ["--remote", "--namespace-id", store()];
  const kv = (command: string, words: readonly string[] = []) => wrangler.run(bare, `kv ${command}`, [...words, ...id]);
  const stable = newest();
  fs.writeFileSync(
    path.join(bare, "pairs.json"),
    JSON.stringify([1, 2].map((it) => ({ key: `bulk-${it}`, value: `${it}` }))),
  );
  fs.writeFileSync(path.join(bare, "keys.json"), JSON.stringify(["bulk-1", "bulk-2", "none"]));
  fs.writeFileSync(path.join(bare, "gone.json"), JSON.stringify(["bulk-1", "none"]));
  const [, , , upload] = await done(
    kv("key put a/b some-value", ["--metadata", '{"by":"test"}']),
    kv("key put brief value --ttl 600"),
    kv("bulk put pairs.json"),
    wrangler.run(shop, "versions upload --define release:2 --preview-alias try --tag two --message second"),
  );
  const second = newest();
  expect(upload?.stdout).toContain("https://try-shop.local.workers.dev");
  expect(await json(shopHost, "/kv/a/b")).toEqual({ value: "some-value", metadata: { by: "test" }, cacheStatus: null });
  expect(await edge()).toBe(1);
  for (const label of ["try", second.slice(0, 8)])
    expect(await json(`${label}-shop.local.workers.dev`)).toMatchObject({ release: 2, id: second, tag: "two" });
  expect(await json(`${stable.slice(0, 8)}-shop.local.workers.dev`)).toMatchObject({ release: 1, id: stable });

  const [value, listed, bulk, list, view] = await done(
    kv("key get a/b --text"),
    kv("key list"),
    kv("bulk get keys.json"),
    wrangler.run(shop, "versions list --json"),
    wrangler.run(shop, "versions view --json", [second]),
    wrangler.run(shop, "versions deploy -y", [`${stable}@90`, `${second}@10`]),
  );
  expect(value?.stdout).toContain("some-value");
  expect(JSON.parse(listed?.stdout ?? "")).toEqual([
    { name: "a/b", metadata: { by: "test" } },
    { name: "brief", expiration: expect.any(Number) },
    { name: "bulk-1" },
    { name: "bulk-2" },
  ]);
  expect(bulk?.stdout).toContain('"bulk-2"');
  expect(JSON.parse(list?.stdout ?? "").map((it: { id: string }) => it.id)).toEqual([stable, second]);
  expect(JSON.parse(view?.stdout ?? "").annotations).toMatchObject({
    "workers/tag": "two",
    "workers/message": "second",
  });
  const releases = async (chances: readonly number[]) => {
    const seen: number[] = [];
    for (chance of chances) seen.push(await edge());
    return seen;
  };
  expect(await releases([0.09, 0.11])).toEqual([2, 1]);

  await done(
    kv("key delete a/b"),
    kv("bulk delete gone.json --force"),
    wrangler.run(bare, "kv namespace delete other -y"),
    wrangler.run(shop, "versions deploy -y", [`${stable}@99.5`, `${second}@0.5`]),
  );
  expect([await json(shopHost, "/kv/a/b"), await json(shopHost, "/kv/bulk-1")]).toMatchObject([
    { value: null },
    { value: null },
  ]);
  expect(await json(shopHost, "/kv/bulk-2")).toMatchObject({ value: "2" });
  expect(await releases([0.0049, 0.0051])).toEqual([2, 1]);
  const [deployments, status] = await done(
    wrangler.run(shop, "deployments list --json"),
    wrangler.run(shop, "deployments status --json"),
  );
  expect(JSON.parse(deployments?.stdout ?? "")).toHaveLength(3);
  expect(JSON.parse(status?.stdout ?? "").versions).toEqual([
    { version_id: stable, percentage: 99.5 },
    { version_id: second, percentage: 0.5 },
  ]);
});

it("secrets reach the Worker by versions, and at once where the newest version is live", async () => {
  const shop = path.join(local.folder, "shop");
  const run = (command: string, input?: string) => wrangler.run(shop, command, [], input);
  const secrets = () => json(shopHost, "/secrets");
  expect(await wrangler.run(shop, "secret put ONE", [], "early")).toMatchObject({ code: 1 });
  await done(run("versions secret put ONE", "one"));
  await done(run("versions secret bulk", JSON.stringify({ TWO: "two", THREE: "three" })));
  await done(run("versions secret delete TWO"));
  expect(await secrets()).toEqual([null, null, null]);
  await done(wrangler.run(shop, "versions deploy -y", [`${newest()}@100`]));
  expect(await secrets()).toEqual(["one", null, "three"]);
  const [, list] = await done(run("versions secret list"), run("secret list"), run("secret put ONE", "uno"));
  expect(JSON.parse(list?.stdout ?? "").map((it: { name: string }) => it.name)).toEqual(["ONE", "THREE"]);
  expect(await secrets()).toEqual(["uno", null, "three"]);
  await done(run("secret bulk", JSON.stringify({ TWO: "dos", THREE: null })));
  expect(await secrets()).toEqual(["uno", "dos", null]);
  await done(run("secret delete TWO"));
  expect(await secrets()).toEqual(["uno", null, null]);
});

it("a later deploy keeps objects and secrets, and is rolled back", async () => {
  const shop = path.join(local.folder, "shop");
  const before = newest();
  expect(await edge()).toBe(2);
  await done(wrangler.run(shop, "deploy --define release:3 --tag three --message third"));
  expect(await json(shopHost)).toMatchObject({ release: 3, tag: "three" });
  expect(await json(shopHost, "/count")).toBe(2);
  expect(await json(shopHost, "/secrets")).toEqual(["uno", null, null]);
  await done(wrangler.run(shop, "rollback -y --message back", [before]));
  expect(await json(shopHost)).toMatchObject({ release: 2, id: before });
  expect(await json(shopHost, "/count")).toBe(3);
  await done(wrangler.run(shop, "rollback -y --message again"));
  expect(await edge()).toBe(3);
  await done(wrangler.run(shop, "rollback -y --message older-secrets", [versions()[1] ?? ""]));
  expect([await edge(), await json(shopHost, "/secrets")]).toEqual([2, [null, null, null]]);
});

it("tail hears a request, and what is deleted is gone", async () => {
  const tail = wrangler.run(bare, "tail shop --format json");
  let sent = 0;
  const asking = setInterval(() => void local.get(shopHost, `/tailed-${++sent}`), 200);
  await until(() => tail.output().includes("requested"), "the tail shows a request");
  clearInterval(asking);
  tail.interrupt();
  const { stdout } = await tail;
  expect(stdout).toMatch(/"\/tailed-\d+"/);
  expect(stdout).toContain('"scriptName": "shop"');
  await until(() => local.cloud.tails.tailedWorkers().length === 0, "the tail has ended");

  // Without a terminal, wrangler confirms by itself that it may break the other Worker.
  const [deleted] = await done(wrangler.run(bare, "delete back"));
  expect(deleted?.output).toContain("Worker shop (production) uses this Worker as a Service Binding");
  expect([(await local.get(shopHost)).status, await json(shopHost, "/count")]).toEqual([500, 4]);
  await done(wrangler.run(bare, "delete shop --force"));
  expect((await local.get(shopHost)).status).toBe(404);
  expect(local.cloud.control.account().workers.size).toBe(0);
});

it("no call was unknown, and each command made the calls of the golden recording", () => {
  expect(local.calls.filter(({ unknown }) => unknown)).toEqual([]);
  const text = `${wrangler.transcripts
    .map(({ command, calls }) => [`$ wrangler ${command}`, ...calls].join("\n  "))
    .join("\n\n")}\n`;
  if (update) fs.writeFileSync(golden, text);
  expect(text).toBe(fs.readFileSync(golden, "utf8"));
});
