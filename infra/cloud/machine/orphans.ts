/**
 * Machines that a killed cloud left behind: workerd does not end with who started it, and would go on holding the objects'
 * storage and firing their alarms. Each carries its account's folder in its environment, by which the next cloud finds it.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";

const accountVariable = "POSTERN_CLOUD";
const machineVariable = "POSTERN_MACHINE";
const maxWaitMs = 5000;

/** What a machine carries. */
export const machineEnvironment = (folder: string, id: string): Readonly<Record<string, string>> => ({
  [accountVariable]: fs.realpathSync(folder),
  [machineVariable]: id,
});

/** Ends them. Only who has the account's lock may call this: whatever runs on the folder is then nobody's. */
export const killOrphans = async (folder: string): Promise<number> => {
  const found = machinePids(folder);
  found.forEach(kill);
  for (const until = Date.now() + maxWaitMs; machinePids(folder).length > 0; ) {
    if (Date.now() > until) throw new Error(`machines of before hold ${folder}: ${machinePids(folder).join(", ")}`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
  return found.length;
};

/** Ends one that does not end by itself. */
export const killMachine = (folder: string, id: string): void => {
  for (const pid of processesWith(`${accountVariable}=${fs.realpathSync(folder)}`, `${machineVariable}=${id}`))
    kill(pid);
};

/** Processes that run machines of this account. */
export const machinePids = (folder: string): number[] => processesWith(`${accountVariable}=${fs.realpathSync(folder)}`);

const kill = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
};

/** Processes that have all of these in their environment: `NAME=value`. */
export const processesWith = (...marks: readonly string[]): number[] =>
  fs.existsSync("/proc/self/environ") ? findByProc(marks) : findByPs(marks);

const findByProc = (marks: readonly string[]): number[] =>
  fs.readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const entries = fs.readFileSync(`/proc/${name}/environ`, "utf8").split("\0");
      return marks.every((it) => entries.includes(it)) ? [Number(name)] : [];
    } catch {
      // Another user's, or it ended while the list was read.
      return [];
    }
  });

const findByPs = (marks: readonly string[]): number[] =>
  execFileSync("ps", ["-axEww", "-o", "pid=,command="], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })
    .split("\n")
    .filter((line) => marks.every((it) => `${line} `.includes(` ${it} `)))
    .map((line) => Number.parseInt(line, 10));
