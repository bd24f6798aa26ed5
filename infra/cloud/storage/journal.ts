/**
 * The account on disk: one line for each change, appended and synced before the change is acknowledged. A kill can cut off
 * the last line only, which is dropped when the file is read. So the state that is read is always the last complete one.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { type Account, applyEvent, type Event, emptyAccount } from "../account/account.ts";
import { lock } from "./lock.ts";
import { openVault, type Vault, writeAtomically } from "./vault.ts";

export interface Journal {
  readonly account: () => Account;
  /** On disk when it returns: all events, or none if it throws. */
  readonly record: (...events: readonly Event[]) => void;
  /** Stores bytes by their digest. */
  readonly storeBlob: (bytes: Uint8Array) => string;
  readonly readBlob: (blob: string) => Buffer;
  readonly close: () => void;
}

/** The first line identifies the format. Every other line has an event, or a list of events that happen together. */
const header = { postern: "local cloud", format: 1 };

/**
 * @param folder of this journal alone; created where it is missing
 * @throws if another process has it, or it was written by something else
 */
export const openJournal = (folder: string): Journal => {
  const blobs = path.join(folder, "blobs");
  fs.mkdirSync(blobs, { recursive: true, mode: 0o700 });
  const unlock = lock(path.join(folder, "lock"));
  const file = path.join(folder, "journal.ndjson");
  let account: Account;
  let descriptor: number;
  let vault: Vault;
  try {
    // A kill during an upload leaves temporary files.
    for (const name of fs.readdirSync(blobs)) if (name.endsWith(".new")) fs.rmSync(path.join(blobs, name));
    vault = openVault(path.join(folder, "secrets"));
    const found = recoverAccount(file, vault);
    account = found.account;
    if (found.lines > maxLines) compact(file, blobs, account, vault);
    descriptor = fs.openSync(file, "a", 0o600);
  } catch (error) {
    unlock();
    throw error;
  }
  const blobPath = (digest: string) => path.join(blobs, digest);
  return {
    account: () => account,
    record: (...events) => {
      const next = events.reduce(applyEvent, account);
      const sealed = events.map(vault.seal);
      append(descriptor, sealed.length === 1 ? (sealed[0] as Event) : sealed);
      account = next;
    },
    storeBlob: (bytes) => {
      const digest = createHash("sha256").update(bytes).digest("hex");
      if (!fs.existsSync(blobPath(digest))) writeAtomically(blobPath(digest), bytes);
      return digest;
    },
    readBlob: (digest) => fs.readFileSync(blobPath(digest)),
    close: () => {
      fs.closeSync(descriptor);
      unlock();
    },
  };
};

/** Appends the whole line or nothing, also on a full disk. */
const append = (descriptor: number, line: object): void => {
  const { size } = fs.fstatSync(descriptor);
  try {
    fs.writeFileSync(descriptor, `${JSON.stringify(line)}\n`);
    fs.fsyncSync(descriptor);
  } catch (error) {
    fs.ftruncateSync(descriptor, size);
    throw error;
  }
};

/** A longer journal is compacted when it is opened. */
const maxLines = 1000;

/** Replaces all lines by one, and removes what only dropped versions used. */
const compact = (file: string, blobs: string, account: Account, vault: Vault): void => {
  const { workers, namespaces, ...rest } = account;
  const snapshot: Event = {
    type: "account",
    workers: [...workers.values()],
    namespaces: [...namespaces.values()],
    ...rest,
  };
  writeAtomically(file, `${JSON.stringify(header)}\n${JSON.stringify(vault.seal(snapshot))}\n`);
  const used = new Set(
    snapshot.workers.flatMap(({ versions }) => versions.flatMap(({ modules }) => modules.map(({ blob }) => blob))),
  );
  for (const name of fs.readdirSync(blobs)) if (!used.has(name)) fs.rmSync(path.join(blobs, name));
  // A new vault knows only the secrets of this account.
  const fresh = openVault(vault.folder);
  fresh.unseal(vault.seal(snapshot));
  fresh.removeUnused();
};

const recoverAccount = (file: string, vault: Vault): { readonly account: Account; readonly lines: number } => {
  if (!fs.existsSync(file)) {
    writeAtomically(file, `${JSON.stringify(header)}\n`);
    return { account: emptyAccount, lines: 0 };
  }
  const text = fs.readFileSync(file, "utf8");
  const completeText = text.slice(0, text.lastIndexOf("\n") + 1);
  const [first = "", ...lines] = completeText.split("\n").slice(0, -1);
  if (first !== JSON.stringify(header))
    throw new Error(
      `${file} is not a journal of this local cloud; give another folder with --state, or remove this one`,
    );
  if (completeText.length < text.length) fs.truncateSync(file, Buffer.byteLength(completeText));
  const account = lines.reduce(
    (before, line, index) =>
      parseEvents(line, file, index + 2)
        .map(vault.unseal)
        .reduce(applyEvent, before),
    emptyAccount,
  );
  return { account, lines: lines.length };
};

const parseEvents = (line: string, file: string, number: number): readonly Event[] => {
  try {
    const events = [JSON.parse(line)].flat() as Event[];
    if (events.every(({ type }) => Object.hasOwn(eventTypes, type))) return events;
    throw new Error("no event of a known type");
  } catch {
    throw new Error(
      `${file}:${number} is damaged, so the records after it cannot be trusted. Remove the folder to start with an empty account`,
    );
  }
};

const eventTypes: Readonly<Record<Event["type"], true>> = {
  version: true,
  deployment: true,
  settings: true,
  delete: true,
  namespace: true,
  "namespace-delete": true,
  "header-rules": true,
  tokens: true,
  "dns-records": true,
  account: true,
};
