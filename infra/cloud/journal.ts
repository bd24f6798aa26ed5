/**
 * The account on disk: one line an event, appended and synced before anybody is told that it happened. What a kill cuts off
 * is the last line, which is dropped when the file is read again; so what is found is always the last whole state.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { type Account, applied, type Event, emptyAccount } from "./account.ts";
import { openVault, place, type Vault } from "./vault.ts";

export interface Journal {
  readonly account: () => Account;
  /** On disk when it returns. */
  readonly record: (event: Event) => void;
  /** Keeps bytes under their digest. */
  readonly keep: (bytes: Uint8Array) => string;
  readonly read: (blob: string) => Buffer;
  readonly close: () => void;
}

/** One line an event, and the first one says what the file is. */
const heading = { postern: "local cloud", format: 1 };

/**
 * @param folder its own; made if it is not there
 * @throws where another process has it, or it was written by something else
 */
export const openJournal = (folder: string): Journal => {
  const blobs = path.join(folder, "blobs");
  fs.mkdirSync(blobs, { recursive: true, mode: 0o700 });
  const unlock = lock(path.join(folder, "lock"));
  const file = path.join(folder, "journal.ndjson");
  const vault = openVault(path.join(folder, "secrets"));
  let account = recovered(file, vault);
  const descriptor = fs.openSync(file, "a", 0o600);
  const blobOf = (digest: string) => path.join(blobs, digest);
  return {
    account: () => account,
    record: (event) => {
      const next = applied(account, event);
      append(descriptor, vault.sealed(event));
      account = next;
    },
    keep: (bytes) => {
      const digest = createHash("sha256").update(bytes).digest("hex");
      if (!fs.existsSync(blobOf(digest))) place(blobOf(digest), bytes);
      return digest;
    },
    read: (digest) => fs.readFileSync(blobOf(digest)),
    close: () => {
      fs.closeSync(descriptor);
      unlock();
    },
  };
};

/** All of the line or nothing of it, also on a full disk. */
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

const recovered = (file: string, vault: Vault): Account => {
  if (!fs.existsSync(file)) {
    place(file, `${JSON.stringify(heading)}\n`);
    return emptyAccount;
  }
  const text = fs.readFileSync(file, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const [first = "", ...lines] = whole.split("\n").slice(0, -1);
  if (first !== JSON.stringify(heading))
    throw new Error(`${file} is no journal of this local cloud; give another folder with --state, or remove this one`);
  if (whole.length < text.length) fs.truncateSync(file, Buffer.byteLength(whole));
  return lines.reduce(
    (account, line, index) => applied(account, vault.opened(eventIn(line, file, index + 2))),
    emptyAccount,
  );
};

const eventIn = (line: string, file: string, number: number): Event => {
  try {
    return JSON.parse(line) as Event;
  } catch {
    throw new Error(`${file}:${number} is damaged; what follows it cannot be trusted. Remove the folder to begin anew`);
  }
};

/** Two processes on one folder would each believe that they own it. */
const lock = (file: string): (() => void) => {
  for (let tries = 0; tries < 2; tries++)
    try {
      fs.writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => fs.rmSync(file, { force: true });
    } catch {
      const owner = Number(fs.readFileSync(file, "utf8"));
      if (owner !== process.pid && runs(owner))
        throw new Error(`the process ${owner} runs a local cloud on ${path.dirname(file)}; stop it, or give --state`);
      fs.rmSync(file, { force: true });
    }
  throw new Error(`${file} cannot be made`);
};

const runs = (pid: number): boolean => {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
};
