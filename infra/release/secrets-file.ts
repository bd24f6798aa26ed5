/** Passes values of secrets to wrangler in a temporary file. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Emitted } from "../compiler/emit/emit.ts";

type Values = Readonly<Record<string, string>>;

/** The secrets that a Worker names, and no others. */
export const secretsFor = ({ secrets }: Emitted, values: Values): Values =>
  Object.fromEntries(secrets.flatMap((name) => (Object.hasOwn(values, name) ? [[name, values[name] as string]] : [])));

/** Writes a file that only this user can read, and removes it after use. */
export const withSecretsFile = async (
  values: Values,
  use: (file: string | undefined) => Promise<void>,
): Promise<void> => {
  if (Object.keys(values).length === 0) return use(undefined);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  const file = path.join(folder, "secrets.json");
  try {
    fs.writeFileSync(file, JSON.stringify(values), { mode: 0o600 });
    await use(file);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
};
