/** Runs one list of commands with each wrangler, oldest to newest, against a local cloud. */
import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CommandResult,
  type LocalCloud,
  openLocalCloud,
  openWrangler,
  type Wrangler,
} from "../cloud/local-cloud.ts";
import { backMain, shopConfig, shopHost, shopMain, writeWorkerProject } from "../cloud/sample-workers.ts";
import { until } from "../until.ts";
import { wranglersUnderTest } from "./versions.ts";

describe.each(wranglersUnderTest())("wrangler $version ($name)", ({ package: folder }) => {
  let local: LocalCloud;
  let wrangler: Wrangler;
  let bare: string;
  let shop: string;
  let store: string;

  /** Each command ends well. */
  const run = async (
    at: string,
    command: string,
    words: readonly string[] = [],
    input?: string,
  ): Promise<CommandResult> => {
    const ran = await wrangler.run(at, command, words, input);
    if (ran.code !== 0) throw new Error(`wrangler ${command} ended with ${ran.code}:\n${ran.output}`);
    return ran;
  };
  const json = async (target = "/") => JSON.parse((await local.get(shopHost, target)).text);
  const versions = () => local.cloud.control.worker("shop").versions.map(({ id }) => id);
  const newest = () => versions().at(-1) ?? "";
  const shares = () => local.cloud.control.worker("shop").deployments[0]?.versions ?? [];
  const ids = (text: string): string[] => (JSON.parse(text) as { readonly id: string }[]).map(({ id }) => id);

  beforeAll(async () => {
    local = await openLocalCloud();
    wrangler = openWrangler(local, folder);
    bare = path.join(local.folder, "bare");
    fs.mkdirSync(bare);
  });
  afterAll(() => local.close());

  it("whoami, and a KV namespace", async () => {
    expect((await run(bare, "whoami")).stdout).toContain("local cloud");
    await run(bare, "kv namespace create store");
    const listed = JSON.parse((await run(bare, "kv namespace list")).stdout) as { id: string; title: string }[];
    expect(listed.map(({ title }) => title)).toEqual(["store"]);
    store = listed[0]?.id ?? "";
  });

  it("deploy, with a service, an object, a limit, KV and a route", async () => {
    await run(
      writeWorkerProject(local.folder, "back", backMain, { workers_dev: false, preview_urls: false }),
      "deploy",
    );
    shop = writeWorkerProject(local.folder, "shop", shopMain, shopConfig(store));
    await run(shop, "deploy --define release:1");
    expect(await json()).toMatchObject({ release: 1, id: newest(), greeting: "hello you of acme" });
    expect(await json("/count")).toBe(1);
  });

  it("kv key put, get, list and delete, and kv bulk put", async () => {
    const at = ["--remote", "--namespace-id", store];
    fs.writeFileSync(path.join(bare, "pairs.json"), JSON.stringify([{ key: "two", value: "2" }]));
    await run(bare, "kv key put one 1", at);
    await run(bare, "kv bulk put pairs.json", at);
    expect((await run(bare, "kv key get two --text", at)).stdout).toContain("2");
    expect((await json("/kv/one")).value).toBe("1");
    await run(bare, "kv key delete one", at);
    const listed = JSON.parse((await run(bare, "kv key list", at)).stdout) as { readonly name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(["two"]);
  });

  it("versions upload, list, view and deploy; deployments list and status", async () => {
    const first = newest();
    await run(shop, "versions upload --define release:2 --tag two --message second");
    const second = newest();
    expect(ids((await run(shop, "versions list --json")).stdout)).toEqual([first, second]);
    expect(JSON.parse((await run(shop, "versions view --json", [second])).stdout).id).toBe(second);
    await run(shop, "versions deploy -y", [`${first}@90`, `${second}@10`]);
    expect(shares().map(({ percentage }) => percentage)).toEqual([90, 10]);
    expect(JSON.parse((await run(shop, "deployments list --json")).stdout)).toHaveLength(2);
    expect(JSON.parse((await run(shop, "deployments status --json")).stdout).versions).toEqual(shares());
    await run(shop, "versions deploy -y", [`${second}@100`]);
    expect((await json()).release).toBe(2);
  });

  it("secret put, bulk, list and delete", async () => {
    await run(shop, "secret put ONE", [], "one");
    await run(shop, "secret bulk", [], JSON.stringify({ TWO: "two", THREE: "three" }));
    expect(await json("/secrets")).toEqual(["one", "two", "three"]);
    await run(shop, "secret delete TWO", [], "y\n");
    expect(await json("/secrets")).toEqual(["one", null, "three"]);
    const listed = JSON.parse((await run(shop, "secret list")).stdout) as { readonly name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(["ONE", "THREE"]);
  });

  it("versions secret put, bulk, list and delete", async () => {
    const live = shares();
    await run(shop, "versions secret put ONE", [], "uno");
    await run(shop, "versions secret bulk", [], JSON.stringify({ TWO: "dos", THREE: "tres" }));
    await run(shop, "versions secret delete THREE", [], "y\n");
    expect(shares()).toEqual(live);
    await run(shop, "versions deploy -y", [`${newest()}@100`]);
    expect(await json("/secrets")).toEqual(["uno", "dos", null]);
    expect((await run(shop, "versions secret list")).output).toContain("TWO");
    // It has the code of the version before, and what that is bound to.
    expect(await json()).toMatchObject({ release: 2, greeting: "hello you of acme" });
    expect(await json("/count")).toBe(2);
  });

  it("deploy again, rollback, and triggers deploy", async () => {
    const before = newest();
    await run(shop, "deploy --define release:3");
    expect(await json()).toMatchObject({ release: 3 });
    expect(await json("/secrets")).toEqual(["uno", "dos", null]);
    await run(shop, "rollback -y --message back", [before]);
    expect((await json()).release).toBe(2);
    await run(shop, "triggers deploy");
    expect(local.cloud.control.worker("shop").routes.map(({ pattern }) => pattern)).toEqual([`${shopHost}/*`]);
  });

  it("tail hears a request", async () => {
    const tail = wrangler.run(bare, "tail shop --format json");
    let sent = 0;
    const asking = setInterval(() => void local.get(shopHost, `/tailed-${++sent}`), 200);
    try {
      await until(() => tail.output().includes("requested"), "the tail shows a request");
    } finally {
      clearInterval(asking);
      tail.interrupt();
    }
    expect((await tail).stdout).toMatch(/"\/tailed-\d+"/);
  });

  it("delete, and no call was unknown", async () => {
    await run(bare, "delete --name shop --force");
    await run(bare, "delete --name back --force");
    await run(bare, "kv namespace delete --namespace-id", [store, "-y"]);
    expect(local.cloud.control.account().workers.size).toBe(0);
    expect(local.calls.filter(({ unknown }) => unknown)).toEqual([]);
  });
});
