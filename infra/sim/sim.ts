#!/usr/bin/env node
/** `npm run sim:rollout`: checks the statistical guarantees of rollouts over thousands of simulated rollouts. */
import { Command, CommanderError, InvalidArgumentError } from "@commander-js/extra-typings";
import { calibrationReport, calibrationRows, isUnfair } from "./calibration.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { frontierReport, frontiers, writeFrontiers } from "./frontier.ts";
import { matrix, matrixReport } from "./matrix.ts";
import { scenarioReport, worldReport } from "./report.ts";
import { release } from "./rollout.ts";
import { simulateAll } from "./simulate.ts";
import { intervalSeconds } from "./traffic/conditions.ts";
import { scenarios } from "./worlds/scenarios.ts";
import type { World } from "./worlds/world.ts";
import { worlds } from "./worlds/worlds.ts";

const whole = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number of at least 1.");
  return Number(text);
};

const program = new Command("npm run sim:rollout --")
  .description("Simulates rollouts with control's own reducer and verdict; exits with 1 if a bound is missed.")
  .option("--runs <number>", "rollouts of each scenario, world or cell", whole, 100)
  .option("--seed <number>", "the same seed gives the same simulation", whole, 1)
  .option("--jobs <number>", "threads", whole, 1)
  .option(
    "--worlds",
    "worlds with attackers, dependent users and incidents instead: says where the verdict falls short",
  )
  .option("--matrix", "requests/s by clients, first share and harm instead")
  .option("--frontier", "sizes of harm by harmed clients instead; draws docs/pictures/rollout-frontier-*.svg")
  .option("--calibration", "the mean wealth of each bet in the worlds without harm instead")
  .option("--only <text>", "only what has this in its name")
  .option("--json", "machine-readable output")
  .showHelpAfterError("(--help shows the options)")
  .exitOverride();

type Options = ReturnType<typeof program.opts>;

/** Simulates what `--only` chooses, and shows how far it is. */
const simulated = async <Item extends World>(
  items: readonly Item[],
  { runs, seed, jobs, only = "" }: Options,
  calibrate = false,
) => {
  const chosen = items.filter(({ name }) => name.includes(only));
  if (chosen.length === 0) program.error(`nothing simulated has "${only}" in its name`);
  const started = performance.now();
  const onProgress = ({ name }: World, done: number, all: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done}/${all} ${name}\x1b[K`);
  };
  const chunks = await simulateAll(chosen, { runs, seed, jobs, calibrate, onProgress });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const seconds = Math.round((performance.now() - started) / 1000);
  return {
    chosen,
    chunks,
    all: chosen.map((it, index) => figuresOf(it, chunks[index] ?? [])),
    settings: { runs, seed, steps: release.steps, bake: release.bake, evaluatedEverySeconds: intervalSeconds, seconds },
    note: `${runs} rollouts each, seed ${seed}; steps ${release.steps.join(" ")} where nothing else is said, bake ${release.bake}, evaluated every ${intervalSeconds} s, given up after an hour without evidence; ${seconds} s of computing`,
  };
};

const print = (json: true | undefined, figures: object, text: string): void =>
  void process.stdout.write(json ? `${JSON.stringify(figures, null, 2)}\n` : `${text}\n`);

const missedIn = (all: readonly Figures[]): string[] =>
  all.flatMap(({ missed }) => missed.map((it) => `missed: ${it}`));

const runScenarios = async (options: Options): Promise<void> => {
  const { all, settings, note } = await simulated(scenarios, options);
  const missed = missedIn(all);
  print(options.json, { ...settings, missed, scenarios: all }, [scenarioReport(all), "", note, ...missed].join("\n"));
  process.exitCode = missed.length > 0 ? 1 : 0;
};

/** What is missed in a world or a cell is known to be open: it is no failure of this command. */
const runWorlds = async (options: Options): Promise<void> => {
  const { all, settings, note } = await simulated(worlds, options);
  const missed = missedIn(all);
  print(options.json, { ...settings, missed, worlds: all }, [worldReport(all), "", note, ...missed].join("\n"));
};

const runMatrix = async (options: Options): Promise<void> => {
  const { all, chosen, settings, note } = await simulated(matrix, options);
  const missed = missedIn(all);
  const text = [matrixReport(chosen, all), "", note, ...missed].join("\n");
  print(options.json, { ...settings, missed, matrix: all }, text);
};

const runFrontier = async (options: Options): Promise<void> => {
  const { all, chosen, settings, note } = await simulated(
    frontiers.flatMap(({ cells }) => cells),
    options,
  );
  const ends = new Map(chosen.map(({ name }, index) => [name, all[index]?.ends]));
  const files = writeFrontiers(frontiers, ends);
  const text = [...frontiers.map((it) => frontierReport(it, ends)), note, ...files.map((it) => `drew ${it}`)];
  print(options.json, { ...settings, frontier: all }, text.join("\n\n"));
};

/** Whether the version changes nothing, and every client's version is drawn by chance and unknown. */
const isNull = ({ parts }: World): boolean =>
  parts.every(({ canary, of }) => !canary && !of?.first && !of?.attack?.known);

const runCalibration = async (options: Options): Promise<void> => {
  const { chosen, chunks, settings, note } = await simulated(worlds.filter(isNull), options, true);
  const rows = chosen.flatMap(({ name }, index) =>
    calibrationRows(
      name,
      (chunks[index] ?? []).flatMap((it) => it.calibrations),
    ),
  );
  const unfair = rows.filter((it) => isUnfair(it, rows.length));
  print(options.json, { ...settings, bets: rows, unfair }, [calibrationReport(rows), "", note].join("\n"));
  process.exitCode = unfair.length > 0 ? 1 : 0;
};

try {
  const options = program.parse().opts();
  if (options.worlds) await runWorlds(options);
  else if (options.matrix) await runMatrix(options);
  else if (options.frontier) await runFrontier(options);
  else if (options.calibration) await runCalibration(options);
  else await runScenarios(options);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
