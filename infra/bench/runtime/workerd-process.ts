/** Runs workerd without valgrind, for measurements by the clock or by the system. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { workerd } from "./workerd.ts";

export interface RunningWorkerd {
  readonly port: number;
  /** Resident memory in MiB. */
  readonly resident: () => number;
  /** CPU time so far, in milliseconds. */
  readonly cpu: () => number;
  readonly stop: () => void;
}

export const startWorkerd = async (config: string): Promise<RunningWorkerd> => {
  const child = spawn(workerd.default, ["serve", config, "--control-fd=3"], {
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
  const stop = () => {
    process.off("exit", stop);
    child.kill("SIGKILL");
  };
  process.prependListener("exit", stop);
  const port = await new Promise<number>((listening, failed) => {
    createInterface({ input: child.stdio[3] as Readable }).once("line", (line) => listening(JSON.parse(line).port));
    child.once("exit", () => failed(new Error("workerd ended before it listened")));
  });
  const readProc = (file: string): string => fs.readFileSync(`/proc/${child.pid}/${file}`, "utf8");
  return {
    port,
    resident: () => Number(/^VmRSS:\s+(\d+)/m.exec(readProc("status"))?.[1]) / 1024,
    // Fields 14 and 15 of proc(5), in hundredths of a second. The name before them may contain spaces.
    cpu: () => {
      const fields = readProc("stat").split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    stop,
  };
};
