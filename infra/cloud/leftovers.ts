/** Removes what a cloud that was killed, or classes that were deleted, left in the account's folder. */
import fs from "node:fs";
import path from "node:path";
import type { Account } from "./account/account.ts";
import { killOrphans } from "./machine/orphans.ts";

/** Miniflare's own lock, in each folder that it keeps. */
const startupLock = ".miniflare-startup.lock";

/** Only the holder of the account's lock may call this. */
export const removeLeftovers = async (
  folder: string,
  account: Account,
  report: (line: string) => void,
): Promise<void> => {
  const orphans = await killOrphans(folder);
  if (orphans > 0) report(`${orphans} machines of a cloud that was killed have been ended`);
  // The registry of ended processes leads nowhere, and Miniflare would wait half a minute for each lock.
  for (const leftover of ["registry", `shared/${startupLock}`, `objects/${startupLock}`])
    fs.rmSync(path.join(folder, leftover), { recursive: true, force: true });
  removeUnusedObjects(path.join(folder, "objects/do"), account);
};

/** Removes the storage of classes that were deleted, alone or with their Worker. */
const removeUnusedObjects = (folder: string, { workers }: Account): void => {
  const used = new Set([...workers.values()].flatMap(({ classes }) => classes.map(({ id }) => id)));
  for (const id of fs.existsSync(folder) ? fs.readdirSync(folder) : [])
    if (!used.has(id)) fs.rmSync(path.join(folder, id), { recursive: true });
};
