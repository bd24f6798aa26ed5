/** Versions and deployments: what is uploaded, and which of it takes how much. */
import { Hono } from "hono";
import * as z from "zod";
import { shownDeployments, versionOf } from "../account/account.ts";
import { faults } from "../account/api-errors.ts";
import { readUpload } from "../account/upload.ts";
import type { Control } from "../control/account-control.ts";
import { annotations, body, ok, page } from "./envelope.ts";
import { deploymentView, versionView } from "./views.ts";

const deployment = z.strictObject({
  strategy: z.literal("percentage").optional(),
  // When objects are moved to the new code; here they move at once, between calls.
  code_update_strategy: z.looseObject({}).optional(),
  versions: z
    .array(z.strictObject({ version_id: z.string(), percentage: z.number().min(0).max(100) }))
    .min(1, "a deployment has one or two versions")
    .max(2, "a deployment has one or two versions"),
  annotations,
});

/** How many a list without `deployable` shows. */
const shownVersions = 10;

/** Under `/accounts/:account/workers/scripts/:name`. */
export const versions = (control: Control) =>
  new Hono<{ Variables: Record<never, never> }>()
    .get("/:name/versions", (c) => {
      const all = control.worker(c.req.param("name")).versions;
      const some = c.req.query("deployable") === "true" ? all : all.slice(-shownVersions);
      return ok(c, { items: Number(c.req.query("page") ?? 1) > 1 ? [] : some.toReversed().map(versionView) });
    })
    .post("/:name/versions", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const upload = await readUpload(c.req.raw);
      const [version] = await control.publish([{ worker: name, upload, deploy: false }]);
      return ok(c, version && versionView(version));
    })
    .get("/:name/versions/:id", (c) => {
      const version = versionOf(control.worker(c.req.param("name")), c.req.param("id"));
      if (!version) throw faults.noVersion(c.req.param("id"));
      return ok(c, versionView(version));
    })
    .get("/:name/deployments", (c) => {
      const all = control.worker(c.req.param("name")).deployments;
      const shown = page(c, all.slice(0, shownDeployments)).map(deploymentView);
      // As documented, and as the SDK's lists read every page.
      return ok(c, { deployments: shown, items: shown });
    })
    .get("/:name/deployments/:id", (c) => {
      const found = control.worker(c.req.param("name")).deployments.find(({ id }) => id === c.req.param("id"));
      if (!found) throw faults.noDeployment(c.req.param("id"));
      return ok(c, deploymentView(found));
    })
    .delete("/:name/deployments/:id", (c) => {
      control.worker(c.req.param("name"));
      throw faults.unsupported("deleting a deployment");
    })
    .post("/:name/deployments", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const given = await body(c, deployment);
      const done = await control.deploy(name, given.versions, given.annotations, c.req.query("force") === "true");
      return ok(c, deploymentView(done));
    });
