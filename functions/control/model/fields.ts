/** Fields that several calls of the admin API have. */
import { z } from "@hono/zod-openapi";

export const reason = z.string().min(1, "say why, for those who read it later").max(500);
export const percent = z.string().regex(/^\d{1,3}(?:\.\d{1,2})?%$/, "a share is written 10%");
export const duration = z.string().regex(/^\d{1,6}(?:ms|s|m|h)$/, "a time is written 5m");
