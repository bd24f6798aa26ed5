/** Calls the actuator and validates its answers: it is deployed independently of control. */
import { z } from "@hono/zod-openapi";
import type { PlatformAnswer } from "../model/platform.ts";

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

/** Schemas of the actuator's answers, by operation. */
export const answerSchemas = {
  deployments: answer(z.array(deployment)),
  split: answer(z.object({ id: z.string() })),
  version: answer(z.object({ tag: z.string().nullable(), message: z.string().nullable() })),
};

/**
 * Calls the actuator.
 *
 * @returns a failure with the status 0 if there is no valid answer: the platform may have done what was requested
 */
export const callActuator = async <T>(
  actuator: Pick<Fetcher, "fetch">,
  operation: keyof typeof answerSchemas,
  body: object,
  schema: z.ZodType<PlatformAnswer<T>>,
): Promise<PlatformAnswer<T>> => {
  try {
    const response = await actuator.fetch(`https://actuator/${operation}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    const read = schema.safeParse(await response.json());
    return read.success ? read.data : noAnswer(`the actuator's answer to ${operation} is invalid`);
  } catch (error) {
    return noAnswer(error instanceof Error ? error.message : String(error));
  }
};

const noAnswer = (message: string) => ({ ok: false, status: 0, code: null, message }) as const;
