/** A command of this project that runs until a test stops it, with all that it starts. */
import { spawn } from "node:child_process";
import { home } from "../../infra/project/generated-files.ts";
import { until } from "../until.ts";

export interface Running {
  /** What it printed until it was ready. */
  readonly said: string;
  readonly stop: () => Promise<void>;
}

/** Far more than a busy machine needs to start. */
const longestStartMs = 120_000;
/** Whoever has not ended by then is killed. */
const longestEndMs = 8_000;

/** Resolves when it says so. Otherwise nothing of it is left. */
export const started = async (command: string, ready: RegExp): Promise<Running> => {
  const child = spawn(command, { shell: true, cwd: home, detached: true, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  const stop = () => stopped(child.pid as number);
  try {
    await new Promise<void>((done, failed) => {
      const fail = (why: string) => failed(new Error(`${command} ${why}: ${said}`));
      const late = setTimeout(() => fail("is not ready"), longestStartMs);
      child.stdout.on("data", (part) => {
        said += part;
        if (!ready.test(said)) return;
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
  return { said, stop };
};

/** Ends a process and all that it started. Its shell ends at once; the cloud behind it still writes down where it is. */
const stopped = async (group: number): Promise<void> => {
  if (!lives(group)) return;
  process.kill(-group, "SIGTERM");
  const late = setTimeout(() => process.kill(-group, "SIGKILL"), longestEndMs);
  await until(() => !lives(group), "the command has ended");
  clearTimeout(late);
};

const lives = (group: number): boolean => {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
};
