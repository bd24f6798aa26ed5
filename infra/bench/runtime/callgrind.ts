/** Runs workerd under valgrind's callgrind, and counts the instructions of a piece of work in all threads. */
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
  /** Lines that the Workers logged. */
  readonly lines: readonly string[];
  /** Starts counting. From then on work takes several times as long. */
  readonly instrument: () => Promise<void>;
  /** Instructions since the process began. Needs `fromStart`. */
  readonly sinceStart: () => Promise<number>;
  /**
   * Counts the instructions during `work`.
   * @param onKinds receives them by kind of work
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
 * @param folder for callgrind's files
 * @param config of workerd, with one socket
 * @param fromStart also counts the start, which then takes several times as long
 */
export const startCallgrind = async (folder: string, config: string, fromStart = false): Promise<Instrumented> => {
  const files = { pipes: path.join(folder, "vgdb"), counts: path.join(folder, "counts") };
  const child = spawn("valgrind", commandLine(files, config, fromStart), { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const stop = () => {
    process.off("exit", stop);
    child.kill("SIGKILL");
  };
  // The process ends with the bench, however that ends.
  process.prependListener("exit", stop);

  const [, output, errors, ready] = child.stdio as unknown as readonly [null, Readable, Readable, Readable];
  const lines = collectLines(output);
  const errorLines = collectLines(errors);
  const port = await new Promise<number>((listening, failed) => {
    createInterface({ input: ready }).once("line", (line) => listening(JSON.parse(line).port));
    child.once("error", failed);
    child.once("exit", () => failed(new Error(`workerd ended before it listened:\n${errorLines.join("\n")}`)));
  });

  // `callgrind_control` calls the same program, and hides failures of it.
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
  // V8 generates code at run time.
  "--smc-check=all-non-file",
  // Without instrumentation valgrind is several times as fast. The warm-up uses that.
  `--instr-atstart=${fromStart ? "yes" : "no"}`,
  "--dump-line=no",
  `--callgrind-out-file=${counts}`,
  `--vgdb-prefix=${pipes}`,
  workerd.default,
  "serve",
  config,
  // The runtime reports its port there.
  "--control-fd=3",
];

const collectLines = (input: Readable): readonly string[] => {
  const lines: string[] = [];
  createInterface({ input }).on("line", (line) => lines.push(line));
  return lines;
};

/** Reads a dump and removes it, since dumps are megabytes. */
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
