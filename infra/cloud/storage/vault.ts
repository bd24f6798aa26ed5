/** Stores values of secrets outside the journal, each in a file that only this user may read. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { Event, Version } from "../account/account.ts";
import type { Binding } from "../account/bindings.ts";

export interface Vault {
  readonly folder: string;
  /** The event with a file's name instead of each value. The files are on disk when this returns. */
  readonly seal: (event: Event) => Event;
  /** The event with its values. */
  readonly unseal: (event: Event) => Event;
  /** Removes values that have not been read since the vault was opened. */
  readonly removeUnused: () => void;
}

export const openVault = (folder: string): Vault => {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A known value is not written again for each version that has it.
  const names = new Map<string, string>();
  const values = new Map<string, string>();
  const nameOf = (value: string): string => {
    const known = names.get(value);
    if (known !== undefined) return known;
    const name = randomBytes(16).toString("hex");
    writeAtomically(path.join(folder, name), value);
    names.set(value, name);
    return name;
  };
  const valueIn = (name: string): string => {
    const value = values.get(name) ?? fs.readFileSync(path.join(folder, name), "utf8");
    values.set(name, value);
    names.set(value, name);
    return value;
  };
  return {
    folder,
    seal: (event) => mapSecrets(event, nameOf),
    unseal: (event) => mapSecrets(event, valueIn),
    removeUnused: () => {
      const used = new Set(names.values());
      for (const name of fs.readdirSync(folder)) if (!used.has(name)) fs.rmSync(path.join(folder, name));
    },
  };
};

type MapText = (text: string) => string;

const mapSecrets = (event: Event, change: MapText): Event => {
  if (event.type === "version") return { ...event, version: mapVersionSecrets(event.version, change) };
  if (event.type !== "account") return event;
  const workers = event.workers.map((it) => ({
    ...it,
    versions: it.versions.map((one) => mapVersionSecrets(one, change)),
  }));
  return { ...event, workers };
};

const mapVersionSecrets = (version: Version, change: MapText): Version => ({
  ...version,
  bindings: version.bindings.map((it): Binding => (it.type === "secret_text" ? { ...it, text: change(it.text) } : it)),
});

/** Writes a temporary file and renames it, so that the file is complete or absent. */
export const writeAtomically = (file: string, bytes: Uint8Array | string): void => {
  const temporary = `${file}.${randomBytes(4).toString("hex")}.new`;
  try {
    fs.writeFileSync(temporary, bytes, { mode: 0o600, flush: true });
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
};
