/**
 * Where a run's tests write: in memory where Linux has enough of it and lets programs start there (hooks of git do). Tests write and
 * remove thousands of small files; a disk's journal takes twenty times as long for them.
 */
import fs from "node:fs";
import path from "node:path";

const memory = "/dev/shm";
const leastFreeBytes = 4 * 2 ** 30;

/** @returns a new folder for this run, or undefined where the system's own is to be used */
export const folderInMemory = (run: string): string | undefined => {
  if (process.env.TMPDIR !== undefined) return undefined;
  try {
    const { bavail, bsize } = fs.statfsSync(memory);
    if (bavail * bsize < leastFreeBytes) return undefined;
    const folder = path.join(memory, `postern-tests-${run}`);
    fs.mkdirSync(folder);
    const program = path.join(folder, "program");
    fs.writeFileSync(program, "", { mode: 0o700 });
    try {
      fs.accessSync(program, fs.constants.X_OK);
      return folder;
    } catch {
      fs.rmSync(folder, { recursive: true });
      return undefined;
    }
  } catch {
    return undefined;
  }
};
