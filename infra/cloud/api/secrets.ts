/** Secrets: each edit is a version of its own. Values go in and never come out. */
import { Hono } from "hono";
import * as z from "zod";
import { latestVersion } from "../account/account.ts";
import { secretsIn } from "../account/bindings.ts";
import { faults } from "../account/api-errors.ts";
import type { Control, SecretEdits } from "../control/account-control.ts";
import { annotations, body, ok } from "./envelope.ts";
import { versionView } from "./views.ts";

const text = z.strictObject({ name: z.string().optional(), type: z.literal("secret_text"), text: z.string() });
const secret = text.extend({ name: z.string() });
const bulk = z.strictObject({ secrets: z.record(z.string(), text.nullable()) });
const versioned = z.strictObject({ env: z.record(z.string(), text.nullable()).default({}), annotations });

const editsOf = (given: Readonly<Record<string, { readonly text: string } | null>>): SecretEdits =>
  Object.fromEntries(Object.entries(given).map(([name, it]) => [name, it?.text ?? null]));

/** Under `/accounts/:account/workers`. */
export const secrets = (control: Control) => {
  const namesOf = (worker: string) =>
    secretsIn(latestVersion(control.worker(worker)).bindings).map(({ name, type }) => ({ name, type }));
  return new Hono()
    .get("/scripts/:name/secrets", (c) => ok(c, namesOf(c.req.param("name"))))
    .put("/scripts/:name/secrets", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const given = await body(c, secret);
      await control.editSecrets(name, { [given.name]: given.text }, true, {});
      return ok(c, { name: given.name, type: given.type });
    })
    .get("/scripts/:name/secrets/:secret", (c) => {
      const found = namesOf(c.req.param("name")).find(({ name }) => name === c.req.param("secret"));
      if (!found) throw faults.noSecret(c.req.param("secret"));
      return ok(c, found);
    })
    .delete("/scripts/:name/secrets/:secret", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      await control.editSecrets(name, { [c.req.param("secret")]: null }, true, {});
      return ok(c, null);
    })
    .patch("/scripts/:name/secrets-bulk", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const { secrets: given } = await body(c, bulk);
      await control.editSecrets(name, editsOf(given), true, {});
      return ok(c, namesOf(name));
    })
    .patch("/workers/:name/versions/latest", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const given = await body(c, versioned);
      const version = await control.editSecrets(name, editsOf(given.env), false, given.annotations);
      return ok(c, versionView(version));
    });
};
