/** An account in which things are refused, and the proof that a refusal changes nothing. */
import { beforeAll, expect, it } from "vitest";
import { type Asked, call, post, put, uploadOf } from "./api-client.ts";
import { type Local, openLocal } from "./local-cloud.ts";

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

export interface Refused {
  readonly status: number;
  readonly code: number;
  /** The message names the thing. */
  readonly says: string | RegExp | ((ids: Ids) => string);
  readonly ask: (ids: Ids) => Asked | Promise<Asked>;
}

export const refused = (status: number, code: number, says: Refused["says"], ask: Refused["ask"]): Refused => ({
  status,
  code,
  says,
  ask,
});

/** Code that owns the account's class of objects, and tells which it is, its secret, and what is in KV. */
export const main = (answer: string): string => `
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {}
export default {
  async fetch(_, env) {
    return Response.json([${JSON.stringify(answer)}, env.SECRET ?? null, (await env.STORE?.list())?.keys ?? null]);
  }
};`;

const setUp = async ({ cloud }: Local): Promise<Ids> => {
  const done = async (asked: Asked) => {
    const { status, message, result } = await call(cloud, asked);
    if (status !== 200) throw new Error(`${asked.path}: ${message}`);
    return result as { readonly id: string };
  };
  const newest = (worker: string) => cloud.control.worker(worker).versions.at(-1)?.id ?? "";
  const store = (await done(post("/storage/kv/namespaces", { title: "store" }))).id;
  await done(put(`/storage/kv/namespaces/${store}/values/kept`, "value"));
  const bindings = [{ name: "STORE", type: "kv_namespace", namespace_id: store }];
  const migrations = { new_tag: "v1", new_sqlite_classes: ["Counter"] };
  await done(put("/workers/scripts/app", uploadOf(main("app 1"), { bindings, migrations })));
  const first = newest("app");
  await done(post("/workers/scripts/app/versions", uploadOf(main("app 2"), { bindings })));
  await done(put("/workers/scripts/other", uploadOf(main("other 1"))));
  const plain = newest("other");
  await done(put("/workers/scripts/other/secrets", { name: "SECRET", type: "secret_text", text: "new" }));
  for (const worker of ["app", "other"])
    await done(put(`/workers/scripts/${worker}/routes`, [{ pattern: `${worker}.example/*` }]));
  return { store, first, second: newest("app"), plain };
};

/** Registers a test for each case; all of them share one account, which none of them may change. */
export const eachRefused = (cases: Readonly<Record<string, Refused>>) => {
  let local: Local;
  let ids: Ids;
  beforeAll(async () => {
    local = await openLocal();
    ids = await setUp(local);
    return local.close;
  });
  const seen = async () => ({
    account: local.cloud.control.account(),
    machines: local.cloud.fleet.size().machines,
    answers: await Promise.all(["app.example", "other.example", "hidden.example"].map((host) => local.ask(host))),
  });
  it.each(Object.entries(cases))("%s", async (_name, { ask, status, code, says }) => {
    const before = await seen();
    const { message, ...replied } = await call(local.cloud, await ask(ids));
    expect({ ...replied, message }).toMatchObject({ status, code, result: null });
    expect(message).toMatch(typeof says === "function" ? says(ids) : says);
    expect(message).not.toMatch(/undefined|\[object|zod|\/tmp\//i);
    expect(local.calls.at(-1)).toMatchObject({ status, code, unknown: code === 7003 });
    expect(await seen()).toEqual(before);
  });
  return () => ({ local, ids });
};
