/** Runs workerd under valgrind's callgrind and counts the instructions of a piece of work, all threads together. */
import { execFile, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { type Kind, kindsIn } from "./symbols.ts";
import { workerd } from "./workerd.ts";

export interface Instrumented {
  readonly port: number;
  /** What the Workers wrote. */
  readonly lines: readonly string[];
  /** From here on work can be counted, and takes several times as long. */
  readonly instrument: () => Promise<void>;
  /** Instructions since the process began, where all of it was counted. */
  readonly sinceStart: () => Promise<number>;
  /**
   * Instructions that were executed while `work` was done.
   * @param onKinds is told of them by kind of work
   */
  readonly count: (work: () => Promise<void>, onKinds?: (kinds: ReadonlyMap<Kind, number>) => void) => Promise<number>;
  readonly stop: () => void;
}

/** @throws where valgrind is not installed */
export const requireValgrind = (): void => {
  if (spawnSync("valgrind", ["--version"]).error)
    throw new Error("valgrind counts the instructions, and it is not installed: apt-get install valgrind");
};

/**
 * @param folder to write to
 * @param config of workerd, with one socket
 * @param fromStart counts the start too, which then takes several times as long
 */
export const startCallgrind = async (folder: string, config: string, fromStart = false): Promise<Instrumented> => {
  const files = { pipes: path.join(folder, "vgdb"), counts: path.join(folder, "counts") };
  const child = spawn("valgrind", commandLine(files, config, fromStart), { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const stop = () => {
    process.off("exit", stop);
    child.kill("SIGKILL");
  };
  // However the bench ends, no process of it stays behind.
  process.prependListener("exit", stop);

  const [, output, errors, ready] = child.stdio as unknown as readonly [null, Readable, Readable, Readable];
  const lines = collectLines(output);
  const errorLines = collectLines(errors);
  const port = await new Promise<number>((listening, failed) => {
    createInterface({ input: ready }).once("line", (line) => listening(JSON.parse(line).port));
    child.once("error", failed);
    child.once("exit", () => failed(new Error(`workerd ended before it listened:\n${errorLines.join("\n")}`)));
  });

  // What `callgrind_control` calls, which itself tells no failure by its exit code.
  const control = (...command: string[]) =>
    run("vgdb", [`--vgdb-prefix=${files.pipes}`, `--pid=${child.pid}`, ...command], { timeout: 60_000 });
  let dumps = 0;
  const takeDump = async (onKinds?: (kinds: ReadonlyMap<Kind, number>) => void): Promise<number> => {
    await control("dump");
    dumps += 1;
    const dump = readDump(`${files.counts}.${dumps}`);
    onKinds?.(kindsIn(dump));
    return totalOf(dump);
  };
  return {
    port,
    lines,
    instrument: async () => {
      await control("instrumentation", "on");
    },
    sinceStart: () => takeDump(),
    count: async (work, onKinds) => {
      await control("zero");
      await work();
      return takeDump(onKinds);
    },
    stop,
  };
};

const commandLine = (
  { pipes, counts }: Readonly<Record<"pipes" | "counts", string>>,
  config: string,
  fromStart: boolean,
): string[] => [
  "--tool=callgrind",
  // V8 writes code while it runs.
  "--smc-check=all-non-file",
  // Without its instruments valgrind is several times as fast, which the warm-up uses.
  `--instr-atstart=${fromStart ? "yes" : "no"}`,
  "--dump-line=no",
  `--callgrind-out-file=${counts}`,
  `--vgdb-prefix=${pipes}`,
  workerd.default,
  "serve",
  config,
  // The runtime tells there which port it has taken.
  "--control-fd=3",
];

const collectLines = (input: Readable): readonly string[] => {
  const lines: string[] = [];
  createInterface({ input }).on("line", (line) => lines.push(line));
  return lines;
};

/** Reads one of callgrind's dumps, and removes it: they are megabytes. */
const readDump = (file: string): string => {
  const dump = fs.readFileSync(file, "utf8");
  fs.rmSync(file);
  return dump;
};

const totalOf = (dump: string): number => {
  const [, total] = /^(?:summary|totals): (\d+)/m.exec(dump) ?? [];
  if (total === undefined) throw new Error("callgrind wrote no total");
  return Number(total);
};

const run = promisify(execFile);
