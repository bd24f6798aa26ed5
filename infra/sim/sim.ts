#!/usr/bin/env node
/** `npm run sim:rollout`: checks the statistical guarantees of rollouts over thousands of simulated rollouts. */
import { Command, CommanderError, InvalidArgumentError } from "@commander-js/extra-typings";
import { simulationReport } from "./report.ts";
import { release } from "./rollout.ts";
import { scenarios } from "./scenarios.ts";
import { simulate } from "./simulate.ts";
import { intervalSeconds } from "./traffic.ts";

const whole = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number of at least 1.");
  return Number(text);
};

const program = new Command("npm run sim:rollout --")
  .description("Simulates rollouts with control's own reducer and verdict; exits with 1 if a bound is missed.")
  .option("--runs <number>", "rollouts of each scenario", whole, 500)
  .option("--seed <number>", "the same seed gives the same simulation", whole, 1)
  .option("--only <text>", "only the scenarios with this in their name")
  .option("--json", "machine-readable output")
  .showHelpAfterError("(--help shows the options)")
  .exitOverride();

const main = ({ runs, seed, only = "", json }: ReturnType<typeof program.opts>): void => {
  const chosen = scenarios.filter(({ name }) => name.includes(only));
  if (chosen.length === 0) program.error(`no scenario has "${only}" in its name`);
  const started = performance.now();
  const all = chosen.map((scenario, index) =>
    simulate(scenario, runs, seed, (done) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\r${index + 1}/${chosen.length} ${scenario.name}: ${done} of ${runs}\x1b[K`);
    }),
  );
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const missed = all.flatMap((it) => it.missed);
  const seconds = Math.round((performance.now() - started) / 1000);
  const setting = `${runs} rollouts each, seed ${seed}; steps ${release.steps.join(" ")}, bake ${release.bake}, evaluated every ${intervalSeconds} s, given up after an hour without evidence; ${seconds} s of computing`;
  process.stdout.write(
    json
      ? `${JSON.stringify({ runs, seed, steps: release.steps, bake: release.bake, lookSeconds: intervalSeconds, seconds, missed, scenarios: all }, null, 2)}\n`
      : `${simulationReport(all)}\n\n${setting}\n${missed.map((it) => `missed: ${it}\n`).join("")}`,
  );
  process.exitCode = missed.length > 0 ? 1 : 0;
};

try {
  main(program.parse().opts());
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
