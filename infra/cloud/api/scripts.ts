/** Workers: listing, uploading, deleting, and what refers to them. */
import { Hono } from "hono";
import { latestVersion, type Worker, workersBoundTo } from "../account/account.ts";
import { readUpload } from "../account/upload.ts";
import type { AccountControl } from "../control/account-control.ts";
import { subdomain } from "../ingress/hosts.ts";
import { ok, page } from "./envelope.ts";
import { scriptView } from "./views.ts";

/** Under `/accounts/:account/workers`. */
export const scripts = (control: AccountControl) =>
  new Hono()
    .get("/scripts", (c) => ok(c, [...control.account().workers.values()].map(scriptView)))
    .get("/scripts-search", (c) => {
      const requestedName = c.req.query("name") ?? "";
      const found = [...control.account().workers.values()]
        .filter(({ name }) => name.includes(requestedName))
        .map(scriptView);
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
      const { settings, version } = await upload(control, worker, c.req.raw);
      return ok(c, { ...scriptView(settings), startup_time_ms: 1, deployment_id: version?.id.replaceAll("-", "") });
    })
    .delete("/scripts/:name", async (c) => {
      await control.remove(c.req.param("name"), c.req.query("force") === "true");
      return ok(c, null);
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
    });

/** Publishes an upload as the live version, and applies the settings that come with it. */
const upload = async (control: AccountControl, worker: string, request: Request) => {
  const read = await readUpload(request);
  const before = control.account().workers.get(worker);
  const [version] = await control.publish([{ worker, upload: read, deploy: true }]);
  const { tags, logpush, observability } = read.metadata;
  const settings = await control.changeSettings(worker, {
    ...(tags && { tags }),
    ...(logpush !== undefined && { logpush }),
    ...(observability !== undefined && { observability }),
    // The next call of wrangler enables the address on workers.dev, unless the configuration disables it.
    ...(!before && { subdomain: { enabled: false, previews_enabled: false } }),
  });
  return { settings, version };
};

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
