/** Zones and their routes to Workers, as the dashboard and the SDK edit them. Every zone belongs to the account. */
import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import * as z from "zod";
import { forgetOldest } from "../../../functions/gateway/core/bounded.ts";
import { accountId } from "../account/access.ts";
import type { Account, Route } from "../account/account.ts";
import { apiErrors } from "../account/api-errors.ts";
import { zoneId } from "../account/zone-id.ts";
import type { AccountControl } from "../control/account-control.ts";
import { ok, page, parseBody } from "./envelope.ts";
import { seesZone } from "./permissions.ts";
import { zoneProducts } from "./zone-products.ts";

const route = z.strictObject({ pattern: z.string().min(1), script: z.string().nullish() });

/** https://developers.cloudflare.com/rules/transform/#availability: 25 rules. */
const zonePlan = { id: "pro", name: "Pro Plan", legacy_id: "pro" };

/** Names of zones that clients have looked up. Beyond this number the oldest is dropped. */
const maxNames = 1000;

export const zones = (control: AccountControl) => {
  const names = new Set<string>();
  const rememberZone = (name: string) => {
    names.add(name);
    forgetOldest(names, maxNames);
    return {
      id: zoneId(name),
      name,
      status: "active",
      plan: zonePlan,
      account: { id: accountId, name: "local cloud" },
    };
  };
  const allRoutes = () => routesIn(control.account());
  /** A zone that no client has looked up has no routes yet. */
  const nameOf = (id: string): string | undefined =>
    [...names, ...allRoutes().flatMap(({ zoneName }) => zoneName ?? [])].find((name) => zoneId(name) === id);
  const inZone = (id: string) => allRoutes().filter((it) => it.zoneName === undefined || zoneId(it.zoneName) === id);
  const findRoute = (zone: string, id: string) => {
    const it = inZone(zone).find((one) => one.id === id);
    if (!it) throw apiErrors.noRoute(id);
    return it;
  };
  const putRoute = async (zone: string, input: z.output<typeof route>, id: string): Promise<object> => {
    const { pattern, script } = input;
    if (!script) throw apiErrors.unsupported("a route to no Worker, which keeps others' routes away");
    const zoneName = nameOf(zone) ?? zoneIn(pattern, zone);
    if (zoneName === undefined) throw apiErrors.noZone(zone, pattern);
    const { routes } = control.worker(script);
    if (routes.some((it) => it.id !== id && it.pattern === pattern)) throw apiErrors.routeTaken(pattern, script);
    await control.changeSettings(script, {
      routes: [...routes.filter((it) => it.id !== id), { id, pattern, zoneName }],
    });
    return { id, pattern, script };
  };
  const removeRoute = async ({ id, script }: { readonly id: string; readonly script: string }) =>
    control.changeSettings(script, { routes: control.worker(script).routes.filter((it) => it.id !== id) });

  return new Hono()
    .get("/", (c) => {
      const zone = rememberZone(c.req.query("name") ?? "localhost");
      return ok(c, page(c, seesZone(c, zone.id) ? [zone] : []));
    })
    .route("/", zoneProducts(control, nameOf))
    .get("/:zone", (c) => {
      const name = nameOf(c.req.param("zone"));
      if (name === undefined) throw apiErrors.noZone(c.req.param("zone"));
      return ok(c, rememberZone(name));
    })
    .get("/:zone/workers/routes", (c) => ok(c, page(c, inZone(c.req.param("zone")).map(routeView))))
    .post("/:zone/workers/routes", async (c) =>
      ok(c, await putRoute(c.req.param("zone"), await parseBody(c, route), randomUUID().replaceAll("-", ""))),
    )
    .get("/:zone/workers/routes/:id", (c) => ok(c, routeView(findRoute(c.req.param("zone"), c.req.param("id")))))
    .put("/:zone/workers/routes/:id", async (c) => {
      const { zone, id } = c.req.param();
      const before = findRoute(zone, id);
      const input = await parseBody(c, route);
      const after = await putRoute(zone, { ...input, script: input.script ?? before.script }, id);
      if (input.script && input.script !== before.script) await removeRoute(before);
      return ok(c, after);
    })
    .delete("/:zone/workers/routes/:id", async (c) => {
      const { zone, id } = c.req.param();
      await removeRoute(findRoute(zone, id));
      return ok(c, { id });
    });
};

/** The zone of that id that contains a pattern's host: `*.api.acme.example/*` may be in `acme.example`. */
const zoneIn = (pattern: string, id: string): string | undefined => {
  const [host = ""] = pattern.replace(/^https?:\/\//, "").split("/");
  const labels = host.replace(/^\*\.?/, "").split(".");
  return labels.map((_, index) => labels.slice(index).join(".")).find((name) => zoneId(name) === id);
};

type WorkerRoute = Route & { readonly script: string };

const routesIn = ({ workers }: Account): WorkerRoute[] =>
  [...workers.values()].flatMap(({ name, routes }) => routes.map((it) => ({ ...it, script: name })));

const routeView = ({ id, pattern, script }: WorkerRoute) => ({ id, pattern, script });
