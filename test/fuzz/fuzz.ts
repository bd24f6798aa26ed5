#!/usr/bin/env node
/** `npm run fuzz`: odd inputs for all that takes any, for as long as it is given, and the smallest of those that are not taken well. */
import { randomInt } from "node:crypto";
import { Worker } from "node:worker_threads";
import { Command, CommanderError, InvalidArgumentError } from "@commander-js/extra-typings";
import { startGateway } from "./gateway.ts";
import type { Found } from "./search.ts";
import { targets } from "./targets.ts";
import type { FromWorker, Task } from "./worker.ts";

const number = (text: string): number => {
  if (!/^\d{1,9}(?:\.\d{1,3})?$/.test(text)) throw new InvalidArgumentError("It takes a number.");
  return Number(text);
};
const names = targets.map(({ name }) => name);
const listed = (text: string): string[] => {
  const unknown = text.split(",").filter((it) => !names.includes(it));
  if (unknown.length > 0) throw new InvalidArgumentError(`There is no ${unknown}; there are ${names.join(", ")}.`);
  return text.split(",");
};

const program = new Command("npm run fuzz --")
  .description(
    "Sends odd inputs to all that takes any; exits with 1 where one makes a 5xx, a crash, or takes too long.",
  )
  .option("--seconds <number>", "how long in all", number, 20)
  .option("--minutes <number>", "the same in minutes", number)
  .option("--seed <number>", "the same seed makes the same inputs; by default a random one", number)
  .option("--only <names>", `some of ${names.join(",")}`, listed)
  .option(
    "--path <path>",
    "one input again: with the seed and the target that were printed beside it, by the commit that printed them",
  )
  .showHelpAfterError("(--help shows the usage)")
  .exitOverride();

/** A slice is so long at least: a target that has less of it makes hardly any inputs. */
const sliceMs = 60_000;
/** One input is over within this, on a slow machine too. A speed test is what this is not. */
const stuckMs = 60_000;

const printLine = (line: string): void => void process.stdout.write(`${line}\n`);

const main = async (options: ReturnType<typeof program.opts>): Promise<number> => {
  const { seed = randomInt(2 ** 31), path } = options;
  const chosen = targets.filter(({ name }) => options.only?.includes(name) ?? true);
  if (path !== undefined && chosen.length !== 1) program.error("--path is of one target: name it with --only");
  const totalMs = (options.minutes === undefined ? options.seconds : options.minutes * 60) * 1000;
  const rounds = path === undefined ? Math.max(1, Math.round(totalMs / chosen.length / sliceMs)) : 1;
  const ms = totalMs / chosen.length / rounds;
  printLine(`seed ${seed}; ${chosen.length} targets, ${rounds} rounds of ${Math.round(ms / 100) / 10} s each`);
  const gateway = chosen.some(({ needs: meets }) => meets === "gateway") ? await startGateway() : undefined;
  const finds = new Map<string, Found>();
  const inputs = new Map<string, number>();
  try {
    for (let round = 0; round < rounds; round++)
      for (const { name } of chosen) {
        const task: Task = { name, seed: seed + round, ms, path, gateway: gateway?.address ?? { port: 0, keys: [] } };
        const { inputs: count, found } = await runSlice(task);
        inputs.set(name, (inputs.get(name) ?? 0) + count);
        const faults = gateway?.faults() ?? [];
        const one = found ?? (faults[0] === undefined ? undefined : gatewayFault(task, faults));
        printLine(`${one ? "FOUND" : "ok   "} ${name.padEnd(14)} ${count} inputs, seed ${task.seed}`);
        const key = `${name} ${one?.why.split("\n")[0]?.slice(0, 60)}`;
        if (!one || finds.has(key)) continue;
        finds.set(key, one);
        printLine(formatFind(name, one));
      }
  } finally {
    await gateway?.stop();
  }
  printLine(`\n${[...inputs].map(([name, count]) => `${name} ${count}`).join(", ")}`);
  printLine(`${[...inputs.values()].reduce((a, b) => a + b, 0)} inputs, ${finds.size} finds; first seed ${seed}`);
  return finds.size > 0 ? 1 : 0;
};

const formatFind = (name: string, { seed, path, input, why }: Found): string =>
  [
    `  ${input.slice(0, 4000)}`,
    ...why
      .split("\n")
      .slice(0, 12)
      .map((line) => `  ${line}`),
    `  again: npm run fuzz -- --only ${name} --seed ${seed}${path === "" ? "" : ` --path ${path}`}`,
  ].join("\n");

/** What no answer shows: a fault that a gate wrote down, a machine that ended. */
const gatewayFault = ({ seed }: Task, faults: readonly string[]): Found => ({
  seed,
  path: "",
  input: "some input of this run",
  why: `the gateway logged: ${faults.slice(0, 5).join("\n")}`,
});

/** Each slice has a thread of its own: one that is stuck or dead is ended, and the input that it had is known. */
const runSlice = (task: Task): Promise<{ readonly inputs: number; readonly found: Found | undefined }> =>
  new Promise((resolve) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: task });
    let last = "none";
    let inputs = 0;
    let timer: NodeJS.Timeout;
    const end = (found: Found | undefined) => {
      clearTimeout(timer);
      void worker.terminate();
      resolve({ inputs, found });
    };
    const broken = (why: string) => end({ seed: task.seed, path: task.path ?? "", input: last, why });
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => broken(`no end of this input within ${stuckMs / 1000} s`), stuckMs);
    };
    wait();
    worker.on("message", (it: FromWorker) => {
      if ("input" in it) {
        last = it.input;
        inputs++;
        return wait();
      }
      inputs = Math.max(inputs, it.done.inputs);
      return end(it.done.found);
    });
    worker.on("error", (error) => broken(`it crashed: ${error.stack ?? error}`));
    worker.on("exit", (code) => broken(`the thread ended by itself with ${code}`));
  });

try {
  process.exitCode = await main(program.parse().opts());
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
