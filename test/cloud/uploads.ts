/** Uploads as wrangler makes them, without the form. */
import type { Publication } from "../../infra/cloud/account/publish.ts";
import type { Metadata } from "../../infra/cloud/account/upload.ts";
import { compatibilityDate } from "../../infra/compiler/lower/platform.ts";

/** An upload of one module, live at once. */
export const publication = (
  worker: string,
  source: string,
  metadata: Partial<Metadata> = {},
  deploy = true,
): Publication => ({
  worker,
  deploy,
  upload: {
    metadata: {
      main_module: "main.js",
      bindings: [],
      compatibility_date: compatibilityDate,
      compatibility_flags: ["nodejs_compat"],
      keep_bindings: [],
      annotations: {},
      limits: {},
      ...metadata,
    },
    modules: [{ name: "main.js", type: "ESModule", content: Buffer.from(source) }],
  },
});

export const onSubdomain = { subdomain: { enabled: true, previews_enabled: true } } as const;
