/** KV namespaces and what is in them; the values are the runtime's own, so Workers see them at once. */
import { Hono } from "hono";
import * as z from "zod";
import { CloudFault, faults } from "../account/api-errors.ts";
import type { Control } from "../control/account-control.ts";
import type { Fleet } from "../edge/fleet.ts";
import { body, ok, page } from "./envelope.ts";
import { checkKey, checkPair, type Pair } from "./kv-limits.ts";

const titled = z.strictObject({ title: z.string().min(1).max(512) });
/** The platform makes ids up; here one may be given, so that an environment's configuration fits. */
const created = titled.extend({
  id: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
});
const pair = z.strictObject({
  key: z.string(),
  value: z.string(),
  base64: z.boolean().optional(),
  expiration: z.number().optional(),
  expiration_ttl: z.number().optional(),
  metadata: z.json().optional(),
});
const mostPairs = 10_000;
const pairs = z.array(pair).max(mostPairs, `at most ${mostPairs} at once`);
const keys = z.array(z.string()).max(mostPairs, `at most ${mostPairs} at once`);
const wanted = z.strictObject({ keys: z.array(z.string()).max(100) });

/** Under `/accounts/:account/storage/kv/namespaces`. */
export const kv = (control: Control, store: Fleet["kv"]) => {
  const view = ({ id, title }: { readonly id: string; readonly title: string }) => ({
    id,
    title,
    supports_url_encoding: true,
  });
  const namespace = (id: string): string => {
    if (!control.account().namespaces.has(id)) throw faults.noNamespace();
    return id;
  };
  const ask = async (id: string, key: string, init?: RequestInit, query = ""): Promise<Response> => {
    checkKey(key);
    const response = await store(namespace(id), `/${encodeURIComponent(key)}?urlencoded=true${query}`, init);
    if (response.status === 404) throw faults.noKey();
    if (!response.ok) throw new CloudFault(response.status === 413 ? 413 : 400, 10001, (await response.text()).trim());
    return response;
  };
  /** They have been checked. */
  const put = async (id: string, { key, value, expiration, expiration_ttl, metadata }: Pair) => {
    const query = `${expiration === undefined ? "" : `&expiration=${expiration}`}${expiration_ttl === undefined ? "" : `&expiration_ttl=${expiration_ttl}`}`;
    const headers = metadata === undefined ? {} : { "cf-kv-metadata": JSON.stringify(metadata) };
    await (await ask(id, key, { method: "PUT", body: value, headers }, query)).arrayBuffer();
  };
  const putAll = async (id: string, given: readonly Pair[]) => {
    namespace(id);
    given.forEach(checkPair);
    for (const it of given) await put(id, it);
  };
  const removeAll = async (id: string, given: readonly string[]) => {
    given.forEach(checkKey);
    for (const key of given) await (await ask(id, key, { method: "DELETE" })).arrayBuffer();
  };
  const textOf = (id: string, key: string): Promise<string | null> =>
    ask(id, key).then(
      (found) => found.text(),
      (error) => {
        if (error instanceof CloudFault && error.code === faults.noKey().code) return null;
        throw error;
      },
    );

  return new Hono()
    .get("/", (c) => ok(c, page(c, [...control.account().namespaces.values()].map(view))))
    .post("/", async (c) => {
      const { title, id } = await body(c, created);
      return ok(c, view(await control.addNamespace(title, id)));
    })
    .get("/:id", (c) => {
      const found = control.account().namespaces.get(namespace(c.req.param("id")));
      return ok(c, found && view(found));
    })
    .put("/:id", async (c) =>
      ok(c, view(await control.renameNamespace(c.req.param("id"), (await body(c, titled)).title))),
    )
    .delete("/:id", async (c) => {
      await control.removeNamespace(c.req.param("id"));
      return ok(c, null);
    })
    .get("/:id/keys", async (c) => {
      const query = new URLSearchParams({ key_count_limit: c.req.query("limit") ?? "1000" });
      for (const name of ["prefix", "cursor"]) if (c.req.query(name)) query.set(name, c.req.query(name) as string);
      const listed = await store(namespace(c.req.param("id")), `/?${query}`);
      if (!listed.ok) throw new CloudFault(400, 10001, (await listed.text()).trim());
      const found = (await listed.json()) as { readonly keys: readonly Listed[]; readonly cursor?: string };
      const result = found.keys.map(({ name, expiration, metadata }) => ({
        name,
        ...(expiration !== undefined && { expiration }),
        ...(metadata !== undefined && { metadata: typeof metadata === "string" ? JSON.parse(metadata) : metadata }),
      }));
      const info = { count: result.length, cursor: found.cursor ?? "" };
      return c.json({ success: true, errors: [], messages: [], result, result_info: info });
    })
    .get("/:id/values/:key", async (c) => {
      const found = await ask(c.req.param("id"), c.req.param("key"));
      const expiration = found.headers.get("cf-expiration");
      return new Response(found.body, {
        headers: { "content-type": "application/octet-stream", ...(expiration !== null && { expiration }) },
      });
    })
    .get("/:id/metadata/:key", async (c) => {
      const found = await ask(c.req.param("id"), c.req.param("key"));
      await found.arrayBuffer();
      return ok(c, JSON.parse(found.headers.get("cf-kv-metadata") ?? "null"));
    })
    .put("/:id/values/:key", async (c) => {
      const { id, key } = c.req.param();
      const times = {
        expiration: numberIn(c.req.query("expiration")),
        expiration_ttl: numberIn(c.req.query("expiration_ttl")),
      };
      if (!(c.req.header("content-type") ?? "").startsWith("multipart/form-data")) {
        await putAll(id, [{ key, value: new Uint8Array(await c.req.arrayBuffer()), ...times }]);
        return ok(c, null);
      }
      const form = await c.req.raw.formData().catch(() => {
        throw faults.malformed("the body is no multipart form");
      });
      const value = form.get("value");
      if (value === null) throw faults.malformed("the form has no part named value");
      const metadata = form.get("metadata");
      const pair = {
        key,
        value: typeof value === "string" ? value : new Uint8Array(await value.arrayBuffer()),
        ...times,
        ...(typeof metadata === "string" && { metadata: jsonIn(metadata) }),
      };
      await putAll(id, [pair]);
      return ok(c, null);
    })
    .delete("/:id/values/:key", async (c) => {
      await removeAll(c.req.param("id"), [c.req.param("key")]);
      return ok(c, null);
    })
    .put("/:id/bulk", async (c) => {
      const given = await body(c, pairs);
      const decoded = given.map(
        ({ base64, ...it }): Pair => ({
          ...it,
          value: base64 ? new Uint8Array(Buffer.from(it.value, "base64")) : it.value,
        }),
      );
      await putAll(c.req.param("id"), decoded);
      return ok(c, { successful_key_count: given.length, unsuccessful_keys: [] });
    })
    .post("/:id/bulk/delete", async (c) => {
      const given = await body(c, keys);
      await removeAll(c.req.param("id"), given);
      return ok(c, { successful_key_count: given.length, unsuccessful_keys: [] });
    })
    .delete("/:id/bulk", async (c) => {
      const given = await body(c, keys);
      await removeAll(c.req.param("id"), given);
      return ok(c, null);
    })
    .post("/:id/bulk/get", async (c) => {
      const { keys: given } = await body(c, wanted);
      const values: [string, string | null][] = [];
      for (const key of given) values.push([key, await textOf(c.req.param("id"), key)]);
      return ok(c, { values: Object.fromEntries(values) });
    });
};

interface Listed {
  readonly name: string;
  readonly expiration?: number;
  readonly metadata?: unknown;
}

const numberIn = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw faults.badKey(`invalid expiration "${text}"`);
  return number;
};

const jsonIn = (text: string) => {
  try {
    return JSON.parse(text);
  } catch {
    throw faults.malformed("the metadata is no JSON");
  }
};
