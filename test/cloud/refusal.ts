/** A local cloud for refused calls, and the check that a refusal changes nothing. */
import { beforeAll, expect, it } from "vitest";
import { type ApiRequest, callApi, postRequest, putRequest, uploadForm } from "./api-client.ts";
import { type LocalCloud, openLocalCloud } from "./local-cloud.ts";

/** What the account has. */
export interface Ids {
  /** Of KV; it has the key `kept`. */
  readonly store: string;
  /** The live version of `app`, and the one that is not live. */
  readonly first: string;
  readonly second: string;
  /** Of `other`, ahead of its secret. */
  readonly plain: string;
}

export interface Refusal {
  readonly status: number;
  readonly code: number;
  /** The message names the thing. */
  readonly expectedMessage: string | RegExp | ((ids: Ids) => string);
  readonly request: (ids: Ids) => ApiRequest | Promise<ApiRequest>;
}

export const refusal = (
  status: number,
  code: number,
  expectedMessage: Refusal["expectedMessage"],
  request: Refusal["request"],
): Refusal => ({
  status,
  code,
  expectedMessage,
  request,
});

/** Code that owns the account's class of objects, and tells which it is, its secret, and what is in KV. */
export const counterWorker = (answer: string): string => `
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {}
export default {
  async fetch(_, env) {
    return Response.json([${JSON.stringify(answer)}, env.SECRET ?? null, (await env.STORE?.list())?.keys ?? null]);
  }
};`;

const setUp = async ({ cloud }: LocalCloud): Promise<Ids> => {
  const succeed = async (apiRequest: ApiRequest) => {
    const { status, message, result } = await callApi(cloud, apiRequest);
    if (status !== 200) throw new Error(`${apiRequest.path}: ${message}`);
    return result as { readonly id: string };
  };
  const newest = (worker: string) => cloud.control.worker(worker).versions.at(-1)?.id ?? "";
  const store = (await succeed(postRequest("/storage/kv/namespaces", { title: "store" }))).id;
  await succeed(putRequest(`/storage/kv/namespaces/${store}/values/kept`, "value"));
  const bindings = [{ name: "STORE", type: "kv_namespace", namespace_id: store }];
  const migrations = { new_tag: "v1", new_sqlite_classes: ["Counter"] };
  await succeed(putRequest("/workers/scripts/app", uploadForm(counterWorker("app 1"), { bindings, migrations })));
  const first = newest("app");
  await succeed(postRequest("/workers/scripts/app/versions", uploadForm(counterWorker("app 2"), { bindings })));
  await succeed(putRequest("/workers/scripts/other", uploadForm(counterWorker("other 1"))));
  const plain = newest("other");
  await succeed(putRequest("/workers/scripts/other/secrets", { name: "SECRET", type: "secret_text", text: "new" }));
  for (const worker of ["app", "other"])
    await succeed(putRequest(`/workers/scripts/${worker}/routes`, [{ pattern: `${worker}.example/*` }]));
  return { store, first, second: newest("app"), plain };
};

/** Registers a test for each case; all of them share one account, which none of them may change. */
export const testEachRefusal = (cases: Readonly<Record<string, Refusal>>) => {
  let local: LocalCloud;
  let ids: Ids;
  beforeAll(async () => {
    local = await openLocalCloud();
    ids = await setUp(local);
    return local.close;
  });
  const seen = async () => ({
    account: local.cloud.control.account(),
    machines: local.cloud.fleet.size().machines,
    answers: await Promise.all(["app.example", "other.example", "hidden.example"].map((host) => local.get(host))),
  });
  it.each(Object.entries(cases))("%s", async (_name, { request, status, code, expectedMessage }) => {
    const before = await seen();
    const { message, ...replied } = await callApi(local.cloud, await request(ids));
    expect({ ...replied, message }).toMatchObject({ status, code, result: null });
    expect(message).toMatch(typeof expectedMessage === "function" ? expectedMessage(ids) : expectedMessage);
    expect(message).not.toMatch(/undefined|\[object|zod|\/tmp\//i);
    expect(local.calls.at(-1)).toMatchObject({ status, code, unknown: code === 7003 });
    expect(await seen()).toEqual(before);
  });
  return () => ({ local, ids });
};
