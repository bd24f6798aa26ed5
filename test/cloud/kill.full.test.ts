/** Whenever a cloud is killed, the next one on its folder has all that was acknowledged, and at most the call under way beside. */
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

interface Victim {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly told: () => string;
}

const startVictim = (folder: string): Victim => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "victim.ts"), folder], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.on("error", () => {});
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    told += text;
  });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { process: child, lines, told: () => told };
};

/** Its next line, or undefined where it has ended. */
const heard = async <T>({ lines }: Victim): Promise<T | undefined> => {
  const { value, done } = await lines.next();
  return done ? undefined : (JSON.parse(value) as T);
};

/** What somebody outside was told. */
interface Acknowledged {
  workers: Workers;
  pending?: Command | undefined;
  /** Rows that were added for sure, and one that may have been. */
  readonly rows: Set<number>;
  readonly perhaps: Set<number>;
  /** Values by key, the last one that is sure first and then what may be there. */
  readonly values: Map<number, string[]>;
  /** Writes that failed though nobody had killed anything. */
  readonly failures: string[];
}

/** Commands one after the other, until the cloud is gone. */
const command = async (victim: Victim, known: Acknowledged, next: () => Command): Promise<void> => {
  for (;;) {
    known.pending = next();
    victim.process.stdin?.write(`${JSON.stringify(known.pending)}\n`);
    if (!(await heard(victim))) return;
    known.workers = applyCommand(known.workers, known.pending);
    known.pending = undefined;
  }
};

/** Writes to an object and to KV, one after the other, until the cloud is gone. */
const write = async (edge: string, known: Acknowledged, nextId: () => number, gone: () => boolean): Promise<void> => {
  while (!gone()) {
    if (!known.workers.first?.enabled) {
      await new Promise((wake) => setTimeout(wake, 20));
      continue;
    }
    const id = nextId();
    known.perhaps.add(id);
    const values = known.values.get(id % 7) ?? [];
    known.values.set(id % 7, [...values, String(id)]);
    const made = async (what: string): Promise<boolean> => {
      const answer = await getWorker(edge, "first", `/${what}?id=${id}`).catch((error: Error) => error.message);
      const status = typeof answer === "string" ? 0 : answer.status;
      if (status !== 200 && !gone()) known.failures.push(`${what} ${id}: ${JSON.stringify(answer)}`);
      return status === 200;
    };
    const [added, put] = await Promise.all([made("add"), made("put")]);
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
    expect([...rows].filter((id) => !known.perhaps.has(id))).toEqual([]);
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
  const known: Acknowledged = { workers: {}, rows: new Set(), perhaps: new Set(), values: new Map(), failures: [] };
  const counts = { atStart: 0, commands: 0, pending: 0, came: 0, starts: [] as number[] };
  let ids = 0;
  for (let round = 0; round <= kills; round++) {
    const began = performance.now();
    const victim = startVictim(folder);
    const exited = once(victim.process, "exit");
    if (round < kills && round > 0 && random() < 0.15) {
      await new Promise((wake) => setTimeout(wake, random() * 1200));
      victim.process.kill("SIGKILL");
      await exited;
      counts.atStart++;
      continue;
    }
    const found = await heard<FoundState>(victim);
    if (!found) throw new Error(`kill ${round}: it does not start again: ${victim.told()}`);
    counts.starts.push(performance.now() - began);
    // A lock that a killed process left would be waited for.
    expect(counts.starts.at(-1)).toBeLessThan(20_000);
    const expected = known.pending && comparable(applyCommand(known.workers, known.pending));
    if (known.pending) counts.pending++;
    if (expected && JSON.stringify(expected) === JSON.stringify(comparable(found.workers))) counts.came++;
    await check(found, known, folder, victim.process.pid ?? 0).catch((error: Error) => {
      throw new Error(`after kill ${round} of seed ${seed}: ${error.message}\n${victim.told()}`, { cause: error });
    });
    let gone = false;
    let commands = 0;
    const working = Promise.all([
      command(victim, known, () => nextCommand(known.workers, random, `${round}-${commands++}`)),
      write(
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
    victim.process.kill("SIGKILL");
    await Promise.all([working, exited]);
    counts.commands += commands;
    expect(known.failures, victim.told()).toEqual([]);
    if (last) expect(commands).toBeGreaterThanOrEqual(4);
    if (kills > 10) process.stderr.write(`\r${round} of ${kills} kills`);
  }
  const starts = counts.starts.toSorted((a, b) => a - b);
  console.log(
    `${kills} kills, ${counts.atStart} of them at start; ${counts.commands} commands; under way at the kill: ${counts.pending}, of which ${counts.came} came to be; ` +
      `${known.rows.size} rows, ${known.perhaps.size - known.rows.size} more perhaps; a start took ${starts[starts.length >> 1]?.toFixed(0)} ms, at most ${starts.at(-1)?.toFixed(0)}`,
  );
});
