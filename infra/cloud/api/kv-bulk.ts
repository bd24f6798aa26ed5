/** Many pairs of a KV namespace at once. */
import { Hono } from "hono";
import * as z from "zod";
import { ok, parseBody } from "./envelope.ts";
import type { Pair } from "./kv-limits.ts";
import type { KvStore } from "./kv-store.ts";

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

export const kvBulk = (store: KvStore) =>
  new Hono()
    .put("/:id/bulk", async (c) => {
      const inputs = await parseBody(c, pairs);
      const decoded = inputs.map(
        ({ base64, ...it }): Pair => ({
          ...it,
          value: base64 ? new Uint8Array(Buffer.from(it.value, "base64")) : it.value,
        }),
      );
      await store.putAll(c.req.param("id"), decoded);
      return ok(c, { successful_key_count: inputs.length, unsuccessful_keys: [] });
    })
    .post("/:id/bulk/delete", async (c) => {
      const inputs = await parseBody(c, keys);
      await store.removeAll(c.req.param("id"), inputs);
      return ok(c, { successful_key_count: inputs.length, unsuccessful_keys: [] });
    })
    .delete("/:id/bulk", async (c) => {
      const inputs = await parseBody(c, keys);
      await store.removeAll(c.req.param("id"), inputs);
      return ok(c, null);
    })
    .post("/:id/bulk/get", async (c) => {
      const { keys: inputs } = await parseBody(c, keysInput);
      const values: [string, string | null][] = [];
      for (const key of inputs) values.push([key, await store.text(c.req.param("id"), key)]);
      return ok(c, { values: Object.fromEntries(values) });
    });
