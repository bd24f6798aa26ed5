/** Where a Worker is reached: its address on workers.dev, its routes, and its schedules, of which there are none. */
import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import * as z from "zod";
import { apiErrors } from "../account/api-errors.ts";
import type { AccountControl } from "../control/account-control.ts";
import { subdomain } from "../ingress/hosts.ts";
import { ok, parseBody } from "./envelope.ts";

const subdomainInput = z.strictObject({ enabled: z.boolean(), previews_enabled: z.boolean().optional() });
const routes = z.array(
  z.union([
    z.string(),
    z.strictObject({
      pattern: z.string(),
      zone_name: z.string().optional(),
      zone_id: z.string().optional(),
      custom_domain: z.boolean().optional(),
    }),
  ]),
);
const schedulesInput = z.array(z.unknown());

/** Under `/accounts/:account/workers`. */
export const scriptAddresses = (control: AccountControl) =>
  new Hono()
    .get("/subdomain", (c) => ok(c, { subdomain }))
    .get("/scripts/:name/subdomain", (c) => ok(c, control.worker(c.req.param("name")).subdomain))
    .post("/scripts/:name/subdomain", async (c) => {
      const { enabled, previews_enabled = enabled } = await parseBody(c, subdomainInput);
      return ok(
        c,
        (await control.changeSettings(c.req.param("name"), { subdomain: { enabled, previews_enabled } })).subdomain,
      );
    })
    .delete("/scripts/:name/subdomain", async (c) =>
      ok(
        c,
        (await control.changeSettings(c.req.param("name"), { subdomain: { enabled: false, previews_enabled: false } }))
          .subdomain,
      ),
    )
    .get("/scripts/:name/schedules", (c) => ok(c, { schedules: control.worker(c.req.param("name")) && [] }))
    .put("/scripts/:name/schedules", async (c) => {
      control.worker(c.req.param("name"));
      if ((await parseBody(c, schedulesInput)).length > 0) throw apiErrors.unsupported("cron triggers");
      return ok(c, { schedules: [] });
    })
    .put("/scripts/:name/routes", async (c) => {
      const inputs = (await parseBody(c, routes)).map((it) => (typeof it === "string" ? { pattern: it } : it));
      if (inputs.some(({ custom_domain }) => custom_domain))
        throw apiErrors.unsupported("custom domains (give a route instead)");
      const it = await control.changeSettings(c.req.param("name"), {
        routes: inputs.map(({ pattern, zone_name }) => ({
          id: randomUUID().replaceAll("-", ""),
          pattern,
          ...(zone_name !== undefined && { zoneName: zone_name }),
        })),
      });
      return ok(
        c,
        it.routes.map(({ pattern }) => pattern),
      );
    });
