/** A temporary folder that is removed when the process ends. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export const scratchFolder = (): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-bench-"));
  process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
  return folder;
};
