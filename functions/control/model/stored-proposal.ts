/** Reads the scope of a stored proposal. It is validated, because another release may have written it. */

import { z } from "@hono/zod-openapi";
import { parsed } from "../../gateway/core/json.ts";
import type { ApprovalScope, Proposal } from "./approval.ts";

const candidate = z.object({
  worker: z.string(),
  stable: z.string(),
  canary: z.string(),
  tag: z.string().nullable(),
  message: z.string().nullable(),
  again: z.string().optional(),
});

export const bound = z.object({
  versions: z.array(candidate),
  commit: z.string().nullable(),
  rollout: z
    .object({
      id: z.string(),
      step: z.number(),
      status: z.enum(["running", "paused", "returning", "rolled-back", "promoted", "left"]),
      seq: z.number(),
      overwrites: z.array(z.string()).optional(),
      alerts: z.number().optional(),
    })
    .optional(),
  warning: z.string().optional(),
  wave: z
    .object({
      id: z.string(),
      status: z.enum(["running", "paused", "stopping", "aborting", "promoted", "failed", "aborted"]),
      failed: z.array(z.string()),
      commandedAt: z.number(),
    })
    .optional(),
}) satisfies z.ZodType<ApprovalScope>;

/** @returns undefined if the body has no valid scope; the command must be proposed again then */
export const scopeIn = (proposal: Pick<Proposal, "body">): ApprovalScope | undefined => {
  return parseBody(proposal, z.object({ bound }))?.bound;
};

/** Parses the body with `schema`. @returns undefined if it does not match */
export const parseBody = <T>({ body }: Pick<Proposal, "body">, schema: z.ZodType<T>): T | undefined => {
  const read = schema.safeParse(parsed(body));
  return read.success ? read.data : undefined;
};
