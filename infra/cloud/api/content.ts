/** The uploaded code of a Worker, and its settings together with those of its newest version. */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { findVersion, latestVersion, type Module, type Version } from "../account/account.ts";
import { apiErrors } from "../account/api-errors.ts";
import { readFormValue } from "../account/form.ts";
import { date, flag, limits, migrations, parseAs, readForm, readUpload, tailConsumers } from "../account/upload.ts";
import type { AccountControl } from "../control/account-control.ts";
import { ok } from "./envelope.ts";
import { scriptView, settingsView } from "./views.ts";

const settings = z.strictObject({
  // Settings of the version: a change of them makes a new version.
  bindings: z.array(z.unknown()).optional(),
  compatibility_date: date.optional(),
  compatibility_flags: z.array(z.string()).optional(),
  limits: limits.nullish(),
  tail_consumers: tailConsumers.nullish(),
  migrations: migrations.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  // Settings of the Worker.
  tags: z.array(z.string()).nullish(),
  logpush: flag.nullish(),
  observability: z.record(z.string(), z.unknown()).nullish(),
  // Accepted without effect.
  usage_model: z.string().optional(),
  placement: z.looseObject({}).nullish(),
});

/** By module type. */
const mediaTypes: Readonly<Record<Module["type"], string>> = {
  ESModule: "application/javascript+module",
  CommonJS: "application/javascript",
  Script: "application/javascript",
  Text: "text/plain",
  Data: "application/octet-stream",
  CompiledWasm: "application/wasm",
};

/** Under `/accounts/:account/workers/scripts`. */
export const content = (control: AccountControl) => {
  const download = (c: Context) => {
    const worker = control.worker(c.req.param("name") as string);
    const versionId = c.req.query("version");
    const version = versionId === undefined ? latestVersion(worker) : findVersion(worker, versionId);
    if (!version) throw apiErrors.noVersion(versionId as string);
    return codeResponse(version, control.readBlob);
  };
  return new Hono()
    .get("/:name", download)
    .get("/:name/content/v2", download)
    .put("/:name/content", async (c) => {
      // The SDK sends both headers, one of them empty.
      const [main_module, body_part] = ["main-module-part", "body-part"].map((it) => c.req.header(`cf-worker-${it}`));
      const main = main_module ? { main_module } : body_part ? { body_part } : {};
      const upload = await readUpload(c.req.raw, main);
      const { modules, metadata } = upload;
      await control.revise(c.req.param("name"), { main_module: metadata.main_module, modules });
      return ok(c, scriptView(control.worker(c.req.param("name"))));
    })
    .patch("/:name/settings", async (c) => {
      const { name } = control.worker(c.req.param("name"));
      const value = await readFormValue(await readForm(c.req.raw), "settings");
      if (value === undefined) throw apiErrors.malformed("the form has no part named settings");
      const {
        tags,
        logpush,
        observability,
        usage_model: _,
        placement: __,
        ...rest
      } = parseAs(settings, value, "settings");
      const { limits: limitsInput, ...version } = rest;
      if (Object.keys(rest).length > 0) await control.revise(name, { ...version, limits: limitsInput ?? undefined });
      const it = await control.changeSettings(name, {
        ...(tags && { tags }),
        ...(logpush != null && { logpush }),
        ...(observability !== undefined && { observability }),
      });
      return ok(c, settingsView(it));
    });
};

/** A form of its modules, whose main one a header names. A script alone is the whole body. */
const codeResponse = ({ mainModule, modules, etag }: Version, read: AccountControl["readBlob"]): Response => {
  const [main] = modules.filter(({ name }) => name === mainModule);
  if (main?.type === "Script")
    return new Response(new Uint8Array(read(main.blob)), { headers: { "content-type": mediaTypes.Script, etag } });
  const form = new FormData();
  for (const { name, type, blob } of modules)
    form.append(name, new File([new Uint8Array(read(blob))], name, { type: mediaTypes[type] }));
  return new Response(form, { headers: { "cf-entrypoint": mainModule, etag } });
};
