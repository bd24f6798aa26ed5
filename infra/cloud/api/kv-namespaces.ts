/** KV namespaces: listing, creating, renaming, removing. */
import { Hono } from "hono";
import * as z from "zod";
import { apiErrors } from "../account/api-errors.ts";
import type { AccountControl } from "../control/account-control.ts";
import { ok, page, parseBody } from "./envelope.ts";

const titleInput = z.strictObject({ title: z.string().min(1).max(512) });
/** The platform chooses the id. Here a client may choose it, so that it fits an environment's configuration. */
const namespaceInput = titleInput.extend({
  id: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
});
const view = ({ id, title }: { readonly id: string; readonly title: string }) => ({
  id,
  title,
  supports_url_encoding: true,
});

export const kvNamespaces = (control: AccountControl) =>
  new Hono()
    .get("/", (c) => ok(c, page(c, [...control.account().namespaces.values()].map(view))))
    .post("/", async (c) => {
      const { title, id } = await parseBody(c, namespaceInput);
      return ok(c, view(await control.addNamespace(title, id)));
    })
    .get("/:id", (c) => {
      const found = control.account().namespaces.get(c.req.param("id"));
      if (!found) throw apiErrors.noNamespace();
      return ok(c, view(found));
    })
    .put("/:id", async (c) =>
      ok(c, view(await control.renameNamespace(c.req.param("id"), (await parseBody(c, titleInput)).title))),
    )
    .delete("/:id", async (c) => {
      await control.removeNamespace(c.req.param("id"));
      return ok(c, null);
    });
