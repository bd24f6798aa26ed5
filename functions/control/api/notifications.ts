/** What the admin API says of notices, and the webhooks that its document describes. */

import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { everyTier } from "../audit/record.ts";
import { payloadOf, payloads } from "../notifications/payloads.ts";
import type { Desk, Types } from "./ports.ts";
import { answers } from "./schemas.ts";

const routes = {
  status: createRoute({
    method: "get",
    path: "/v1/notices",
    responses: answers("who is told, what waits, what was given up and why, newest first"),
  }),
  test: createRoute({
    method: "post",
    path: "/v1/notices/test",
    responses: answers("whether each channel has heard a test, and why not"),
  }),
  retry: createRoute({
    method: "post",
    path: "/v1/notices/retry",
    responses: answers("how many notices that were given up are told once more"),
  }),
};

const headers = z.object({
  "webhook-id": z.string().describe("The same at each attempt: what was heard twice is known by it"),
  "webhook-timestamp": z.string().describe("Of the attempt, in seconds since the epoch"),
  "webhook-signature": z
    .string()
    .describe("`v1,` and the base64 of an HMAC-SHA256; one for each secret, apart by a space"),
});

export const addNotices = (app: OpenAPIHono<Types>, desk: Desk): void => {
  for (const [type, { says }] of Object.entries(payloads))
    app.openAPIRegistry.registerWebhook({
      method: "post",
      path: type,
      summary: says,
      description: "As Standard Webhooks has it; any 2xx within ten seconds says that it was heard.",
      request: {
        headers,
        body: { required: true, content: { "application/json": { schema: payloadOf(type as keyof typeof payloads) } } },
      },
      responses: { 204: { description: "it was heard" }, 410: { description: "nothing more is wanted" } },
    });

  const audited = async <T>(by: string, what: string, act: () => Promise<T>, said: (done: T) => string): Promise<T> => {
    const line = { by, what, tier: everyTier, reason: "", before: "null", asked: "{}", at: desk.now() };
    const id = await desk.ledger.write(line);
    const done = await act();
    await desk.ledger.settle(id, said(done));
    return done;
  };

  app.openapi(routes.status, async () => Response.json(await desk.notices.status()));
  app.openapi(routes.test, async (c) => {
    const by = c.get("person").name;
    const tested = await audited(
      by,
      "notices test",
      () => desk.notices.test(by),
      (all) => all.map(({ channel, ok, error }) => `${channel}: ${ok ? "heard" : error}`).join("; "),
    );
    return Response.json(tested);
  });
  app.openapi(routes.retry, async (c) => {
    const by = c.get("person").name;
    const count = await audited(by, "notices retry", desk.notices.retry, (count) => `${count} are told again`);
    return Response.json({ count });
  });
};
