/** Runs the cases of tiers: compiled, lowered, tried in workerd, judged, and counted for coverage. */
import type { Compiled } from "../compiler/compile.ts";
import type { Problem } from "../diagnostics/problem.ts";
import { type Coverage, coverageOf, otherwise } from "./coverage.ts";
import { lowerSuite } from "./input/lower.ts";
import { algorithmsFor, algorithmsOf, type Keys, keysFor } from "./input/personas.ts";
import type { Case, Suite } from "./input/read.ts";
import { type Failure, judge } from "./judge.ts";
import type { Runtime } from "./runtime.ts";
import { type Snapshots, snapshotsOf } from "./snapshots.ts";

export interface Report {
  readonly suite: Suite;
  readonly failures: readonly Failure[];
  readonly coverage: Coverage;
  readonly requests: number;
  readonly snapshots: Snapshots;
  readonly problems: readonly Problem[];
  /** Names of the cases that ran. */
  readonly ran: readonly string[];
}

export interface Wish {
  readonly root: string;
  /** Only cases that say this. */
  readonly only?: string | undefined;
  readonly update?: boolean | undefined;
  /** False where a case is tried also if it says something that cannot be. */
  readonly strict?: boolean | undefined;
}

/** Keys for whatever these tiers and their cases sign with. */
export const keysOf = (suites: readonly Suite[]): Promise<Keys> =>
  keysFor(
    suites.flatMap(({ tier, cases }) => [
      ...tier.routes.flatMap(({ chain }) => algorithmsOf(chain)),
      ...cases.flatMap(({ steps }) => steps.flatMap(({ as }) => (typeof as === "object" ? algorithmsFor(as) : []))),
    ]),
  );

export const runSuite = async (
  whole: Suite,
  compiled: Compiled,
  keys: Keys,
  runtime: Runtime,
  { root, only, update = false, strict = true }: Wish,
): Promise<Report> => {
  const suite = { ...whole, cases: only === undefined ? whole.cases : whole.cases.filter(says(only)) };
  const { batch, problems } = await lowerSuite(suite, compiled, keys);
  const snapshots = snapshotsOf(root, suite.file, update);
  const told = (strict && problems.length > 0) || batch.conversations.length === 0 ? [] : await runtime.run(batch);
  const others = otherwise(suite.tier);
  const tried = new Set<string>();
  let requests = 0;
  const failures = told.flatMap((one, index) => {
    const sends = batch.conversations[index]?.steps.map((step) => step.sends) ?? [];
    for (const [turn, heard] of ("failed" in one ? [] : one).entries())
      for (const [at, { answers, tried: marks }] of heard.entries()) {
        const send = sends[turn]?.[at];
        if (!send) continue;
        requests += send.repeat;
        for (const it of [...marks, ...others(send, new Set(answers.map(({ route }) => route)))]) tried.add(it);
      }
    return judge(suite.cases[index] as Case, one, sends, snapshots.recall);
  });
  return {
    suite,
    failures,
    problems,
    snapshots,
    requests,
    coverage: coverageOf(suite.tier, tried),
    ran: suite.cases.map(({ it }) => it),
  };
};

/** Whether a case is one of those that were asked for. */
export const says =
  (text: string) =>
  ({ it }: Case): boolean =>
    it.toLowerCase().includes(text.toLowerCase());
