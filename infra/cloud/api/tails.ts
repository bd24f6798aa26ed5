/** Live logs of a Worker, under `/accounts/:account/workers/scripts`. */
import { Hono } from "hono";
import type { AccountControl } from "../control/account-control.ts";
import type { Tails } from "../control/tails.ts";
import { ok } from "./envelope.ts";

export const tailRoutes = (control: AccountControl, tails: Tails) =>
  new Hono()
    .get("/:name/tails", (c) => {
      const { name } = control.worker(c.req.param("name"));
      return ok(
        c,
        tails.forWorker(name).map(({ id, expiresAt }) => ({ id, expires_at: expiresAt })),
      );
    })
    .post("/:name/tails", async (c) => {
      const { id, expiresAt } = tails.open(control.worker(c.req.param("name")).name);
      await control.refresh();
      return ok(c, { id, url: `ws://${new URL(c.req.url).host}/tails/${id}`, expires_at: expiresAt });
    })
    .delete("/:name/tails/:id", async (c) => {
      tails.remove(c.req.param("id"));
      await control.refresh();
      return ok(c, null);
    });
