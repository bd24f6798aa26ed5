/** Somebody with Node, npm and an empty folder: no settings, no cache and no environment of who runs the tests. */
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { installPackage } from "../install-package.ts";
import { until } from "../until.ts";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly output: () => string;
  readonly stop: () => Promise<void>;
}

export interface Newcomer {
  /** An empty folder, beside the home. */
  readonly folder: string;
  /** Runs a command line to its end. */
  readonly run: (command: string, folder?: string) => Promise<Ended>;
  /** The same, which has to succeed. @returns what it printed */
  readonly succeed: (command: string, folder?: string) => Promise<string>;
  /** Runs a command line until it is stopped. Resolves when its output matches. */
  readonly start: (command: string, ready: RegExp, folder?: string) => Promise<Running>;
}

/** What a system has beside Node. */
const systemPath = "/usr/local/bin:/usr/bin:/bin";
const commandTimeoutMs = 200_000;
const shutdownMs = 10_000;

/** The folder of a Node of this version: the binary alone, as npm has it for each platform. */
export const nodeFolder = (version: string): string =>
  path.join(installPackage(`node-${process.platform}-${process.arch}`, version), "bin");

/** The folder of `npm` and `npx` of a version. */
export const npmFolder = (version: string): string => path.join(installPackage("npm", version), "../.bin");

/** The Node of this repository, and the npm of who runs the tests. */
export const ownTools = (): readonly string[] => [path.join(codeRoot, "node_modules/node/bin"), folderOfNpm()];

const folderOfNpm = (): string =>
  (process.env.PATH ?? "")
    .split(path.delimiter)
    .find((folder) => !folder.includes("node_modules") && fs.existsSync(path.join(folder, "npm"))) ?? "";

/** @param tools folders of `node` and `npm` */
export const newcomer = (parent: string, tools: readonly string[], registry: string): Newcomer => {
  const [home, folder] = [path.join(parent, "home"), path.join(parent, "work")];
  for (const it of [home, folder]) fs.mkdirSync(it, { recursive: true });
  const settings = ["audit=false", "fund=false", "update-notifier=false"];
  fs.writeFileSync(path.join(home, ".npmrc"), [`registry=${registry}`, ...settings, ""].join("\n"));
  const { POSTERN_TEST_RUN } = process.env;
  const env = {
    HOME: home,
    PATH: [...tools, systemPath].join(":"),
    TMPDIR: parent,
    NO_COLOR: "1",
    WRANGLER_SEND_METRICS: "false",
    // By this mark what is left is ended: test/leftovers.
    ...(POSTERN_TEST_RUN !== undefined && { POSTERN_TEST_RUN }),
  };
  const run = (command: string, cwd = folder): Promise<Ended> =>
    new Promise((resolve) => {
      const options = { cwd, env, timeout: commandTimeoutMs, maxBuffer: 16 * 1024 * 1024 };
      const child = execFile("bash", ["-c", command], options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
      );
      child.stdin?.end();
    });
  return {
    folder,
    run,
    succeed: async (command, cwd) => {
      const { code, stdout, stderr } = await run(command, cwd);
      if (code !== 0) throw new Error(`${command} ended with ${code}:\n${stdout}\n${stderr}`);
      return stdout;
    },
    start: async (command, ready, cwd = folder) => {
      const child = spawn("bash", ["-c", command], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (output += part));
      const ended = () => child.exitCode !== null || child.signalCode !== null;
      const stop = async () => {
        if (!ended() && child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
        await until(ended, `${command} ends`, shutdownMs);
      };
      try {
        await until(
          () => ready.test(output) || ended(),
          () => `${command} is ready: ${output}`,
        );
        if (ended()) throw new Error(`${command} ended with ${child.exitCode}: ${output}`);
      } catch (error) {
        await stop();
        throw error;
      }
      return { output: () => output, stop };
    },
  };
};
