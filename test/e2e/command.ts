/** Runs a command of this project until a test stops it, with all its processes. */
import { spawn } from "node:child_process";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { until } from "../until.ts";

export interface RunningCommand {
  /** What it printed until it was ready. */
  readonly output: string;
  readonly stop: () => Promise<void>;
}

/** Far more than a busy computer needs to start. */
const maxStartMs = 120_000;
/** A command that has not ended by then is killed. */
const maxShutdownMs = 8_000;

/** Resolves when the output matches. Otherwise nothing of it is left. */
export const startCommand = async (command: string, ready: RegExp, cwd = codeRoot): Promise<RunningCommand> => {
  const child = spawn(command, { shell: true, cwd, detached: true, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  const stop = () => stopCommand(child.pid as number);
  try {
    await new Promise<void>((done, failed) => {
      const fail = (why: string) => failed(new Error(`${command} ${why}: ${output}`));
      const late = setTimeout(() => fail("is not ready"), maxStartMs);
      child.stdout.on("data", (part) => {
        output += part;
        if (!ready.test(output)) return;
        clearTimeout(late);
        done();
      });
      child.once("exit", () => {
        clearTimeout(late);
        fail("ended");
      });
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { output, stop };
};

/** Ends a process and all that it started. Its shell ends at once; the cloud behind it still writes down where it is. */
const stopCommand = async (group: number): Promise<void> => {
  if (!isRunning(group)) return;
  process.kill(-group, "SIGTERM");
  const late = setTimeout(() => process.kill(-group, "SIGKILL"), maxShutdownMs);
  await until(() => !isRunning(group), "the command has ended");
  clearTimeout(late);
};

const isRunning = (group: number): boolean => {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
};
