/** Runs the cases of one tier: lowers them, runs them in workerd, evaluates the results and measures coverage. */
import type { Compiled } from "../compiler/compile.ts";
import type { Problem } from "../diagnostics/problem.ts";
import { type Coverage, coverageOf, statedValueMarks, unmetConditionMarks } from "./coverage.ts";
import { lowerSuite } from "./input/lower.ts";
import { algorithmsFor, keysFor, type RunKeys, tokenAlgorithms } from "./input/personas.ts";
import type { Case, Suite } from "./input/read.ts";
import { evaluateCase, type Failure } from "./judge.ts";
import type { Runtime } from "./runtime.ts";
import { openSnapshots, type SuiteSnapshots } from "./snapshots.ts";

export interface Report {
  readonly suite: Suite;
  readonly failures: readonly Failure[];
  readonly coverage: Coverage;
  readonly requests: number;
  readonly snapshots: SuiteSnapshots;
  readonly problems: readonly Problem[];
  /** Names of the cases that ran. */
  readonly ran: readonly string[];
}

export interface SuiteOptions {
  readonly root: string;
  /** Only cases whose title contains this text. */
  readonly only?: string | undefined;
  readonly update?: boolean | undefined;
  /** False to run cases even if they have problems. */
  readonly strict?: boolean | undefined;
}

/** Creates the keys that these tiers and their cases need. */
export const createKeys = (suites: readonly Suite[]): Promise<RunKeys> =>
  keysFor(
    suites.flatMap(({ tier, cases }) => [
      ...tier.routes.flatMap(({ chain }) => tokenAlgorithms(chain)),
      ...cases.flatMap(({ steps }) => steps.flatMap(({ as }) => (typeof as === "object" ? algorithmsFor(as) : []))),
    ]),
  );

export const runSuite = async (
  fullSuite: Suite,
  compiled: Compiled,
  keys: RunKeys,
  runtime: Runtime,
  { root, only, update = false, strict = true }: SuiteOptions,
): Promise<Report> => {
  const suite = {
    ...fullSuite,
    cases: only === undefined ? fullSuite.cases : fullSuite.cases.filter(titleContains(only)),
  };
  const { batch, problems } = await lowerSuite(suite, compiled, keys);
  const snapshots = openSnapshots(root, suite.file, update);
  const results = (strict && problems.length > 0) || batch.conversations.length === 0 ? [] : await runtime.run(batch);
  const unmetMarks = unmetConditionMarks(suite.tier);
  const statedMarks = statedValueMarks(suite.tier);
  const triedMarks = new Set<string>();
  let requests = 0;
  const failures = results.flatMap((result, index) => {
    const sends = batch.conversations[index]?.steps.map((step) => step.sends) ?? [];
    for (const [stepIndex, sendResults] of ("failed" in result ? [] : result).entries())
      for (const [at, { answers, tried: marks }] of sendResults.entries()) {
        const send = sends[stepIndex]?.[at];
        if (!send) continue;
        requests += send.repeat;
        const routes = new Set(answers.map(({ route }) => route));
        const { as } = suite.cases[index]?.steps[stepIndex] ?? {};
        for (const it of [...marks, ...unmetMarks(send, routes), ...statedMarks(as, new Set(marks))])
          triedMarks.add(it);
      }
    return evaluateCase(suite.cases[index] as Case, result, sends, snapshots.compare);
  });
  return {
    suite,
    failures,
    problems,
    snapshots,
    requests,
    coverage: coverageOf(suite.tier, triedMarks),
    ran: suite.cases.map(({ it }) => it),
  };
};

/** Whether a case's title contains a text. */
export const titleContains =
  (text: string) =>
  ({ it }: Case): boolean =>
    it.toLowerCase().includes(text.toLowerCase());
