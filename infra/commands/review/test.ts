/** `postern test` */

import fs from "node:fs";
import path from "node:path";
import pc from "picocolors";
import { oneAtATime } from "../../../functions/control/model/one-at-a-time.ts";
import { type Coverage, percentOf } from "../../cases/coverage.ts";
import type { Suite } from "../../cases/input/read.ts";
import { junit } from "../../cases/junit.ts";
import { broken, prepare } from "../../cases/prepare.ts";
import { coverageShown, failedIn, shown } from "../../cases/report.ts";
import { keysOf, type Report, runSuite, says } from "../../cases/run.ts";
import { type Runtime, startRuntime } from "../../cases/runtime.ts";
import { watch } from "../../dev/watch.ts";
import { hidden } from "../../diagnostics/secret-literals.ts";
import { writeWithin } from "../../project/files.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { endAtSignals, untilStopped } from "../../terminal/signals.ts";
import { openStages } from "../../terminal/stages.ts";
import { print, printJson } from "../../terminal/terminal.ts";

export interface Options {
  readonly root: string;
  readonly env: string;
  readonly only?: string | undefined;
  readonly update?: true | undefined;
  readonly coverage?: true | undefined;
  readonly failUnder?: string | undefined;
  readonly junit?: string | undefined;
  readonly json?: true | undefined;
}

export const test = async (tiers: readonly string[], options: Options): Promise<Outcome> => {
  endAtSignals();
  let runtime: Promise<Runtime> | undefined;
  try {
    return await testOn(() => (runtime ??= startRuntime()), tiers, options);
  } finally {
    await (await runtime)?.stop();
  }
};

/** Again after each save; what runs is started once, and anew where its own code has changed. */
export const testAndWatch = async (tiers: readonly string[], options: Options): Promise<Outcome> => {
  const stopped = untilStopped();
  let runtime = startRuntime();
  const tell = ({ text, data }: Pick<Outcome, "text" | "data">) =>
    options.json ? printJson(data) : print(`\n${text}`);
  const failed = (error: unknown): Pick<Outcome, "text" | "data"> => {
    const message = error instanceof Error ? error.message : String(error);
    return { text: pc.red(`postern: ${message}\n`), data: { error: message } };
  };
  const turn = async () => void tell(await testOn(() => runtime, tiers, options).catch(failed));
  const anew = async () => {
    const next = await startRuntime().catch((error: unknown) => void tell(failed(error)));
    // Code that does not bundle has been told, and what ran before goes on.
    if (!next) return;
    await (await runtime).stop();
    runtime = Promise.resolve(next);
    await turn();
  };
  // One after the other, whichever folder was saved in.
  const inTurn = oneAtATime();
  const queued = (work: () => Promise<unknown>) => () => inTurn(work);
  const follow = [
    watch([path.join(options.root, "routes")], queued(turn)),
    watch([path.join(options.root, "functions")], queued(anew)),
  ];
  await queued(turn)();
  await stopped;
  for (const { stop } of follow) await stop();
  await (await runtime).stop();
  return { exitCode: 0, text: "", data: undefined };
};

const leastOf = ({ failUnder, update }: Options): number | undefined => {
  if (update && process.env.CI) throw new Error("CI does not write snapshots; run it where somebody reads them");
  if (failUnder === undefined) return undefined;
  const least = Number(failUnder);
  if (failUnder.trim() === "" || !(least >= 0 && least <= 100))
    throw new Error(`--fail-under takes per cent, 0 to 100, and not "${failUnder}"`);
  return least;
};

/** In a runtime that is there, or will be. */
export const testOn = async (
  runtime: () => Runtime | Promise<Runtime>,
  tiers: readonly string[],
  options: Options,
): Promise<Outcome> => {
  const least = leastOf(options);
  const started = performance.now();
  const ready = prepare(tiers, options);
  if ("exitCode" in ready) return ready;
  if (least === undefined && !options.coverage && ready.suites.every(({ cases }) => cases.length === 0))
    return nothingToTry(ready.suites);
  const { only } = options;
  // Else a slip of the pen would look like cases that hold.
  if (only !== undefined && !ready.suites.some(({ cases }) => cases.some(says(only))))
    throw new Error(`no case says "${only}"`);
  const stages = openStages({ quiet: options.json });
  stages.step("start the runtime");
  const [running, keys] = await Promise.all([runtime(), keysOf(ready.suites)]);
  const reports: Report[] = [];
  for (const suite of ready.suites) {
    stages.step(`try the cases of ${suite.tier.manifest.tier}: ${reports.length + 1} of ${ready.suites.length} tiers`);
    reports.push(await runSuite(suite, ready.compiled, keys, running, options));
  }
  stages.end();
  const late = reports.flatMap((it) => it.problems);
  if (late.length > 0) return broken(late, ready.compiled);
  if (options.update) for (const { snapshots } of reports) write(options, snapshots);
  if (options.junit !== undefined) fs.writeFileSync(path.resolve(options.root, options.junit), junit(reports));
  return outcomeOf(reports, options, least, performance.now() - started);
};

/** A project without cases waits for nothing. */
const nothingToTry = (suites: readonly Suite[]): Outcome => ({
  exitCode: 0,
  text: `there are no cases; write ${suites[0]?.file ?? "routes/<tier>.test.yaml"}\n`,
  data: { problems: [], failed: 0, coverage: null, tiers: [] },
});

const write = ({ root, only }: Options, { file, changed, written }: Report["snapshots"]): void => {
  if (!changed()) return;
  const text = written(only === undefined);
  if (text === "") fs.rmSync(path.join(root, file), { force: true });
  else writeWithin(root, file, text);
};

const outcomeOf = (reports: readonly Report[], options: Options, least: number | undefined, ms: number): Outcome => {
  const failed = reports.reduce((sum, it) => sum + failedIn(it), 0);
  const percent = percentOf(reports.map(({ coverage }) => coverage));
  const tooLittle = least !== undefined && percent < least;
  const covered = options.coverage || tooLittle ? `\n${coverageShown(reports)}` : "";
  const told = tooLittle ? pc.red(`--fail-under asks for ${least} %\n`) : "";
  return {
    exitCode: failed > 0 || tooLittle ? 1 : 0,
    text: `${shown(reports, ms)}${covered}${told}`,
    data: {
      problems: [],
      environment: options.env,
      failed,
      coverage: percent,
      tiers: reports.map(dataOf),
    },
  };
};

const dataOf = ({ suite, ran, requests, failures, coverage }: Report) => ({
  tier: suite.tier.manifest.tier,
  file: suite.file,
  cases: ran.length,
  requests,
  failures: failures.map(({ heard, send: _, ...it }) => ({
    ...it,
    answers: hidden(heard?.answers ?? []),
    seen: hidden(heard?.seen ?? []),
  })),
  coverage: coverageData(coverage),
});

const coverageData = (coverage: Coverage) => ({
  percent: percentOf([coverage]),
  branches: coverage.branches.length,
  untried: coverage.untried.map(({ mark: _, ...it }) => it),
});
