/** Calls that the API refuses: with which code, in which words, and that nothing has changed by it. */
import { expect, it } from "vitest";
import { type Asked, call, post, put, uploadOf } from "./api-client.ts";
import { eachRefused, type Ids, main, type Refused, refused } from "./refusal.ts";

const splitOf = (worker: string, ...shares: readonly (readonly [id: string, percentage: number])[]): Asked =>
  post(`/workers/scripts/${worker}/deployments`, {
    strategy: "percentage",
    versions: shares.map(([version_id, percentage]) => ({ version_id, percentage })),
  });
const unknownId = "00000000-0000-4000-8000-000000000000";
const noNamespace = "0".repeat(32);

const calls: Readonly<Record<string, Refused>> = {
  "no token": refused(400, 9106, "Authorization", () => ({
    path: "/workers/scripts",
    headers: { authorization: undefined },
  })),
  "another token": refused(403, 10000, "Authentication", () => ({
    ...put("/workers/scripts/app", uploadOf(main("new"))),
    headers: { authorization: "Bearer other" },
  })),
  "a Worker that there is not": refused(404, 10007, "Worker", () => ({ path: "/workers/services/gone" })),
  "an end of a Worker that there is not": refused(404, 10007, "Worker", () => ({
    method: "DELETE",
    path: "/workers/scripts/gone",
  })),
  "a path that there is not": refused(404, 7003, "/workers/no-such-thing", () => post("/workers/no-such-thing", {})),
  "three versions": refused(400, 10001, "one or two versions", ({ first, second }) =>
    splitOf("app", [first, 40], [second, 40], [unknownId, 20]),
  ),
  "no version": refused(400, 10001, "one or two versions", () => splitOf("app")),
  "shares that sum to 99.9": refused(400, 10001, "99.9", ({ first, second }) =>
    splitOf("app", [first, 90], [second, 9.9]),
  ),
  "a share below zero": refused(400, 10001, "versions.1.percentage", ({ first, second }) =>
    splitOf("app", [first, 110], [second, -10]),
  ),
  "a version that there is not": refused(404, 100146, unknownId, () => splitOf("app", [unknownId, 100])),
  "a version of another Worker": refused(
    404,
    100146,
    ({ plain }) => plain,
    ({ plain }) => splitOf("app", [plain, 100]),
  ),
  "the same version twice": refused(400, 10001, "each version once", ({ first }) =>
    splitOf("app", [first, 50], [first, 50]),
  ),
  "a secret while the newest version is not live": refused(400, 10215, "latest version", () =>
    put("/workers/scripts/app/secrets", { name: "SECRET", type: "secret_text", text: "x" }),
  ),
  "a secret under the name of another binding": refused(400, 10021, "'STORE'", () => ({
    method: "PATCH",
    path: "/workers/workers/app/versions/latest",
    body: { env: { STORE: { type: "secret_text", text: "x" } } },
  })),
  "a secret under a name that no binding has": refused(400, 10021, "not a name", () =>
    put("/workers/scripts/other/secrets", { name: "not a name", type: "secret_text", text: "x" }),
  ),
  "a secret that is not there to be taken away": refused(404, 10056, "'GONE'", () => ({
    method: "DELETE",
    path: "/workers/scripts/other/secrets/GONE",
  })),
  "a way back across a changed secret": refused(400, 10220, "secret", ({ plain }) => splitOf("other", [plain, 100])),
  "another Worker's route, after one of its own": refused(409, 10020, /other\.example\/\*.*other/, () =>
    put("/workers/scripts/app/routes", [{ pattern: "more.example/*" }, { pattern: "other.example/*" }]),
  ),
  "a cron trigger": refused(400, 10400, "cron", () => put("/workers/scripts/app/schedules", [{ cron: "* * * * *" }])),
};

const kv = (store: string, rest: string) => `/storage/kv/namespaces/${store}${rest}`;
const value =
  (key: string, query = "") =>
  ({ store }: Ids) =>
    put(kv(store, `/values/${key}${query}`), "value");
const pairs = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `key-${index}`, value: "" }));
const good = { key: "good", value: "value" };

const keys: Readonly<Record<string, Refused>> = {
  "a namespace that there is not": refused(404, 10013, "namespace", () =>
    put(`/storage/kv/namespaces/${noNamespace}/values/key`, "value"),
  ),
  "an end of a namespace that there is not": refused(404, 10013, "namespace", () => ({
    method: "DELETE",
    path: `/storage/kv/namespaces/${noNamespace}`,
  })),
  "a key that there is not": refused(404, 10009, "key", ({ store }) => ({ path: kv(store, "/values/gone") })),
  "a key of 513 bytes": refused(400, 10026, "512 bytes", value(`${"a".repeat(511)}%C3%A9`)),
  "the key ..": refused(404, 7003, "namespaces", value("..")),
  "an end of the key %2e%2e": refused(404, 7003, "namespaces", ({ store }) => ({
    method: "DELETE",
    path: kv(store, "/values/%2e%2e"),
  })),
  "a value of more than 25 MiB": refused(413, 10001, "26214400", ({ store }) =>
    put(kv(store, "/values/large"), new Uint8Array(25 * 1024 * 1024 + 1)),
  ),
  "an expiration that is over": refused(400, 10001, "1000", value("late", "?expiration=1000")),
  "an expiration too soon": refused(400, 10001, "59", value("soon", "?expiration_ttl=59")),
  "an expiration that is no number": refused(400, 10026, '"x"', value("odd", "?expiration=x")),
  "a title that is taken": refused(400, 10014, '"store"', () => post("/storage/kv/namespaces", { title: "store" })),
  "a title of nothing": refused(400, 10001, "title", () => post("/storage/kv/namespaces", { title: "" })),
  "10,001 pairs": refused(400, 10001, "10000", ({ store }) => put(kv(store, "/bulk"), pairs(10_001))),
  "pairs of which one has a key that is none": refused(400, 10026, '".."', ({ store }) =>
    put(kv(store, "/bulk"), [good, { key: "..", value: "" }]),
  ),
  "pairs of which one has expired": refused(400, 10001, "1000", ({ store }) =>
    put(kv(store, "/bulk"), [good, { key: "late", value: "", expiration: 1000 }]),
  ),
  "pairs of which one is too large": refused(413, 10001, "26214400", ({ store }) =>
    put(kv(store, "/bulk"), [good, { key: "large", value: "a".repeat(25 * 1024 * 1024 + 1) }]),
  ),
  "keys to take away of which one is none": refused(400, 10026, '"."', ({ store }) =>
    post(kv(store, "/bulk/delete"), ["kept", "."]),
  ),
};

const account = eachRefused({ ...calls, ...keys });

it("force takes the way back across a changed secret", async () => {
  const { local, ids } = account();
  const asked = splitOf("other", [ids.plain, 100]);
  expect((await local.ask("other.example")).text).toBe('["other 1","new",null]');
  expect(await call(local.cloud, { ...asked, path: `${asked.path}?force=true` })).toMatchObject({ status: 200 });
  expect((await local.ask("other.example")).text).toBe('["other 1",null,null]');
});
