/** Settings of a Worker whatever its version. */
import { Hono } from "hono";
import * as z from "zod";
import type { Worker } from "../account/account.ts";
import type { AccountControl } from "../control/account-control.ts";
import { ok, parseBody } from "./envelope.ts";
import { settingsView } from "./views.ts";

const settings = z.strictObject({
  tags: z.array(z.string()).nullish(),
  logpush: z.boolean().nullish(),
  observability: z.record(z.string(), z.unknown()).nullish(),
  tail_consumers: z.array(z.unknown()).nullish(),
});
/** Under `/accounts/:account/workers`. */
export const scriptSettings = (control: AccountControl) =>
  new Hono()
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
    });

const settingsOf = ({ tags, logpush, observability }: Worker) => ({ tags, logpush, observability });
