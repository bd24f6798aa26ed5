/** `postern test`: runs the cases beside the manifests, once or after each save. */

import fs from "node:fs";
import path from "node:path";
import pc from "picocolors";
import { oneAtATime } from "../../../functions/control/model/one-at-a-time.ts";
import { type Coverage, percentOf } from "../../cases/coverage.ts";
import type { Suite } from "../../cases/input/read.ts";
import { renderJunit } from "../../cases/junit.ts";
import { brokenLaws, type LawReport, renderLaws, withFiles } from "../../cases/laws.ts";
import { brokenOutcome, prepare } from "../../cases/prepare.ts";
import { failedCount, renderCoverage, renderReports } from "../../cases/report.ts";
import { createKeys, type Report, runSuite, titleContains } from "../../cases/run.ts";
import { type Runtime, startRuntime } from "../../cases/runtime.ts";
import { watch } from "../../dev/watch.ts";
import { maskSecrets } from "../../diagnostics/secret-literals.ts";
import { writeWithin } from "../../project/files.ts";
import { project, useProject } from "../../project/project.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { exitOnSignals, untilStopped } from "../../terminal/signals.ts";
import { openStages } from "../../terminal/stages.ts";
import { print, printJson } from "../../terminal/terminal.ts";

export interface TestOptions {
  readonly root: string;
  readonly env: string;
  readonly only?: string | undefined;
  readonly update?: true | undefined;
  readonly coverage?: true | undefined;
  readonly failUnder?: string | undefined;
  readonly junit?: string | undefined;
  readonly json?: true | undefined;
}

export const test = async (tiers: readonly string[], options: TestOptions): Promise<Outcome> => {
  exitOnSignals();
  let runtime: Promise<Runtime> | undefined;
  try {
    return await testWith(() => (runtime ??= startRuntime()), tiers, options);
  } finally {
    await (await runtime)?.stop();
  }
};

/** Runs the cases after each save. The runtime restarts only if gateway code changes. */
export const testAndWatch = async (tiers: readonly string[], options: TestOptions): Promise<Outcome> => {
  const untilStop = untilStopped();
  let runtime = startRuntime();
  const show = ({ text, data }: Pick<Outcome, "text" | "data">) =>
    options.json ? printJson(data) : print(`\n${text}`);
  const failed = (error: unknown): Pick<Outcome, "text" | "data"> => {
    const message = error instanceof Error ? error.message : String(error);
    return { text: pc.red(`postern: ${message}\n`), data: { error: message } };
  };
  const runOnce = async () => void show(await testWith(() => runtime, tiers, options).catch(failed));
  const restart = async () => {
    await useProject(options.root);
    const next = await startRuntime().catch((error: unknown) => void show(failed(error)));
    // The bundling error has been shown; the previous runtime stays in use.
    if (!next) return;
    await (await runtime).stop();
    runtime = Promise.resolve(next);
    await runOnce();
  };
  // Runs are serialized across both watchers.
  const inTurn = oneAtATime();
  const enqueue = (work: () => Promise<unknown>) => () => inTurn(work);
  const watchers = [
    watch([path.join(options.root, "routes")], enqueue(runOnce)),
    watch(
      ["functions", ...Object.values(project().folders)].map((it) => path.join(options.root, it)),
      enqueue(restart),
    ),
  ];
  await enqueue(runOnce)();
  await untilStop;
  for (const { stop } of watchers) await stop();
  await (await runtime).stop();
  return { exitCode: 0, text: "", data: undefined };
};

const coverageThreshold = ({ failUnder, update }: TestOptions): number | undefined => {
  if (update && process.env.CI) throw new Error("CI does not write snapshots; run it locally and review them");
  if (failUnder === undefined) return undefined;
  const threshold = Number(failUnder);
  if (failUnder.trim() === "" || !(threshold >= 0 && threshold <= 100))
    throw new Error(`--fail-under takes per cent, 0 to 100, and not "${failUnder}"`);
  return threshold;
};

/** Runs the cases in a given runtime. */
export const testWith = async (
  runtime: () => Runtime | Promise<Runtime>,
  tiers: readonly string[],
  options: TestOptions,
): Promise<Outcome> => {
  const threshold = coverageThreshold(options);
  const started = performance.now();
  const prepared = prepare(tiers, options);
  if ("exitCode" in prepared) return prepared;
  // Laws are of parts, so a run of some tiers or cases leaves them out.
  const triesLaws = tiers.length === 0 && options.only === undefined && project().own.parts.length > 0;
  if (
    !triesLaws &&
    threshold === undefined &&
    !options.coverage &&
    prepared.suites.every(({ cases }) => cases.length === 0)
  )
    return noCasesOutcome(prepared.suites);
  const { only } = options;
  // Without this check, a typo would look like a passing run.
  if (only !== undefined && !prepared.suites.some(({ cases }) => cases.some(titleContains(only))))
    throw new Error(`no case says "${only}"`);
  const stages = openStages({ quiet: options.json });
  stages.step("start the runtime");
  const [running, keys] = await Promise.all([runtime(), createKeys(prepared.suites)]);
  const reports: Report[] = [];
  for (const suite of prepared.suites) {
    stages.step(
      `try the cases of ${suite.tier.manifest.tier}: ${reports.length + 1} of ${prepared.suites.length} tiers`,
    );
    reports.push(await runSuite(suite, prepared.compiled, keys, running, options));
  }
  if (triesLaws) stages.step("try the laws of the project's own parts");
  const laws = triesLaws ? withFiles(await running.laws()) : [];
  stages.end();
  const lateProblems = reports.flatMap((it) => it.problems);
  if (lateProblems.length > 0) return brokenOutcome(lateProblems, prepared.compiled);
  if (options.update) for (const { snapshots } of reports) writeSnapshots(options, snapshots);
  if (options.junit !== undefined)
    fs.writeFileSync(path.resolve(options.root, options.junit), renderJunit(reports, laws));
  return outcomeOf(reports, laws, options, threshold, performance.now() - started);
};

/** The outcome for a project without cases, without starting a runtime. */
const noCasesOutcome = (suites: readonly Suite[]): Outcome => ({
  exitCode: 0,
  text: `there are no cases; write ${suites[0]?.file ?? "routes/<tier>.test.yaml"}\n`,
  data: { problems: [], failed: 0, coverage: null, tiers: [], parts: [] },
});

const writeSnapshots = ({ root, only }: TestOptions, { file, changed, serialize }: Report["snapshots"]): void => {
  if (!changed()) return;
  const text = serialize(only === undefined);
  if (text === "") fs.rmSync(path.join(root, file), { force: true });
  else writeWithin(root, file, text);
};

const outcomeOf = (
  reports: readonly Report[],
  laws: readonly LawReport[],
  options: TestOptions,
  threshold: number | undefined,
  ms: number,
): Outcome => {
  const failed = reports.reduce((sum, it) => sum + failedCount(it), 0);
  const percent = percentOf(reports.map(({ coverage }) => coverage));
  const isBelowThreshold = threshold !== undefined && percent < threshold;
  const coverageText = options.coverage || isBelowThreshold ? `\n${renderCoverage(reports)}` : "";
  const shortfall = isBelowThreshold ? pc.red(`--fail-under asks for ${threshold} %\n`) : "";
  return {
    exitCode: failed > 0 || brokenLaws(laws) > 0 || isBelowThreshold ? 1 : 0,
    text: `${renderLaws(laws)}${renderReports(reports, ms)}${coverageText}${shortfall}`,
    data: {
      problems: [],
      environment: options.env,
      failed,
      coverage: percent,
      tiers: reports.map(tierData),
      parts: laws,
    },
  };
};

const tierData = ({ suite, ran, requests, failures, coverage }: Report) => ({
  tier: suite.tier.manifest.tier,
  file: suite.file,
  cases: ran.length,
  requests,
  failures: failures.map(({ result, send: _, ...it }) => ({
    ...it,
    answers: maskSecrets(result?.answers ?? []),
    seen: maskSecrets(result?.seen ?? []),
  })),
  coverage: coverageData(coverage),
});

const coverageData = (coverage: Coverage) => ({
  percent: percentOf([coverage]),
  branches: coverage.branches.length,
  untried: coverage.untried.map(({ mark: _, ...it }) => it),
});
