/** Waits until the test run has ended, by itself or not, ends what it left behind, and removes its folder in memory. */
import fs from "node:fs";
import { text } from "node:stream/consumers";
import { processesWith } from "../../infra/cloud/machine/orphans.ts";

const [, , run, folder] = process.argv;

/** Some start others meanwhile. */
const rounds = 20;

/** The process that ends in order, whose own workers are left to it; empty where it was killed. */
const orderly = await text(process.stdin);

const isWorkerOf = (pid: number, parent: string): boolean => {
  try {
    return parent !== "" && fs.readFileSync(`/proc/${pid}/status`, "utf8").includes(`PPid:\t${parent}\n`);
  } catch {
    return false;
  }
};

for (let round = 0; round < rounds; round++) {
  const left = processesWith(`POSTERN_TEST_RUN=${run}`).filter((pid) => !isWorkerOf(pid, orderly));
  if (left.length === 0) break;
  for (const pid of left)
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  await new Promise((wake) => setTimeout(wake, 50));
}

if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
