#!/usr/bin/env node
/** `npm run sim:rollout`: checks the statistical guarantees of rollouts over thousands of simulated rollouts. */
import { Command, CommanderError, InvalidArgumentError } from "@commander-js/extra-typings";
import { simulationReport } from "./report.ts";
import { release } from "./rollout.ts";
import { scenarios } from "./scenarios.ts";
import { simulate } from "./simulate.ts";
import { intervalSeconds } from "./traffic.ts";
import { simulateWorld, worldReport, worlds } from "./worlds.ts";

const whole = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number of at least 1.");
  return Number(text);
};

const program = new Command("npm run sim:rollout --")
  .description("Simulates rollouts with control's own reducer and verdict; exits with 1 if a bound is missed.")
  .option("--runs <number>", "rollouts of each scenario or world", whole, 500)
  .option("--seed <number>", "the same seed gives the same simulation", whole, 1)
  .option(
    "--worlds",
    "worlds with attackers, dependent users and incidents instead: says where the verdict falls short",
  )
  .option("--only <text>", "only the scenarios or worlds with this in their name")
  .option("--json", "machine-readable output")
  .showHelpAfterError("(--help shows the options)")
  .exitOverride();

type Options = ReturnType<typeof program.opts>;

/** Simulates what `--only` chooses, and shows how far it is. */
const simulated = <Item extends { readonly name: string }, Result>(
  items: readonly Item[],
  { runs, seed, only = "" }: Options,
  simulateOne: (item: Item, runs: number, seed: number, onProgress: (done: number) => void) => Result,
) => {
  const chosen = items.filter(({ name }) => name.includes(only));
  if (chosen.length === 0) program.error(`nothing simulated has "${only}" in its name`);
  const started = performance.now();
  const all = chosen.map((item, index) =>
    simulateOne(item, runs, seed, (done) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\r${index + 1}/${chosen.length} ${item.name}: ${done} of ${runs}\x1b[K`);
    }),
  );
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const seconds = Math.round((performance.now() - started) / 1000);
  return {
    all,
    figures: { runs, seed, steps: release.steps, bake: release.bake, lookSeconds: intervalSeconds, seconds },
    setting: `${runs} rollouts each, seed ${seed}; steps ${release.steps.join(" ")}, bake ${release.bake}, evaluated every ${intervalSeconds} s, given up after an hour without evidence; ${seconds} s of computing`,
  };
};

const print = (json: true | undefined, figures: object, text: string): void =>
  void process.stdout.write(json ? `${JSON.stringify(figures, null, 2)}\n` : `${text}\n`);

const runScenarios = (options: Options): void => {
  const { all, figures, setting } = simulated(scenarios, options, simulate);
  const missed = all.flatMap((it) => it.missed);
  const text = [`${simulationReport(all)}\n`, setting, ...missed.map((it) => `missed: ${it}`)].join("\n");
  print(options.json, { ...figures, missed, scenarios: all }, text);
  process.exitCode = missed.length > 0 ? 1 : 0;
};

/** What is missed in a world is known to be open: it is no failure of this command. */
const runWorlds = (options: Options): void => {
  const { all, figures, setting } = simulated(worlds, options, simulateWorld);
  const missed = all.filter((it) => it.missed).map(({ name }) => name);
  print(options.json, { ...figures, missed, worlds: all }, `${worldReport(all)}\n\n${setting}`);
};

try {
  const options = program.parse().opts();
  if (options.worlds) runWorlds(options);
  else runScenarios(options);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
