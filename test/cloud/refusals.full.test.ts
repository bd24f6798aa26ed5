/** Refused calls of the API: the code, the message, and that nothing changes. */
import { expect, it } from "vitest";
import { type ApiRequest, callApi, postRequest, putRequest, uploadForm } from "./api-client.ts";
import { counterWorker, type Ids, type Refusal, refusal, testEachRefusal } from "./refusal.ts";

const splitOf = (worker: string, ...shares: readonly (readonly [id: string, percentage: number])[]): ApiRequest =>
  postRequest(`/workers/scripts/${worker}/deployments`, {
    strategy: "percentage",
    versions: shares.map(([version_id, percentage]) => ({ version_id, percentage })),
  });
const unknownId = "00000000-0000-4000-8000-000000000000";
const noNamespace = "0".repeat(32);

const calls: Readonly<Record<string, Refusal>> = {
  "no token": refusal(400, 9106, "Authorization", () => ({
    path: "/workers/scripts",
    headers: { authorization: undefined },
  })),
  "another token": refusal(403, 10000, "Authentication", () => ({
    ...putRequest("/workers/scripts/app", uploadForm(counterWorker("new"))),
    headers: { authorization: "Bearer other" },
  })),
  "a Worker that there is not": refusal(404, 10007, "Worker", () => ({ path: "/workers/services/gone" })),
  "an end of a Worker that there is not": refusal(404, 10007, "Worker", () => ({
    method: "DELETE",
    path: "/workers/scripts/gone",
  })),
  "a path that there is not": refusal(404, 7003, "/workers/no-such-thing", () =>
    postRequest("/workers/no-such-thing", {}),
  ),
  "three versions": refusal(400, 10001, "one or two versions", ({ first, second }) =>
    splitOf("app", [first, 40], [second, 40], [unknownId, 20]),
  ),
  "no version": refusal(400, 10001, "one or two versions", () => splitOf("app")),
  "shares that sum to 99.9": refusal(400, 10001, "99.9", ({ first, second }) =>
    splitOf("app", [first, 90], [second, 9.9]),
  ),
  "a share below zero": refusal(400, 10001, "versions.1.percentage", ({ first, second }) =>
    splitOf("app", [first, 110], [second, -10]),
  ),
  "a version that there is not": refusal(404, 100146, unknownId, () => splitOf("app", [unknownId, 100])),
  "a version of another Worker": refusal(
    404,
    100146,
    ({ plain }) => plain,
    ({ plain }) => splitOf("app", [plain, 100]),
  ),
  "the same version twice": refusal(400, 10001, "each version once", ({ first }) =>
    splitOf("app", [first, 50], [first, 50]),
  ),
  "a secret while the newest version is not live": refusal(400, 10215, "latest version", () =>
    putRequest("/workers/scripts/app/secrets", { name: "SECRET", type: "secret_text", text: "x" }),
  ),
  "a secret under the name of another binding": refusal(400, 10021, "'STORE'", () => ({
    method: "PATCH",
    path: "/workers/workers/app/versions/latest",
    body: { env: { STORE: { type: "secret_text", text: "x" } } },
  })),
  "a secret under a name that no binding has": refusal(400, 10021, "not a name", () =>
    putRequest("/workers/scripts/other/secrets", { name: "not a name", type: "secret_text", text: "x" }),
  ),
  "a secret that is not there to be taken away": refusal(404, 10056, "'GONE'", () => ({
    method: "DELETE",
    path: "/workers/scripts/other/secrets/GONE",
  })),
  "a way back across a changed secret": refusal(400, 10220, "secret", ({ plain }) => splitOf("other", [plain, 100])),
  "another Worker's route, after one of its own": refusal(409, 10020, /other\.example\/\*.*other/, () =>
    putRequest("/workers/scripts/app/routes", [{ pattern: "more.example/*" }, { pattern: "other.example/*" }]),
  ),
  "a cron trigger": refusal(400, 10400, "cron", () =>
    putRequest("/workers/scripts/app/schedules", [{ cron: "* * * * *" }]),
  ),
};

const kv = (store: string, rest: string) => `/storage/kv/namespaces/${store}${rest}`;
const value =
  (key: string, query = "") =>
  ({ store }: Ids) =>
    putRequest(kv(store, `/values/${key}${query}`), "value");
const pairs = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `key-${index}`, value: "" }));
const good = { key: "good", value: "value" };

const keys: Readonly<Record<string, Refusal>> = {
  "a namespace that there is not": refusal(404, 10013, "namespace", () =>
    putRequest(`/storage/kv/namespaces/${noNamespace}/values/key`, "value"),
  ),
  "an end of a namespace that there is not": refusal(404, 10013, "namespace", () => ({
    method: "DELETE",
    path: `/storage/kv/namespaces/${noNamespace}`,
  })),
  "a key that there is not": refusal(404, 10009, "key", ({ store }) => ({ path: kv(store, "/values/gone") })),
  "a key of 513 bytes": refusal(400, 10026, "512 bytes", value(`${"a".repeat(511)}%C3%A9`)),
  "the key ..": refusal(404, 7003, "namespaces", value("..")),
  "an end of the key %2e%2e": refusal(404, 7003, "namespaces", ({ store }) => ({
    method: "DELETE",
    path: kv(store, "/values/%2e%2e"),
  })),
  "a value of more than 25 MiB": refusal(413, 10001, "26214400", ({ store }) =>
    putRequest(kv(store, "/values/large"), new Uint8Array(25 * 1024 * 1024 + 1)),
  ),
  "an expiration that is over": refusal(400, 10001, "1000", value("late", "?expiration=1000")),
  "an expiration too soon": refusal(400, 10001, "59", value("soon", "?expiration_ttl=59")),
  "an expiration that is no number": refusal(400, 10026, '"x"', value("odd", "?expiration=x")),
  "a title that is taken": refusal(400, 10014, '"store"', () =>
    postRequest("/storage/kv/namespaces", { title: "store" }),
  ),
  "a title of nothing": refusal(400, 10001, "title", () => postRequest("/storage/kv/namespaces", { title: "" })),
  "10,001 pairs": refusal(400, 10001, "10000", ({ store }) => putRequest(kv(store, "/bulk"), pairs(10_001))),
  "pairs of which one has a key that is none": refusal(400, 10026, '".."', ({ store }) =>
    putRequest(kv(store, "/bulk"), [good, { key: "..", value: "" }]),
  ),
  "pairs of which one has expired": refusal(400, 10001, "1000", ({ store }) =>
    putRequest(kv(store, "/bulk"), [good, { key: "late", value: "", expiration: 1000 }]),
  ),
  "pairs of which one is too large": refusal(413, 10001, "26214400", ({ store }) =>
    putRequest(kv(store, "/bulk"), [good, { key: "large", value: "a".repeat(25 * 1024 * 1024 + 1) }]),
  ),
  "keys to take away of which one is none": refusal(400, 10026, '"."', ({ store }) =>
    postRequest(kv(store, "/bulk/delete"), ["kept", "."]),
  ),
};

const account = testEachRefusal({ ...calls, ...keys });

it("force takes the way back across a changed secret", async () => {
  const { local, ids } = account();
  const request = splitOf("other", [ids.plain, 100]);
  expect((await local.get("other.example")).text).toBe('["other 1","new",null]');
  expect(await callApi(local.cloud, { ...request, path: `${request.path}?force=true` })).toMatchObject({ status: 200 });
  expect((await local.get("other.example")).text).toBe('["other 1",null,null]');
});
