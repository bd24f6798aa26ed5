/**
 * Finds and ends machines that a killed cloud left behind. workerd outlives the process that started it, and would keep the
 * objects' storage and fire their alarms. Each machine has its account's folder in its environment, by which the next cloud
 * finds it.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";

const accountVariable = "POSTERN_CLOUD";
const machineVariable = "POSTERN_MACHINE";
const maxWaitMs = 5000;

/** The environment variables that identify a machine. */
export const machineEnvironment = (folder: string, id: string): Readonly<Record<string, string>> => ({
  [accountVariable]: fs.realpathSync(folder),
  [machineVariable]: id,
});

/** Ends all machines of the account. Only the holder of the account's lock may call this. */
export const killOrphans = async (folder: string): Promise<number> => {
  const found = machinePids(folder);
  found.forEach(kill);
  for (const until = Date.now() + maxWaitMs; machinePids(folder).length > 0; ) {
    if (Date.now() > until) throw new Error(`machines of before hold ${folder}: ${machinePids(folder).join(", ")}`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
  return found.length;
};

/** Ends a machine that does not end by itself. */
export const killMachine = (folder: string, id: string): void => {
  for (const pid of processesWith(`${accountVariable}=${fs.realpathSync(folder)}`, `${machineVariable}=${id}`))
    kill(pid);
};

/** Ids of the processes that run machines of this account. */
export const machinePids = (folder: string): number[] => processesWith(`${accountVariable}=${fs.realpathSync(folder)}`);

const kill = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended meanwhile.
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
      // The process is another user's, or it has ended meanwhile.
      return [];
    }
  });

const findByPs = (marks: readonly string[]): number[] =>
  execFileSync("ps", ["-axEww", "-o", "pid=,command="], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })
    .split("\n")
    .filter((line) => marks.every((it) => `${line} `.includes(` ${it} `)))
    .map((line) => Number.parseInt(line, 10));
