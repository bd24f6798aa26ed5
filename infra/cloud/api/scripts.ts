/** Workers: uploading, settings, where they are reached, and their end. */
import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import * as z from "zod";
import { latestVersion, type Worker, workersBoundTo } from "../account/account.ts";
import { apiErrors } from "../account/api-errors.ts";
import { readUpload } from "../account/upload.ts";
import type { AccountControl } from "../control/account-control.ts";
import { subdomain } from "../ingress/hosts.ts";
import { ok, page, parseBody } from "./envelope.ts";
import { scriptView, settingsView } from "./views.ts";

const subdomainInput = z.strictObject({ enabled: z.boolean(), previews_enabled: z.boolean().optional() });
const settings = z.strictObject({
  tags: z.array(z.string()).nullish(),
  logpush: z.boolean().nullish(),
  observability: z.record(z.string(), z.unknown()).nullish(),
  tail_consumers: z.array(z.unknown()).nullish(),
});
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
export const scripts = (control: AccountControl) =>
  new Hono()
    .get("/scripts", (c) => ok(c, [...control.account().workers.values()].map(scriptView)))
    .get("/scripts-search", (c) => {
      const wanted = c.req.query("name") ?? "";
      const found = [...control.account().workers.values()].filter(({ name }) => name.includes(wanted)).map(scriptView);
      return ok(
        c,
        page(c, found).map((it) => ({ ...it, script_name: it.id })),
      );
    })
    .get("/services/:name", (c) => ok(c, serviceView(control.worker(c.req.param("name")))))
    .delete("/services/:name", async (c) => {
      await control.remove(c.req.param("name"), c.req.query("force") === "true");
      return ok(c, null);
    })
    .get("/workers/:name", (c) => ok(c, workerView(control.worker(c.req.param("name")))))
    .put("/scripts/:name", async (c) => {
      const worker = c.req.param("name");
      const upload = await readUpload(c.req.raw);
      const before = control.account().workers.get(worker);
      const [version] = await control.publish([{ worker, upload, deploy: true }]);
      const { tags, logpush, observability } = upload.metadata;
      const it = await control.changeSettings(worker, {
        ...(tags && { tags }),
        ...(logpush !== undefined && { logpush }),
        ...(observability !== undefined && { observability }),
        // A Worker is reachable from the first unless its configuration says otherwise, which is the next call.
        ...(!before && { subdomain: { enabled: false, previews_enabled: false } }),
      });
      return ok(c, { ...scriptView(it), startup_time_ms: 1, deployment_id: version?.id.replaceAll("-", "") });
    })
    .delete("/scripts/:name", async (c) => {
      await control.remove(c.req.param("name"), c.req.query("force") === "true");
      return ok(c, null);
    })
    .get("/scripts/:name/settings", (c) => ok(c, settingsView(control.worker(c.req.param("name")))))
    .get("/scripts/:name/script-settings", (c) => ok(c, settingsOf(control.worker(c.req.param("name")))))
    .patch("/scripts/:name/script-settings", async (c) => {
      const { tags, logpush, observability } = await parseBody(c, settings);
      const it = await control.changeSettings(c.req.param("name"), {
        ...(tags && { tags }),
        ...(logpush != null && { logpush }),
        ...(observability !== undefined && { observability }),
      });
      return ok(c, settingsOf(it));
    })
    .get("/scripts/:name/references", (c) => {
      const { name } = control.worker(c.req.param("name"));
      const incoming = workersBoundTo(control.account(), name).map((it) => ({
        service: it,
        environment: "production",
      }));
      return ok(c, {
        services: { incoming, outgoing: [], pages_function: false },
        durable_objects: [],
        dispatch_outbounds: [],
      });
    })
    .get("/tails/by-consumer/:name", (c) => {
      const consumer = c.req.param("name");
      const producers = [...control.account().workers.values()].filter((it) =>
        latestVersion(it).tailConsumers.includes(consumer),
      );
      return ok(
        c,
        producers.map(({ tag, name }) => ({
          tag,
          producer: { service: { name } },
          consumer: { service: { name: consumer } },
        })),
      );
    })
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

const settingsOf = ({ tags, logpush, observability }: Worker) => ({ tags, logpush, observability });

const serviceView = (worker: Worker) => ({
  id: worker.name,
  default_environment: {
    environment: "production",
    created_on: worker.createdOn,
    modified_on: latestVersion(worker).createdOn,
    script: scriptView(worker),
    script_tag: worker.tag,
  },
  environments: [],
});

const workerView = (worker: Worker) => ({
  id: worker.tag,
  name: worker.name,
  tags: worker.tags,
  logpush: worker.logpush,
  observability: worker.observability ?? { enabled: false },
  subdomain: { ...worker.subdomain, preview_url_suffix: `-${worker.name}.${subdomain}.workers.dev` },
  created_on: worker.createdOn,
  updated_on: latestVersion(worker).createdOn,
});
