/** `npm run test:reference`: compares control's statistics with those of evidence.py on generated streams; exits with 1 if they differ. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { replay, type Stream } from "./replay.ts";

const number = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It takes a number.");
  return Number(text);
};

const { record, ...options } = new Command("npm run test:reference --")
  .description("Compares the evidence of a rollout with that of an independent implementation in Python.")
  .option("--streams <number>", "how many streams", number, 1000)
  .option("--seed <number>", "the same seed makes the same streams", number, 23)
  .option("--record", "writes a short stream of each situation to streams.jsonl, for npm test")
  .parse()
  .opts();

const inFolder = (name: string): string => path.join(import.meta.dirname, name);
// One of each situation.
const { streams, events } = record ? { streams: 15, events: 4 } : { ...options, events: 300 };

const run = async (): Promise<boolean> => {
  const args = Object.entries({ streams, events, seed: options.seed }).flatMap(([name, it]) => [`--${name}`, `${it}`]);
  const python = spawn("python3", ["-B", inFolder("streams.py"), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<string | number | null>((resolve) => {
    python.once("error", (error) => resolve(error.message));
    python.once("close", resolve);
  });
  const lines: string[] = [];
  const counts = { compared: 0, numbers: 0, ties: 0, different: 0 };
  for await (const line of createInterface({ input: python.stdout })) {
    const stream = JSON.parse(line) as Stream;
    const { numbers, ties, differences } = replay(stream);
    if (record) lines.push(`${line}\n`);
    counts.compared++;
    counts.numbers += numbers;
    counts.ties += ties;
    if (differences.length === 0) continue;
    counts.different++;
    console.log(`stream ${stream.number} (${stream.situation}), ${differences.length} differences:`);
    for (const it of differences.slice(0, 5)) console.log(`  ${it}`);
  }
  const { compared, numbers, ties, different } = counts;
  console.log(
    `${compared} streams, seed ${options.seed}: ${numbers} numbers compared, ${ties} rates with ties left out; ${different} streams differ`,
  );
  const code = await ended;
  if (code !== 0) console.log(`python3 ended with ${code}`);
  if (record) fs.writeFileSync(inFolder("streams.jsonl"), lines.join(""));
  return code === 0 && compared === streams && compared > 0 && different === 0;
};

process.exitCode = (await run()) ? 0 : 1;
