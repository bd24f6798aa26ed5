/** The admin API's routes for notices, and the webhooks in its OpenAPI document. */

import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { allTiers } from "../audit/record.ts";
import { payloadOf, payloads } from "../notifications/payloads.ts";
import type { ApiTypes, ControlPorts } from "./ports.ts";
import { responses } from "./schemas.ts";

const routes = {
  status: createRoute({
    method: "get",
    path: "/v1/notices",
    responses: responses(
      "the channels, the pending notices, and those that were given up with the reason, newest first",
    ),
  }),
  test: createRoute({
    method: "post",
    path: "/v1/notices/test",
    responses: responses("whether each channel accepted a test notice, or why not"),
  }),
  retry: createRoute({
    method: "post",
    path: "/v1/notices/retry",
    responses: responses("how many notices that were given up are sent again"),
  }),
};

const headers = z.object({
  "webhook-id": z.string().describe("The same at each attempt: a receiver recognizes a duplicate by it"),
  "webhook-timestamp": z.string().describe("Time of the attempt, in seconds since the epoch"),
  "webhook-signature": z
    .string()
    .describe("`v1,` and the base64 of an HMAC-SHA256; one for each secret, separated by a space"),
});

export const addNoticeRoutes = (app: OpenAPIHono<ApiTypes>, ports: ControlPorts): void => {
  for (const [type, { says }] of Object.entries(payloads))
    app.openAPIRegistry.registerWebhook({
      method: "post",
      path: type,
      summary: says,
      description: "Follows Standard Webhooks. Any 2xx within ten seconds acknowledges the notice.",
      request: {
        headers,
        body: { required: true, content: { "application/json": { schema: payloadOf(type as keyof typeof payloads) } } },
      },
      responses: { 204: { description: "accepted" }, 410: { description: "send no more notices to this receiver" } },
    });

  const withNoticeAudit = async <T>(
    by: string,
    what: string,
    run: () => Promise<T>,
    outcomeOf: (result: T) => string,
  ): Promise<T> => {
    const entry = { by, what, tier: allTiers, reason: "", before: "null", asked: "{}", at: ports.now() };
    const id = await ports.ledger.write(entry);
    const result = await run();
    await ports.ledger.settle(id, outcomeOf(result));
    return result;
  };

  app.openapi(routes.status, async () => Response.json(await ports.notices.status()));
  app.openapi(routes.test, async (c) => {
    const by = c.get("person").name;
    const results = await withNoticeAudit(
      by,
      "notices test",
      () => ports.notices.test(by),
      (all) => all.map(({ channel, ok, error }) => `${channel}: ${ok ? "delivered" : error}`).join("; "),
    );
    return Response.json(results);
  });
  app.openapi(routes.retry, async (c) => {
    const by = c.get("person").name;
    const count = await withNoticeAudit(by, "notices retry", ports.notices.retry, (count) => `${count} are sent again`);
    return Response.json({ count });
  });
};
