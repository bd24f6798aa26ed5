/** API tokens of the local cloud: what each permission group lets through, and what the platform's refusals look like. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { accountId } from "../../infra/cloud/account/access.ts";
import { type PermissionName, permissionGroups } from "../../infra/cloud/account/permission-groups.ts";
import { zoneId } from "../../infra/cloud/account/zone-id.ts";
import { postern } from "../command-line.ts";
import { createToken, startAccountApi } from "./account-api.ts";
import { uploadForm } from "./api-client.ts";
import { temporaryFolder } from "./in-process-cloud.ts";

const zone = zoneId("acme.example");

const account = `/accounts/${accountId}`;

/** What each group lets through, and what is refused to a token that has every other group. */
const calls: readonly (readonly [group: PermissionName, method: string, path: string, code: number, body?: object])[] =
  [
    ["Workers Scripts Write", "DELETE", `${account}/workers/scripts/w`, 10000],
    ["Workers Scripts Write", "PUT", `${account}/workers/scripts/w/secrets`, 10000],
    ["Workers KV Storage Write", "POST", `${account}/storage/kv/namespaces`, 10000, { title: "t" }],
    ["Workers Routes Write", "POST", `/zones/${zone}/workers/routes`, 10000],
    ["Workers Routes Write", "PUT", `${account}/workers/scripts/w/routes`, 10000, []],
    ["Zone Transform Rules Write", "PUT", `/zones/${zone}/rulesets/phases/p/entrypoint`, 10000],
    ["DNS Write", "POST", `/zones/${zone}/dns_records`, 10000],
    ["Zone Read", "GET", `/zones/${zone}`, 9109],
    ["Account Settings Read", "GET", account, 9109],
    ["User Details Read", "GET", "/user", 9109],
    ["Memberships Read", "GET", "/memberships", 9109],
    ["API Tokens Write", "POST", "/user/tokens", 9109],
    ["Billing Read", "GET", `${account}/subscriptions`, 9109],
  ];

const allGroups = Object.keys(permissionGroups) as PermissionName[];

describe("a token", () => {
  it("is refused what its permission groups do not grant, with the platform's code, and changes nothing", async () => {
    const cloud = await startAccountApi();
    const before = JSON.stringify([...cloud.control.account().workers]);
    for (const [group, method, path, code, body = {}] of calls) {
      const others = allGroups.filter((it) => it !== group);
      const given = method === "GET" ? undefined : body;
      const refused = await cloud.call(method, path, given, (await createToken(cloud, others)).value);
      expect([group, path, refused.status, refused.success, refused.errors[0]?.code, refused.result]).toEqual([
        ...[group, path, 403, false, code, null],
      ]);
      const granted = await cloud.call(method, path, given, (await createToken(cloud, [group])).value);
      expect([group, path, [9109, 10000].includes(granted.errors[0]?.code ?? 0)]).toEqual([group, path, false]);
      await cloud.control.setTokens([]);
    }
    expect(JSON.stringify([...cloud.control.account().workers])).toBe(before);
  });

  it("needs the same permission for a path with escapes", async () => {
    const cloud = await startAccountApi();
    const { value } = await createToken(cloud, ["Memberships Read"]);
    for (const [group, method, path, code, body = {}] of calls) {
      if (group === "Memberships Read") continue;
      const escaped = path.replace(/[^/]+/g, (it) => `%${it.charCodeAt(0).toString(16)}${it.slice(1)}`);
      const refused = await cloud.call(method, escaped, method === "GET" ? undefined : body, value);
      expect([escaped, refused.status, refused.errors[0]?.code]).toEqual([escaped, 403, code]);
    }
  });

  it("that may read may not write, and one that may write reads too", async () => {
    const cloud = await startAccountApi();
    const read = await createToken(cloud, ["Workers KV Storage Read"]);
    const write = await createToken(cloud, ["Workers KV Storage Write"]);
    const codes = async (token: string) => {
      const list = await cloud.call("GET", `${account}/storage/kv/namespaces`, undefined, token);
      const made = await cloud.call("POST", `${account}/storage/kv/namespaces`, { title: token }, token);
      return [list.status, made.status];
    };
    expect([await codes(read.value), await codes(write.value)]).toEqual([
      [200, 403],
      [200, 200],
    ]);
  });

  it("of one zone does not see another", async () => {
    const cloud = await startAccountApi();
    const { value } = await createToken(cloud, ["Zone Read", "Workers Routes Write"], {
      zones: `com.cloudflare.api.account.zone.${zone}`,
    });
    const other = zoneId("other.example");
    const get = (path: string) => cloud.call("GET", path, undefined, value);
    expect((await get("/zones?name=acme.example")).result).toMatchObject([{ id: zone }]);
    expect((await get("/zones?name=other.example")).result).toEqual([]);
    expect((await get(`/zones/${zone}/workers/routes`)).status).toBe(200);
    expect((await get(`/zones/${other}/workers/routes`)).errors).toEqual([
      { code: 10000, message: "Authentication error" },
    ]);
  });

  it("is verified where its owner is, also when it has expired", async () => {
    const cloud = await startAccountApi();
    const of = await createToken(cloud, ["Workers Scripts Write"], { owner: "account" });
    const late = await createToken(cloud, ["Workers Scripts Write"], { expires_on: "2020-01-01T00:00:00Z" } as never);
    const verified = async (path: string, token: string) => {
      const { status, errors, result } = await cloud.call("GET", path, undefined, token);
      return [status, errors[0]?.code, (result as { status?: string } | null)?.status];
    };
    expect(await verified(`${account}/tokens/verify`, of.value)).toEqual([200, undefined, "active"]);
    expect(await verified("/user/tokens/verify", of.value)).toEqual([401, 1000, undefined]);
    expect(await verified("/user/tokens/verify", "nobody's")).toEqual([401, 1000, undefined]);
    expect(await verified("/user/tokens/verify", late.value)).toEqual([200, undefined, "expired"]);
    expect((await cloud.call("GET", `${account}/workers/scripts`, undefined, late.value)).errors[0]?.code).toBe(10000);
  });

  it("survives a restart without its value on disk, and ends where it is revoked", async () => {
    const folder = temporaryFolder();
    const first = await startAccountApi(folder);
    const { id, value } = await createToken(first, ["Workers Scripts Write"]);
    await first.call("PUT", `${account}/workers/scripts/w`, uploadForm("export default { fetch() {} }"), value);
    first.close();
    expect(fs.readFileSync(path.join(folder, "journal.ndjson"), "utf8")).not.toContain(value);
    const again = await startAccountApi(folder);
    const scripts = () => again.call("GET", `${account}/workers/scripts`, undefined, value);
    expect((await scripts()).result).toMatchObject([{ id: "w" }]);
    expect((await again.call("GET", `/user/tokens/${id}`)).result).toMatchObject({
      policies: [{ permission_groups: [{ name: "Workers Scripts Write" }] }],
    });
    await again.call("DELETE", `/user/tokens/${id}`);
    expect((await scripts()).status).toBe(403);
  });
});

describe("postern cloud token", () => {
  it("makes one with these groups, for these zones, and prints the shell's variables", async () => {
    const { api, call } = await startAccountApi();
    const args = ["Workers Routes Write", "Workers Scripts Read", "--zone", "acme.example", "--target", api];
    const { code, out } = await postern(["cloud", "token", ...args]);
    expect([code, out]).toEqual([0, expect.stringContaining(`export CLOUDFLARE_API_BASE_URL=${api}\n`)]);
    const [, value = ""] = /^export CLOUDFLARE_API_TOKEN=(\S+)$/m.exec(out) ?? [];
    const status = async (path: string) => (await call("GET", path, undefined, value)).status;
    expect(await status(`/zones/${zone}/workers/routes`)).toBe(200);
    expect(await status(`/zones/${zoneId("other.example")}/workers/routes`)).toBe(403);
    expect(await status(`${account}/workers/scripts`)).toBe(200);
    expect(await status(`${account}/storage/kv/namespaces`)).toBe(403);
  });

  it.each([
    [["Workers Scripts Edit"], /did you mean "Workers Scripts Read"\?|no permission group "Workers Scripts Edit"/],
    [["Zone Read", "--target", "cloudflare"], /make tokens of Cloudflare there/],
    [["Zone Read", "--target", "http://127.0.0.1:9"], /start the local cloud: npx postern cloud/],
  ])("%j is refused with the remedy", async (args, said) => {
    const { code, err } = await postern(["cloud", "token", ...args]);
    expect([code, err]).toEqual([3, expect.stringMatching(said)]);
  });
});
