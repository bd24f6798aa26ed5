/** A cloud that is killed at any moment loses nothing that was acknowledged, and gains at most the call in flight. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { machinePids } from "../../infra/cloud/machine/orphans.ts";
import { getWorker, temporaryFolder } from "./in-process-cloud.ts";
import {
  applyCommand,
  type Command,
  comparable,
  type FoundState,
  nextCommand,
  seededRandom,
  type Workers,
} from "./kill-model.ts";

const kills = Number(process.env.POSTERN_KILLS ?? 3);
const seed = Number(process.env.POSTERN_SEED ?? 1);

interface KillableCloud {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly stderr: () => string;
}

const startKillableCloud = (folder: string): KillableCloud => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "killable-cloud.ts"), folder], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.on("error", () => {});
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { process: child, lines, stderr: () => stderr };
};

/** The next message, or undefined where the process has ended. */
const nextMessage = async <T>({ lines }: KillableCloud): Promise<T | undefined> => {
  const { value, done } = await lines.next();
  return done ? undefined : (JSON.parse(value) as T);
};

/** What a client outside knows. */
interface Acknowledged {
  workers: Workers;
  pending?: Command | undefined;
  /** Rows that were added for sure, and one that may have been. */
  readonly rows: Set<number>;
  readonly possibleRows: Set<number>;
  /** Values by key, the last one that is sure first and then what may be there. */
  readonly values: Map<number, string[]>;
  /** Writes that failed though nobody had killed anything. */
  readonly failures: string[];
}

/** Commands one after the other, until the cloud is gone. */
const runCommands = async (killable: KillableCloud, known: Acknowledged, next: () => Command): Promise<void> => {
  for (;;) {
    known.pending = next();
    killable.process.stdin?.write(`${JSON.stringify(known.pending)}\n`);
    if (!(await nextMessage(killable))) return;
    known.workers = applyCommand(known.workers, known.pending);
    known.pending = undefined;
  }
};

/** Writes to an object and to KV, one after the other, until the cloud is gone. */
const runWrites = async (
  edge: string,
  known: Acknowledged,
  nextId: () => number,
  gone: () => boolean,
): Promise<void> => {
  while (!gone()) {
    if (!known.workers.first?.enabled) {
      await new Promise((wake) => setTimeout(wake, 20));
      continue;
    }
    const id = nextId();
    known.possibleRows.add(id);
    const values = known.values.get(id % 7) ?? [];
    known.values.set(id % 7, [...values, String(id)]);
    const attempt = async (what: string): Promise<boolean> => {
      const answer = await getWorker(edge, "first", `/${what}?id=${id}`).catch((error: Error) => error.message);
      const status = typeof answer === "string" ? 0 : answer.status;
      if (status !== 200 && !gone()) known.failures.push(`${what} ${id}: ${JSON.stringify(answer)}`);
      return status === 200;
    };
    const [added, put] = await Promise.all([attempt("add"), attempt("put")]);
    if (added) known.rows.add(id);
    if (put) known.values.set(id % 7, [String(id)]);
    await new Promise((wake) => setTimeout(wake, 5));
  }
};

const parentOf = (pid: number): number =>
  Number(fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[1]);

const check = async (
  { edge, workers, ids }: FoundState,
  known: Acknowledged,
  folder: string,
  pid: number,
): Promise<void> => {
  const allowed = [known.workers, ...(known.pending ? [applyCommand(known.workers, known.pending)] : [])].map(
    comparable,
  );
  expect(allowed).toContainEqual(comparable(workers));
  known.workers = workers;
  known.pending = undefined;
  for (const [name, { live, versions, enabled }] of Object.entries(workers))
    for (const [number] of enabled ? live : []) {
      const version = versions.find((it) => it.number === number);
      const override = { "cloudflare-workers-version-overrides": `${name}="${ids[name]?.[number]}"` };
      const answer = await getWorker(edge, name, "/", override);
      expect(answer).toEqual({ status: 200, body: `${version?.code} ${version?.secret}` });
    }
  if (workers.first?.enabled) {
    const rows = new Set(JSON.parse((await getWorker(edge, "first", "/rows")).body) as number[]);
    expect([...known.rows].filter((id) => !rows.has(id))).toEqual([]);
    expect([...rows].filter((id) => !known.possibleRows.has(id))).toEqual([]);
    const values = JSON.parse((await getWorker(edge, "first", "/values")).body) as (string | null)[];
    for (const [key, possible] of known.values) expect(possible).toContain(values[key]);
    for (const key of known.values.keys()) known.values.set(key, [values[key] ?? ""]);
  }
  // Whatever holds the account's state was started by the process that runs now.
  for (const machine of machinePids(folder)) expect(parentOf(machine)).toBe(pid);
};

test(`${kills} kills, seed ${seed}`, { timeout: 60_000 + kills * 20_000 }, async () => {
  const random = seededRandom(seed);
  const folder = temporaryFolder();
  // Registered after the folder, so that it runs before that goes.
  onTestFinished(() => machinePids(folder).forEach((pid) => void process.kill(pid, "SIGKILL")));
  const known: Acknowledged = {
    workers: {},
    rows: new Set(),
    possibleRows: new Set(),
    values: new Map(),
    failures: [],
  };
  const counts = { atStart: 0, commands: 0, pending: 0, came: 0, starts: [] as number[] };
  let ids = 0;
  for (let round = 0; round <= kills; round++) {
    const began = performance.now();
    const killable = startKillableCloud(folder);
    const exited = once(killable.process, "exit");
    if (round < kills && round > 0 && random() < 0.15) {
      await new Promise((wake) => setTimeout(wake, random() * 1200));
      killable.process.kill("SIGKILL");
      await exited;
      counts.atStart++;
      continue;
    }
    const found = await nextMessage<FoundState>(killable);
    if (!found) throw new Error(`kill ${round}: it does not start again: ${killable.stderr()}`);
    counts.starts.push(performance.now() - began);
    // A lock that a killed process left would be waited for.
    expect(counts.starts.at(-1)).toBeLessThan(20_000);
    const expected = known.pending && comparable(applyCommand(known.workers, known.pending));
    if (known.pending) counts.pending++;
    if (expected && JSON.stringify(expected) === JSON.stringify(comparable(found.workers))) counts.came++;
    await check(found, known, folder, killable.process.pid ?? 0).catch((error: Error) => {
      throw new Error(`after kill ${round} of seed ${seed}: ${error.message}\n${killable.stderr()}`, { cause: error });
    });
    let gone = false;
    let commands = 0;
    const working = Promise.all([
      runCommands(killable, known, () => nextCommand(known.workers, random, `${round}-${commands++}`)),
      runWrites(
        found.edge,
        known,
        () => ++ids,
        () => gone,
      ),
    ]);
    // The last one is not killed: whatever was done to the account, the next commands work.
    const last = round === kills;
    const until = performance.now() + (last ? 0 : random() * 2500);
    while (last ? commands < 4 : performance.now() < until) await new Promise((wake) => setTimeout(wake, 10));
    gone = true;
    killable.process.kill("SIGKILL");
    await Promise.all([working, exited]);
    counts.commands += commands;
    expect(known.failures, killable.stderr()).toEqual([]);
    if (last) expect(commands).toBeGreaterThanOrEqual(4);
    if (kills > 10) process.stderr.write(`\r${round} of ${kills} kills`);
  }
  const starts = counts.starts.toSorted((a, b) => a - b);
  console.log(
    `${kills} kills, ${counts.atStart} of them at start; ${counts.commands} commands; under way at the kill: ${counts.pending}, of which ${counts.came} came to be; ` +
      `${known.rows.size} rows, ${known.possibleRows.size - known.rows.size} more perhaps; a start took ${starts[starts.length >> 1]?.toFixed(0)} ms, at most ${starts.at(-1)?.toFixed(0)}`,
  );
});
