/** The version of Postern that runs. Every command line loads this, so it imports nothing of Postern. */
import fs from "node:fs";
import path from "node:path";

const manifest = path.resolve(import.meta.dirname, "../../package.json");

export const version: string = (JSON.parse(fs.readFileSync(manifest, "utf8")) as { readonly version: string }).version;
