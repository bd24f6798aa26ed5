/** Hands values of secrets to wrangler. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Emitted } from "../compiler/emit.ts";

/** Values go by a file that only this user reads, and that is gone at once. */
export const withSecrets = async (
  it: Emitted,
  values: Readonly<Record<string, string>>,
  use: (file: string | undefined) => Promise<void>,
): Promise<void> => {
  const own = it.secrets.filter((name) => Object.hasOwn(values, name));
  if (own.length === 0) return use(undefined);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  const file = path.join(folder, "secrets.json");
  try {
    fs.writeFileSync(file, JSON.stringify(Object.fromEntries(own.map((name) => [name, values[name]]))), {
      mode: 0o600,
    });
    await use(file);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
};
