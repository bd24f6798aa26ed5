/** KV namespaces and what is in them; the values are the runtime's own, so Workers see them at once. */
import { Hono } from "hono";
import * as z from "zod";
import { ApiError, apiErrors } from "../account/api-errors.ts";
import type { AccountControl } from "../control/account-control.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { ok, page, parseBody } from "./envelope.ts";
import { checkKey, checkPair, type Pair } from "./kv-limits.ts";

const titleInput = z.strictObject({ title: z.string().min(1).max(512) });
/** The platform makes ids up; here one may be given, so that an environment's configuration fits. */
const namespaceInput = titleInput.extend({
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
const maxPairs = 10_000;
const pairs = z.array(pair).max(maxPairs, `at most ${maxPairs} at once`);
const keys = z.array(z.string()).max(maxPairs, `at most ${maxPairs} at once`);
const keysInput = z.strictObject({ keys: z.array(z.string()).max(100) });

/** Under `/accounts/:account/storage/kv/namespaces`. */
export const kv = (control: AccountControl, store: Fleet["kv"]) => {
  const view = ({ id, title }: { readonly id: string; readonly title: string }) => ({
    id,
    title,
    supports_url_encoding: true,
  });
  const namespace = (id: string): string => {
    if (!control.account().namespaces.has(id)) throw apiErrors.noNamespace();
    return id;
  };
  const callStore = async (id: string, key: string, init?: RequestInit, query = ""): Promise<Response> => {
    checkKey(key);
    const response = await store(namespace(id), `/${encodeURIComponent(key)}?urlencoded=true${query}`, init);
    if (response.status === 404) throw apiErrors.noKey();
    if (!response.ok) throw new ApiError(response.status === 413 ? 413 : 400, 10001, (await response.text()).trim());
    return response;
  };
  /** They have been checked. */
  const put = async (id: string, { key, value, expiration, expiration_ttl, metadata }: Pair) => {
    const query = `${expiration === undefined ? "" : `&expiration=${expiration}`}${expiration_ttl === undefined ? "" : `&expiration_ttl=${expiration_ttl}`}`;
    const headers = metadata === undefined ? {} : { "cf-kv-metadata": JSON.stringify(metadata) };
    await (await callStore(id, key, { method: "PUT", body: value, headers }, query)).arrayBuffer();
  };
  const putAll = async (id: string, inputs: readonly Pair[]) => {
    namespace(id);
    inputs.forEach(checkPair);
    for (const it of inputs) await put(id, it);
  };
  const removeAll = async (id: string, inputs: readonly string[]) => {
    inputs.forEach(checkKey);
    for (const key of inputs) await (await callStore(id, key, { method: "DELETE" })).arrayBuffer();
  };
  const textOf = (id: string, key: string): Promise<string | null> =>
    callStore(id, key).then(
      (found) => found.text(),
      (error) => {
        if (error instanceof ApiError && error.code === apiErrors.noKey().code) return null;
        throw error;
      },
    );

  return new Hono()
    .get("/", (c) => ok(c, page(c, [...control.account().namespaces.values()].map(view))))
    .post("/", async (c) => {
      const { title, id } = await parseBody(c, namespaceInput);
      return ok(c, view(await control.addNamespace(title, id)));
    })
    .get("/:id", (c) => {
      const found = control.account().namespaces.get(namespace(c.req.param("id")));
      return ok(c, found && view(found));
    })
    .put("/:id", async (c) =>
      ok(c, view(await control.renameNamespace(c.req.param("id"), (await parseBody(c, titleInput)).title))),
    )
    .delete("/:id", async (c) => {
      await control.removeNamespace(c.req.param("id"));
      return ok(c, null);
    })
    .get("/:id/keys", async (c) => {
      const query = new URLSearchParams({ key_count_limit: c.req.query("limit") ?? "1000" });
      for (const name of ["prefix", "cursor"]) if (c.req.query(name)) query.set(name, c.req.query(name) as string);
      const listed = await store(namespace(c.req.param("id")), `/?${query}`);
      if (!listed.ok) throw new ApiError(400, 10001, (await listed.text()).trim());
      const found = (await listed.json()) as { readonly keys: readonly KeyEntry[]; readonly cursor?: string };
      const result = found.keys.map(({ name, expiration, metadata }) => ({
        name,
        ...(expiration !== undefined && { expiration }),
        ...(metadata !== undefined && { metadata: typeof metadata === "string" ? JSON.parse(metadata) : metadata }),
      }));
      const info = { count: result.length, cursor: found.cursor ?? "" };
      return c.json({ success: true, errors: [], messages: [], result, result_info: info });
    })
    .get("/:id/values/:key", async (c) => {
      const found = await callStore(c.req.param("id"), c.req.param("key"));
      const expiration = found.headers.get("cf-expiration");
      return new Response(found.body, {
        headers: { "content-type": "application/octet-stream", ...(expiration !== null && { expiration }) },
      });
    })
    .get("/:id/metadata/:key", async (c) => {
      const found = await callStore(c.req.param("id"), c.req.param("key"));
      await found.arrayBuffer();
      return ok(c, JSON.parse(found.headers.get("cf-kv-metadata") ?? "null"));
    })
    .put("/:id/values/:key", async (c) => {
      const { id, key } = c.req.param();
      const times = {
        expiration: parseExpiration(c.req.query("expiration")),
        expiration_ttl: parseExpiration(c.req.query("expiration_ttl")),
      };
      if (!(c.req.header("content-type") ?? "").startsWith("multipart/form-data")) {
        await putAll(id, [{ key, value: new Uint8Array(await c.req.arrayBuffer()), ...times }]);
        return ok(c, null);
      }
      const form = await c.req.raw.formData().catch(() => {
        throw apiErrors.malformed("the body is no multipart form");
      });
      const value = form.get("value");
      if (value === null) throw apiErrors.malformed("the form has no part named value");
      const metadata = form.get("metadata");
      const pair = {
        key,
        value: typeof value === "string" ? value : new Uint8Array(await value.arrayBuffer()),
        ...times,
        ...(typeof metadata === "string" && { metadata: parseMetadata(metadata) }),
      };
      await putAll(id, [pair]);
      return ok(c, null);
    })
    .delete("/:id/values/:key", async (c) => {
      await removeAll(c.req.param("id"), [c.req.param("key")]);
      return ok(c, null);
    })
    .put("/:id/bulk", async (c) => {
      const inputs = await parseBody(c, pairs);
      const decoded = inputs.map(
        ({ base64, ...it }): Pair => ({
          ...it,
          value: base64 ? new Uint8Array(Buffer.from(it.value, "base64")) : it.value,
        }),
      );
      await putAll(c.req.param("id"), decoded);
      return ok(c, { successful_key_count: inputs.length, unsuccessful_keys: [] });
    })
    .post("/:id/bulk/delete", async (c) => {
      const inputs = await parseBody(c, keys);
      await removeAll(c.req.param("id"), inputs);
      return ok(c, { successful_key_count: inputs.length, unsuccessful_keys: [] });
    })
    .delete("/:id/bulk", async (c) => {
      const inputs = await parseBody(c, keys);
      await removeAll(c.req.param("id"), inputs);
      return ok(c, null);
    })
    .post("/:id/bulk/get", async (c) => {
      const { keys: inputs } = await parseBody(c, keysInput);
      const values: [string, string | null][] = [];
      for (const key of inputs) values.push([key, await textOf(c.req.param("id"), key)]);
      return ok(c, { values: Object.fromEntries(values) });
    });
};

interface KeyEntry {
  readonly name: string;
  readonly expiration?: number;
  readonly metadata?: unknown;
}

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
