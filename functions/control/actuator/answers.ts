/** Reads what the actuator answers. It is deployed apart from control, so its answers are checked. */
import { z } from "@hono/zod-openapi";
import type { Answer } from "../model/platform.ts";

const fault = z.object({
  ok: z.literal(false),
  status: z.number(),
  code: z.number().nullable(),
  message: z.string(),
  retryAfterMs: z.number().optional(),
});

const answer = <T extends z.ZodType>(result: T) =>
  z.discriminatedUnion("ok", [z.object({ ok: z.literal(true), result }), fault]);

const deployment = z.object({
  id: z.string(),
  versions: z.array(z.object({ version_id: z.string(), percentage: z.number() })),
  message: z.string().nullable(),
  author: z.string().nullable(),
  trigger: z.string().nullable(),
});

/** By verb. */
export const answers = {
  deployments: answer(z.array(deployment)),
  split: answer(z.object({ id: z.string() })),
  version: answer(z.object({ tag: z.string().nullable(), message: z.string().nullable() })),
};

/**
 * Calls the actuator.
 *
 * @returns a fault with the status 0 where it answers with something else or not at all: the platform may have done what
 * was asked for
 */
export const actuatorCall = async <T>(
  actuator: Pick<Fetcher, "fetch">,
  verb: keyof typeof answers,
  given: object,
  schema: z.ZodType<Answer<T>>,
): Promise<Answer<T>> => {
  try {
    const response = await actuator.fetch(`https://actuator/${verb}`, { method: "POST", body: JSON.stringify(given) });
    const read = schema.safeParse(await response.json());
    return read.success ? read.data : unanswered(`the actuator's answer to ${verb} has another shape`);
  } catch (error) {
    return unanswered(error instanceof Error ? error.message : String(error));
  }
};

const unanswered = (message: string) => ({ ok: false, status: 0, code: null, message }) as const;
