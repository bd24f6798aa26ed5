/** Creates what a local cloud needs beside the gates: sample Workers and KV namespaces. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import type { Emitted } from "../compiler/emit/emit.ts";
import { common } from "../compiler/lower/platform.ts";
import { fetchApi } from "./api.ts";
import type { Target } from "./target.ts";

/**
 * Creates namespaces on a local cloud, which accepts an id for a new namespace. A title is unique in an account, so it has
 * the environment's name, and the id, which an environment may change.
 */
export const createNamespaces = async (
  target: Target,
  environment: string,
  namespaces: Readonly<Record<string, string>>,
): Promise<void> => {
  const {
    CLOUDFLARE_API_BASE_URL: api,
    CLOUDFLARE_API_TOKEN: token,
    CLOUDFLARE_ACCOUNT_ID: account,
  } = target.variables;
  const url = `${api}/accounts/${account}/storage/kv/namespaces`;
  const headers = { authorization: `Bearer ${token}` };
  for (const [name, id] of Object.entries(namespaces)) {
    const title = `${name}-${environment}-${id}`;
    const found = await fetchApi(`${url}/${id}`, { headers });
    if (found.status !== 404) continue;
    const created = await fetchApi(url, { method: "POST", headers, body: JSON.stringify({ title, id }) });
    if (!created.ok) throw new Error(`the KV namespace ${title} could not be created: ${await created.text()}`);
  }
};

/** Bundles sample Workers for deployment: not reachable from outside, without settings. */
export const buildSampleWorkers = async (
  root: string,
  environment: string,
  files: Readonly<Record<string, string>>,
): Promise<Emitted[]> =>
  Promise.all(
    Object.entries(files).map(async ([worker, file]): Promise<Emitted> => {
      const folder = path.join(root, ".build", environment, "samples", worker);
      const { outputFiles } = await esbuild.build({
        entryPoints: [path.join(root, file)],
        bundle: true,
        write: false,
        format: "esm",
        logLevel: "silent",
      });
      const code = outputFiles[0]?.contents ?? new Uint8Array();
      const config = JSON.stringify({ name: worker, main: "worker.js", ...common });
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(path.join(folder, "worker.js"), code);
      fs.writeFileSync(path.join(folder, "wrangler.json"), config);
      const digest = createHash("sha256").update(code).update(config).digest("hex");
      const noParts = { tiers: [], lifted: false, parts: [], secrets: [], generated: [], uses: [] };
      return { kind: "gate", worker, folder, ...noParts, digest, bytes: code.length, gzipBytes: gzipSync(code).length };
    }),
  );
