/** Schemas of fields that several calls of the admin API share. */
import { z } from "@hono/zod-openapi";

export const reason = z.string().min(1, "a reason is required").max(500);
export const percent = z.string().regex(/^\d{1,3}(?:\.\d{1,2})?%$/, "write a share as 10%");
export const duration = z.string().regex(/^\d{1,6}(?:ms|s|m|h)$/, "write a time as 5m");
