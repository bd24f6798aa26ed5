/**
 * Before all tests: nothing that they start outlives the run, however it ends. All of it carries the run's mark in its environment, and a
 * process that waits for the end of this one ends what is left then, and removes the run's folder in memory.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import path from "node:path";
import { endWorkerdAlong } from "../../infra/terminal/workerd.ts";
import { folderInMemory } from "./temporary.ts";

export default () => {
  endWorkerdAlong();
  const run = randomUUID();
  const { POSTERN_TEST_RUN: _, ...env } = process.env;
  const folder = folderInMemory(run);
  // Detached, so that Ctrl-C in a terminal is not its signal too. It reads a pipe that ends with this process.
  const watcher = spawn(
    process.execPath,
    [path.join(import.meta.dirname, "watch.ts"), run, ...(folder === undefined ? [] : [folder])],
    {
      detached: true,
      env: { ...env, NODE_NO_WARNINGS: "1" },
      stdio: ["pipe", "ignore", "inherit"],
    },
  );
  watcher.unref();
  process.env.POSTERN_TEST_RUN = run;
  if (folder !== undefined) process.env.TMPDIR = folder;
  return async () => {
    const ended = once(watcher, "exit");
    // Its own workers are about to end; what they started is over.
    watcher.stdin.end(String(process.pid));
    await ended;
  };
};
