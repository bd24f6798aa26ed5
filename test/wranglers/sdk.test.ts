/**
 * The official SDK against a local cloud: its common calls work, and unsupported ones are refused by name at the first try.
 */
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accountId } from "../../infra/cloud/account/access.ts";
import { type LocalCloud, openLocalCloud } from "../cloud/local-cloud.ts";
import { installPackage } from "../install-package.ts";

const version = "7.3.0";

// biome-ignore lint/suspicious/noExplicitAny: the package is installed by the test, so that its types are not there
let client: any;
// biome-ignore lint/suspicious/noExplicitAny: as above
let toFile: any;
let local: LocalCloud;
const account_id = accountId;

const source = (edit: string) => `export default { fetch: (_, env) => new Response("${edit} " + env.WORD) };`;
const upload = async (edit: string, metadata: object = {}) => ({
  account_id,
  metadata: { main_module: "main.js", ...metadata },
  files: [await toFile(Buffer.from(source(edit)), "main.js", { type: "application/javascript+module" })],
});
const answer = async () => (await local.get("shop.local.workers.dev")).text;
/** All pages of a list. */
const all = async (list: AsyncIterable<unknown>) => {
  const found: unknown[] = [];
  for await (const it of list) found.push(it);
  return found;
};

beforeAll(async () => {
  const folder = installPackage("cloudflare", version);
  ({ default: client, toFile } = await import(pathToFileURL(path.join(folder, "index.mjs")).href));
  local = await openLocalCloud();
  const { api, token } = local.cloud;
  client = new client({ apiToken: token, baseURL: api });
}, 400_000);
afterAll(() => local.close());

it("uploads a Worker as a version, deploys it, and lists both", async () => {
  const { scripts } = client.workers;
  // The first upload of a Worker is raw or a form written by hand: the SDK sends a form under the type of a script.
  const raw = `addEventListener("fetch", (event) => event.respondWith(new Response("raw")));`;
  const path_ = `/accounts/${account_id}/workers/scripts/shop`;
  await client.put(path_, { body: raw, headers: { "content-type": "application/javascript" } });
  await scripts.subdomain.create("shop", { account_id, enabled: true, previews_enabled: true });
  expect(await answer()).toBe("raw");
  const bindings = [{ type: "plain_text", name: "WORD", text: "one" }];
  const made = await scripts.versions.create(
    "shop",
    await upload("first", { bindings, compatibility_date: "2026-10-01" }),
  );
  expect(await all(scripts.versions.list("shop", { account_id }))).toHaveLength(2);
  expect((await scripts.versions.get(made.id, { account_id, script_name: "shop" })).id).toBe(made.id);
  await scripts.deployments.create("shop", {
    account_id,
    strategy: "percentage",
    versions: [{ version_id: made.id, percentage: 100 }],
  });
  expect(await answer()).toBe("first one");
  const listed = (await all(scripts.deployments.list("shop", { account_id }))) as { id: string }[];
  expect(listed).toHaveLength(2);
  const id = listed[0]?.id ?? "";
  expect((await scripts.deployments.get(id, { account_id, script_name: "shop" })).id).toBe(id);
});

it("reads and replaces content and settings", async () => {
  const { scripts } = client.workers;
  expect((await all(scripts.list({ account_id }))).map((it) => (it as { id: string }).id)).toEqual(["shop"]);
  expect(await (await scripts.content.get("shop", { account_id })).text()).toContain(source("first"));
  expect(await scripts.get("shop", { account_id })).toContain(source("first"));
  await scripts.content.update("shop", await upload("second"));
  expect(await answer()).toBe("second one");
  const settings = { bindings: [{ type: "plain_text", name: "WORD", text: "two" }], tags: ["blue"] };
  await scripts.scriptAndVersionSettings.edit("shop", { account_id, settings });
  expect(await answer()).toBe("second two");
  const seen = await scripts.scriptAndVersionSettings.get("shop", { account_id });
  expect([seen.compatibility_date, seen.tags]).toEqual(["2026-10-01", ["blue"]]);
  await scripts.settings.edit("shop", { account_id, logpush: true });
  expect((await scripts.settings.get("shop", { account_id })).logpush).toBe(true);
  expect((await scripts.subdomain.get("shop", { account_id })).enabled).toBe(true);
});

it("keeps secrets, KV and routes", async () => {
  const { secrets } = client.workers.scripts;
  await secrets.update("shop", { account_id, name: "WORD_2", text: "hidden", type: "secret_text" });
  expect(await all(secrets.list("shop", { account_id }))).toEqual([{ name: "WORD_2", type: "secret_text" }]);
  await secrets.delete("WORD_2", { account_id, script_name: "shop" });

  const { namespaces } = client.kv;
  const { id: namespace_id } = await namespaces.create({ account_id, title: "store" });
  await namespaces.values.update("k", { account_id, namespace_id, value: "v" });
  expect(await (await namespaces.values.get("k", { account_id, namespace_id })).text()).toBe("v");
  expect(await all(namespaces.keys.list(namespace_id, { account_id }))).toEqual([{ name: "k" }]);
  await namespaces.values.delete("k", { account_id, namespace_id });

  const [zone] = (await all(client.zones.list({ name: "acme.example" }))) as { id: string }[];
  const zone_id = zone?.id ?? "";
  const made = await client.workers.routes.create({ zone_id, pattern: "acme.example/*", script: "shop" });
  expect(await all(client.workers.routes.list({ zone_id }))).toEqual([made]);
  expect((await local.get("acme.example")).text).toBe("second two");
  await client.workers.routes.update(made.id, { zone_id, pattern: "acme.example/a*", script: "shop" });
  expect((await local.get("acme.example")).status).toBe(404);
  await client.workers.routes.delete(made.id, { zone_id });
  expect(await all(client.workers.domains.list({ account_id }))).toEqual([]);
});

it("is refused by name, and tries nothing again", async () => {
  const { workers, queues, d1 } = client;
  const before = local.calls.length;
  const calls = [
    () => queues.list({ account_id }),
    () => workers.domains.update({ account_id, hostname: "a.example", service: "shop", zone_id: "0" }),
    () => workers.scripts.schedules.update("shop", { account_id, body: [{ cron: "* * * * *" }] }),
    () => d1.database.list({ account_id }),
    () => workers.scripts.assets.upload.create("shop", { account_id, manifest: {} }),
  ];
  for (const ask of calls) await expect(ask()).rejects.toThrow(/the local cloud does not do this; nothing was changed/);
  expect(local.calls.length - before).toBe(calls.length);
});

it("deletes, and no call was unknown", async () => {
  await client.workers.scripts.delete("shop", { account_id });
  expect(local.cloud.control.account().workers.size).toBe(0);
  expect(local.calls.filter(({ unknown }) => unknown)).toEqual([]);
});
