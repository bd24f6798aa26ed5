/** Zones, every one of which is this account's, and their routes to Workers, one by one as the dashboard and the SDK write them. */

import { createHash, randomUUID } from "node:crypto";
import { Hono } from "hono";
import * as z from "zod";
import { forgetOldest } from "../../../functions/gateway/core/bounded.ts";
import { accountId } from "../account/access.ts";
import type { Account, Route } from "../account/account.ts";
import { faults } from "../account/api-errors.ts";
import type { Control } from "../control/account-control.ts";
import { body, ok, page } from "./envelope.ts";

const route = z.strictObject({ pattern: z.string().min(1), script: z.string().nullish() });

/** Names that were asked for; of more, the oldest is forgotten. */
const mostNames = 1000;

export const zones = (control: Control) => {
  const names = new Set<string>();
  const zoneOf = (name: string) => {
    names.add(name);
    forgetOldest(names, mostNames);
    return { id: zoneId(name), name, status: "active", account: { id: accountId, name: "local cloud" } };
  };
  const routed = () => routesIn(control.account());
  /** A zone that nobody has named has no routes yet. */
  const nameOf = (id: string): string | undefined =>
    [...names, ...routed().flatMap(({ zoneName }) => zoneName ?? [])].find((name) => zoneId(name) === id);
  const inZone = (id: string) => routed().filter((it) => it.zoneName === undefined || zoneId(it.zoneName) === id);
  const found = (zone: string, id: string) => {
    const it = inZone(zone).find((one) => one.id === id);
    if (!it) throw faults.noRoute(id);
    return it;
  };
  const put = async (zone: string, given: z.output<typeof route>, id: string): Promise<object> => {
    const { pattern, script } = given;
    if (!script) throw faults.unsupported("a route to no Worker, which keeps others' routes away");
    const zoneName = nameOf(zone) ?? zoneIn(pattern, zone);
    if (zoneName === undefined) throw faults.noZone(zone, pattern);
    const { routes } = control.worker(script);
    if (routes.some((it) => it.id !== id && it.pattern === pattern)) throw faults.routeTaken(pattern, script);
    await control.change(script, { routes: [...routes.filter((it) => it.id !== id), { id, pattern, zoneName }] });
    return { id, pattern, script };
  };
  const remove = async ({ id, script }: { readonly id: string; readonly script: string }) =>
    control.change(script, { routes: control.worker(script).routes.filter((it) => it.id !== id) });

  return new Hono()
    .get("/", (c) => ok(c, page(c, [zoneOf(c.req.query("name") ?? "localhost")])))
    .get("/:zone", (c) => {
      const name = nameOf(c.req.param("zone"));
      if (name === undefined) throw faults.noZone(c.req.param("zone"));
      return ok(c, zoneOf(name));
    })
    .get("/:zone/workers/routes", (c) => ok(c, page(c, inZone(c.req.param("zone")).map(routeView))))
    .post("/:zone/workers/routes", async (c) =>
      ok(c, await put(c.req.param("zone"), await body(c, route), randomUUID().replaceAll("-", ""))),
    )
    .get("/:zone/workers/routes/:id", (c) => ok(c, routeView(found(c.req.param("zone"), c.req.param("id")))))
    .put("/:zone/workers/routes/:id", async (c) => {
      const { zone, id } = c.req.param();
      const before = found(zone, id);
      const given = await body(c, route);
      const after = await put(zone, { ...given, script: given.script ?? before.script }, id);
      if (given.script && given.script !== before.script) await remove(before);
      return ok(c, after);
    })
    .delete("/:zone/workers/routes/:id", async (c) => {
      const { zone, id } = c.req.param();
      await remove(found(zone, id));
      return ok(c, { id });
    });
};

const zoneId = (name: string): string => createHash("sha256").update(name).digest("hex").slice(0, 32);

/** The zone of that id which a pattern's host is in: `*.api.acme.example/*` may be in `acme.example`. */
const zoneIn = (pattern: string, id: string): string | undefined => {
  const [host = ""] = pattern.replace(/^https?:\/\//, "").split("/");
  const labels = host.replace(/^\*\.?/, "").split(".");
  return labels.map((_, index) => labels.slice(index).join(".")).find((name) => zoneId(name) === id);
};

type Routed = Route & { readonly script: string };

const routesIn = ({ workers }: Account): Routed[] =>
  [...workers.values()].flatMap(({ name, routes }) => routes.map((it) => ({ ...it, script: name })));

const routeView = ({ id, pattern, script }: Routed) => ({ id, pattern, script });
