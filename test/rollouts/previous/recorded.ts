/** Reads the recorded Workers of the previous release, which `record.ts` has written. */
import fs from "node:fs";
import path from "node:path";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import type { Emitted } from "../../../infra/compiler/emit/emit.ts";

const file = path.join(import.meta.dirname, "workers.json.br");

/** Placeholder addresses in the recording, replaced by those of a cloud. */
export const stand = { api: "http://localhost:10001", edge: "http://127.0.0.1:10002" };

export interface Recorded {
  /** The commit that they were built from. */
  readonly commit: string;
  readonly workers: readonly (Omit<Emitted, "generated"> & {
    readonly generated?: Emitted["generated"];
    readonly files: Readonly<Record<string, string>>;
  })[];
}

/** @returns the size of the file in bytes */
export const write = (recorded: Recorded): number => {
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } };
  const bytes = brotliCompressSync(JSON.stringify(recorded), options);
  fs.writeFileSync(file, bytes);
  return bytes.length;
};

/** Writes the recorded Workers into a folder, with the addresses of a cloud. */
export const recordedAt = (folder: string, at: { readonly api: string; readonly edge: string }): readonly Emitted[] => {
  const { workers } = JSON.parse(brotliDecompressSync(fs.readFileSync(file)).toString()) as Recorded;
  return workers.map(({ files, ...it }) => {
    const own = path.join(folder, it.worker);
    fs.mkdirSync(own, { recursive: true });
    for (const [name, text] of Object.entries(files))
      fs.writeFileSync(path.join(own, name), text.replaceAll(stand.api, at.api).replaceAll(stand.edge, at.edge));
    // The first recorded release generated no secrets.
    return { generated: [], ...it, folder: own };
  });
};
