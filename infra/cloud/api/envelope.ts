/** The envelope of every response, and how a request's body is read. */
import type { Context } from "hono";
import * as z from "zod";
import { apiErrors } from "../account/api-errors.ts";

export const ok = (c: Context, result: unknown) =>
  c.json({
    success: true,
    errors: [],
    messages: [],
    result: result ?? null,
    ...(Array.isArray(result) && { result_info: pageInfo(result.length) }),
  });

const pageInfo = (count: number) => ({
  page: 1,
  per_page: Math.max(count, 100),
  count,
  total_count: count,
  total_pages: 1,
});

/** The whole list is on the first page. Later pages are empty. */
export const page = <T>(c: Context, all: readonly T[]): readonly T[] =>
  Number(c.req.query("page") ?? 1) > 1 ? [] : all;

/** @throws ApiError if the body does not match the schema */
export const parseBody = async <T extends z.ZodType>(c: Context, schema: T): Promise<z.output<T>> => {
  const text = await c.req.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw apiErrors.malformed("the body is no JSON");
  }
  const it = schema.safeParse(value);
  if (it.success) return it.data;
  throw apiErrors.malformed(
    it.error.issues.map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": ")).join("; "),
  );
};

export const annotations = z.record(z.string(), z.string()).default({});
