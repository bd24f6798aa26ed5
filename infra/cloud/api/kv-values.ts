/** Keys and values of a KV namespace, one at a time. */
import { type Context, Hono } from "hono";
import { apiErrors } from "../account/api-errors.ts";
import { ok } from "./envelope.ts";
import type { Pair } from "./kv-limits.ts";
import type { KvStore } from "./kv-store.ts";

export const kvValues = (store: KvStore) =>
  new Hono()
    .get("/:id/keys", async (c) => {
      const query = new URLSearchParams({ key_count_limit: c.req.query("limit") ?? "1000" });
      for (const name of ["prefix", "cursor"]) if (c.req.query(name)) query.set(name, c.req.query(name) as string);
      const { keys, cursor = "" } = await store.list(c.req.param("id"), query);
      const result = keys.map(({ name, expiration, metadata }) => ({
        name,
        ...(expiration !== undefined && { expiration }),
        ...(metadata !== undefined && { metadata: typeof metadata === "string" ? JSON.parse(metadata) : metadata }),
      }));
      const info = { count: result.length, cursor };
      return c.json({ success: true, errors: [], messages: [], result, result_info: info });
    })
    .get("/:id/values/:key", async (c) => {
      const found = await store.get(c.req.param("id"), c.req.param("key"));
      const expiration = found.headers.get("cf-expiration");
      return new Response(found.body, {
        headers: { "content-type": "application/octet-stream", ...(expiration !== null && { expiration }) },
      });
    })
    .get("/:id/metadata/:key", async (c) => {
      const found = await store.get(c.req.param("id"), c.req.param("key"));
      await found.arrayBuffer();
      return ok(c, JSON.parse(found.headers.get("cf-kv-metadata") ?? "null"));
    })
    .put("/:id/values/:key", async (c) => {
      await store.putAll(c.req.param("id"), [await readPair(c, c.req.param("key"))]);
      return ok(c, null);
    })
    .delete("/:id/values/:key", async (c) => {
      await store.removeAll(c.req.param("id"), [c.req.param("key")]);
      return ok(c, null);
    });

/** A value is the whole body, or a part of a form beside its metadata. */
const readPair = async (c: Context, key: string): Promise<Pair> => {
  const expiry = {
    expiration: parseExpiration(c.req.query("expiration")),
    expiration_ttl: parseExpiration(c.req.query("expiration_ttl")),
  };
  if (!(c.req.header("content-type") ?? "").startsWith("multipart/form-data"))
    return { key, value: new Uint8Array(await c.req.arrayBuffer()), ...expiry };
  const form = await c.req.raw.formData().catch(() => {
    throw apiErrors.malformed("the body is no multipart form");
  });
  const value = form.get("value");
  if (value === null) throw apiErrors.malformed("the form has no part named value");
  const metadata = form.get("metadata");
  return {
    key,
    value: typeof value === "string" ? value : new Uint8Array(await value.arrayBuffer()),
    ...expiry,
    ...(typeof metadata === "string" && { metadata: parseMetadata(metadata) }),
  };
};

const parseExpiration = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw apiErrors.badKey(`invalid expiration "${text}"`);
  return number;
};

const parseMetadata = (text: string) => {
  try {
    return JSON.parse(text);
  } catch {
    throw apiErrors.malformed("the metadata is no JSON");
  }
};
