/** `postern test --mutate`: mutation testing of the cases. */
import pc from "picocolors";
import { type MutantResult, mutate } from "../../cases/mutations/mutate.ts";
import { prepare } from "../../cases/prepare.ts";
import { failedCount, renderReports } from "../../cases/report.ts";
import { createKeys, runSuite } from "../../cases/run.ts";
import { startRuntime } from "../../cases/runtime.ts";
import { count } from "../../diagnostics/report.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { exitOnSignals } from "../../terminal/signals.ts";
import { table } from "../../terminal/table.ts";
import { isTerminal, progressLine } from "../../terminal/terminal.ts";

interface Options {
  readonly root: string;
  readonly env: string;
  /** The number of mutants, or all of them. */
  readonly mutate: string | true;
  readonly json?: true | undefined;
}

export const runMutations = async (tiers: readonly string[], options: Options): Promise<Outcome> => {
  exitOnSignals();
  const started = performance.now();
  const limit = options.mutate === true ? undefined : parseCount(options.mutate);
  const prepared = prepare(tiers, options);
  if ("exitCode" in prepared) return prepared;
  const [runtime, keys] = await Promise.all([startRuntime(), createKeys(prepared.suites)]);
  try {
    const reports = [];
    for (const suite of prepared.suites) reports.push(await runSuite(suite, prepared.compiled, keys, runtime, options));
    // With failing cases, every mutant would count as detected.
    if (reports.some((it) => it.problems.length > 0 || failedCount(it) > 0))
      return { exitCode: 1, text: renderReports(reports, performance.now() - started), data: { failed: true } };
    const results = await mutate({ ...options, ...prepared, keys, runtime, limit, onProgress: progress(options) });
    return outcomeOf(results, performance.now() - started);
  } finally {
    await runtime.stop();
  }
};

const parseCount = (text: string): number => {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new Error(`--mutate takes a count, and not "${text}"`);
  return limit;
};

/** Shows progress on a terminal. */
const progress =
  ({ json }: Options) =>
  (done: number, all: number): void => {
    if (isTerminal("stderr") && !json) progressLine(done + 1 < all ? `${done} of ${all}` : "");
  };

const outcomeOf = (results: readonly MutantResult[], ms: number): Outcome => {
  const ofKind = (kind: MutantResult["outcome"]["kind"]) => results.filter(({ outcome }) => outcome.kind === kind);
  const survivors = ofKind("survived");
  const numbers = `${ofKind("noticed").length} detected by a case, ${ofKind("refused").length} refused by the checker, ${ofKind("same").length} without effect`;
  const rows = survivors.map(({ says, file, line }) => [says, `${file}:${line}`]);
  const survivorTable = rows.length === 0 ? "" : `${table(["no case detects that", "manifest"], rows)}\n`;
  const summary =
    rows.length === 0
      ? pc.green("no edit goes undetected")
      : pc.red(`${count(rows.length, "edit")} would go undetected`);
  return {
    exitCode: survivors.length > 0 ? 1 : 0,
    text: `${survivorTable}${count(results.length, "edit")}: ${numbers} (${(ms / 1000).toFixed(0)} s)\n${pc.bold(summary)}\n`,
    data: {
      edits: results.length,
      noticed: ofKind("noticed").length,
      refused: ofKind("refused").length,
      same: ofKind("same").length,
      survived: survivors.map(({ text: _, outcome: __, ...it }) => it),
    },
  };
};
