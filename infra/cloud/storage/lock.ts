/** Locks an account's folder, so that one process at a time has it. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { commandOf } from "../../project/port-owner.ts";

/** Another process runs on the folder: a dev loop on its environment's, a cloud on the one that `--state` names. */
class FolderTaken extends Error {
  readonly remedy: string;
  constructor(pid: number, folder: string) {
    const command = commandOf(pid);
    super(`process ${pid} runs a local cloud on ${folder}${command && `: ${command}`}`);
    this.remedy = `stop it (kill ${pid}); another cloud takes another folder (--state), another dev loop another environment (--env)`;
  }
}

/**
 * @returns releases the lock
 * @throws if a running process has it
 */
export const lock = (file: string): (() => void) => {
  const own = `${process.pid} ${processStart(process.pid)}`;
  for (let tries = 0; tries < 3; tries++) {
    if (claim(file, own)) return () => fs.rmSync(file, { force: true });
    const [holder = ""] = readIfThere(file);
    const pid = Number.parseInt(holder, 10);
    // A process with that id that began at another time did not write this lock.
    if (pid > 0 && `${pid} ${processStart(pid)}` === holder) throw new FolderTaken(pid, path.dirname(file));
    removeStale(file, holder);
  }
  throw new Error(`${file} cannot be made; another process tries at the same time`);
};

/** The lock file is complete, and only one process creates it. */
const claim = (file: string, own: string): boolean => {
  const temporary = `${file}.${randomBytes(4).toString("hex")}.new`;
  fs.writeFileSync(temporary, own);
  try {
    fs.linkSync(temporary, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    fs.rmSync(temporary);
  }
};

/** A lock that another process has claimed meanwhile is restored. */
const removeStale = (file: string, stale: string): void => {
  const away = `${file}.${randomBytes(4).toString("hex")}.old`;
  try {
    fs.renameSync(file, away);
    if (fs.readFileSync(away, "utf8") !== stale) fs.linkSync(away, file);
  } catch {
    // It is gone or taken. The next claim decides.
  }
  fs.rmSync(away, { force: true });
};

const readIfThere = (file: string): string[] => {
  try {
    return [fs.readFileSync(file, "utf8")];
  } catch {
    return [];
  }
};

/** The start time of a process as its system reports it. Empty if there is no such process. */
const processStart = (pid: number): string => {
  try {
    if (!fs.existsSync("/proc/self/stat"))
      return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)])
        .toString()
        .trim();
    // The process name may contain blanks and parentheses. The state and the 22nd field stand behind it.
    const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return fields[0] === "Z" ? "" : (fields[19] ?? "");
  } catch {
    return "";
  }
};
