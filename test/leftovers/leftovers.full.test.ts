/** A test run leaves no process and no folder in memory behind: neither one that is interrupted, nor one that is killed, nor one of which a test fails. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { processesWith } from "../../infra/cloud/machine/orphans.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { writeProject } from "../e2e/project.ts";
import { until } from "../until.ts";

const longestMs = 120_000;

it.each(["SIGINT", "SIGTERM", "SIGKILL", "a test that fails"] as const)("%s", async (end) => {
  const ready = path.join(writeProject({}), "ready");
  const mark = randomUUID();
  const signal = end === "a test that fails" ? undefined : end;
  const env = { POSTERN_FIXTURE: mark, POSTERN_FIXTURE_READY: ready, POSTERN_FIXTURE_FAILS: signal ? "" : "1" };
  const vitest = path.join(codeRoot, "node_modules/vitest/vitest.mjs");
  const { TMPDIR: _, ...outer } = process.env;
  const child = spawn(
    process.execPath,
    [vitest, "run", "--config", path.join(import.meta.dirname, "vitest.config.ts")],
    {
      env: { ...outer, ...env },
      stdio: "ignore",
      // A terminal's Ctrl-C is a signal to all of its group.
      detached: true,
    },
  );
  const ended = once(child, "exit");
  const running = () => processesWith(`POSTERN_FIXTURE=${mark}`);
  await until(
    () => fs.existsSync(ready) && fs.readFileSync(ready, "utf8") !== "",
    "the test has started all of it",
    longestMs,
  );
  if (signal) {
    // The run, its worker and its watcher; the cloud's machine, the cases' runtime, and a process in a group of its own.
    expect(running().length).toBeGreaterThanOrEqual(6);
    process.kill(signal === "SIGINT" ? -(child.pid as number) : (child.pid as number), signal);
  }
  const [code] = await ended;
  expect(code).not.toBe(0);
  await until(
    () => running().length === 0,
    () => `nothing of it runs: ${running().map(nameOf).join(", ")}`,
  );
  // Of its own, unless this machine has no memory for it.
  const temporary = fs.readFileSync(ready, "utf8");
  if (path.basename(temporary).startsWith("postern-tests-"))
    await until(() => !fs.existsSync(temporary), `${temporary} is removed`);
});

const nameOf = (pid: number): string => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").slice(0, 200);
  } catch {
    return "";
  }
};
