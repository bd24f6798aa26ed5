/** Versions and deployments: uploads, and how requests are split between them. */
import { Hono } from "hono";
import * as z from "zod";
import { findVersion, listedDeployments } from "../account/account.ts";
import { apiErrors } from "../account/api-errors.ts";
import { readUpload } from "../account/upload.ts";
import type { AccountControl } from "../control/account-control.ts";
import { annotations, ok, page, parseBody } from "./envelope.ts";
import { deploymentView, versionView } from "./views.ts";

const deployment = z.strictObject({
  strategy: z.literal("percentage").optional(),
  // Accepted without effect: objects always move to the new code at once, between two calls.
  code_update_strategy: z.looseObject({}).optional(),
  versions: z
    .array(z.strictObject({ version_id: z.string(), percentage: z.number().min(0).max(100) }))
    .min(1, "a deployment has one or two versions")
    .max(2, "a deployment has one or two versions"),
  annotations,
});

/** How many versions a list without `deployable` has. */
const listedVersions = 10;

/** Under `/accounts/:account/workers/scripts/:name`. */
export const versions = (control: AccountControl) =>
  new Hono<{ Variables: Record<never, never> }>()
    .get("/:name/versions", (c) => {
      const all = control.worker(c.req.param("name")).versions;
      const some = c.req.query("deployable") === "true" ? all : all.slice(-listedVersions);
      return ok(c, { items: Number(c.req.query("page") ?? 1) > 1 ? [] : some.toReversed().map(versionView) });
    })
    .post("/:name/versions", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const upload = await readUpload(c.req.raw);
      const [version] = await control.publish([{ worker: name, upload, deploy: false }]);
      return ok(c, version && versionView(version));
    })
    .get("/:name/versions/:id", (c) => {
      const version = findVersion(control.worker(c.req.param("name")), c.req.param("id"));
      if (!version) throw apiErrors.noVersion(c.req.param("id"));
      return ok(c, versionView(version));
    })
    .get("/:name/deployments", (c) => {
      const all = control.worker(c.req.param("name")).deployments;
      const listed = page(c, all.slice(0, listedDeployments)).map(deploymentView);
      // The documented key, and the one that the SDK's lists read.
      return ok(c, { deployments: listed, items: listed });
    })
    .get("/:name/deployments/:id", (c) => {
      const found = control.worker(c.req.param("name")).deployments.find(({ id }) => id === c.req.param("id"));
      if (!found) throw apiErrors.noDeployment(c.req.param("id"));
      return ok(c, deploymentView(found));
    })
    .delete("/:name/deployments/:id", (c) => {
      control.worker(c.req.param("name"));
      throw apiErrors.unsupported("deleting a deployment");
    })
    .post("/:name/deployments", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const input = await parseBody(c, deployment);
      const created = await control.deploy(name, input.versions, input.annotations, c.req.query("force") === "true");
      return ok(c, deploymentView(created));
    });
