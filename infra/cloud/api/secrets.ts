/** Secrets. Each edit makes a version. No response contains a value. */
import { Hono } from "hono";
import * as z from "zod";
import { latestVersion } from "../account/account.ts";
import { apiErrors } from "../account/api-errors.ts";
import { secretBindings } from "../account/bindings.ts";
import type { AccountControl } from "../control/account-control.ts";
import type { SecretEdits } from "../control/version-operations.ts";
import { annotations, ok, parseBody } from "./envelope.ts";
import { versionView } from "./views.ts";

const text = z.strictObject({ name: z.string().optional(), type: z.literal("secret_text"), text: z.string() });
const secretInput = text.extend({ name: z.string() });
const bulkInput = z.strictObject({ secrets: z.record(z.string(), text.nullable()) });
const versionSecretsInput = z.strictObject({ env: z.record(z.string(), text.nullable()).default({}), annotations });

const toEdits = (values: Readonly<Record<string, { readonly text: string } | null>>): SecretEdits =>
  Object.fromEntries(Object.entries(values).map(([name, it]) => [name, it?.text ?? null]));

/** Under `/accounts/:account/workers`. */
export const secrets = (control: AccountControl) => {
  const namesOf = (worker: string) =>
    secretBindings(latestVersion(control.worker(worker)).bindings).map(({ name, type }) => ({ name, type }));
  return new Hono()
    .get("/scripts/:name/secrets", (c) => ok(c, namesOf(c.req.param("name"))))
    .put("/scripts/:name/secrets", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const input = await parseBody(c, secretInput);
      await control.editSecrets(name, { [input.name]: input.text }, true, {});
      return ok(c, { name: input.name, type: input.type });
    })
    .get("/scripts/:name/secrets/:secret", (c) => {
      const found = namesOf(c.req.param("name")).find(({ name }) => name === c.req.param("secret"));
      if (!found) throw apiErrors.noSecret(c.req.param("secret"));
      return ok(c, found);
    })
    .delete("/scripts/:name/secrets/:secret", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      await control.editSecrets(name, { [c.req.param("secret")]: null }, true, {});
      return ok(c, null);
    })
    .patch("/scripts/:name/secrets-bulk", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const { secrets: input } = await parseBody(c, bulkInput);
      await control.editSecrets(name, toEdits(input), true, {});
      return ok(c, namesOf(name));
    })
    .patch("/workers/:name/versions/latest", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const input = await parseBody(c, versionSecretsInput);
      const version = await control.editSecrets(name, toEdits(input.env), false, input.annotations);
      return ok(c, versionView(version));
    });
};
