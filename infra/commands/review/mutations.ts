/** `postern test --mutate`: whether the cases would notice an edit that weakens a manifest. */
import pc from "picocolors";
import { mutate, type Tried } from "../../cases/mutations/mutate.ts";
import { prepare } from "../../cases/prepare.ts";
import { failedIn, shown } from "../../cases/report.ts";
import { keysOf, runSuite } from "../../cases/run.ts";
import { startRuntime } from "../../cases/runtime.ts";
import { count } from "../../diagnostics/report.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { endAtSignals } from "../../terminal/signals.ts";
import { table } from "../../terminal/table.ts";
import { isTerminal, progressLine } from "../../terminal/terminal.ts";

interface Options {
  readonly root: string;
  readonly env: string;
  /** How many, spread over all there are; or all of them. */
  readonly mutate: string | true;
  readonly json?: true | undefined;
}

export const mutations = async (tiers: readonly string[], options: Options): Promise<Outcome> => {
  endAtSignals();
  const started = performance.now();
  const most = options.mutate === true ? undefined : countOf(options.mutate);
  const ready = prepare(tiers, options);
  if ("exitCode" in ready) return ready;
  const [runtime, keys] = await Promise.all([startRuntime(), keysOf(ready.suites)]);
  try {
    const reports = [];
    for (const suite of ready.suites) reports.push(await runSuite(suite, ready.compiled, keys, runtime, options));
    // Cases that fail anyway would notice everything.
    if (reports.some((it) => it.problems.length > 0 || failedIn(it) > 0))
      return { exitCode: 1, text: shown(reports, performance.now() - started), data: { failed: true } };
    const tried = await mutate({ ...options, ...ready, keys, runtime, most, tell: progress(options) });
    return outcomeOf(tried, performance.now() - started);
  } finally {
    await runtime.stop();
  }
};

const countOf = (text: string): number => {
  const many = Number(text);
  if (!Number.isInteger(many) || many < 1) throw new Error(`--mutate takes a count, and not "${text}"`);
  return many;
};

/** Where somebody looks on. */
const progress =
  ({ json }: Options) =>
  (done: number, all: number): void => {
    if (isTerminal("stderr") && !json) progressLine(done + 1 < all ? `${done} of ${all}` : "");
  };

const outcomeOf = (tried: readonly Tried[], ms: number): Outcome => {
  const of = (kind: Tried["fate"]["kind"]) => tried.filter(({ fate }) => fate.kind === kind);
  const survivors = of("survived");
  const numbers = `${of("noticed").length} noticed by a case, ${of("refused").length} refused by the checker, ${of("same").length} without effect`;
  const rows = survivors.map(({ says, file, line }) => [says, `${file}:${line}`]);
  const list = rows.length === 0 ? "" : `${table(["no case notices that", "manifest"], rows)}\n`;
  const end =
    rows.length === 0 ? pc.green("no edit goes unnoticed") : pc.red(`${count(rows.length, "edit")} would go unnoticed`);
  return {
    exitCode: survivors.length > 0 ? 1 : 0,
    text: `${list}${count(tried.length, "edit")}: ${numbers} (${(ms / 1000).toFixed(0)} s)\n${pc.bold(end)}\n`,
    data: {
      edits: tried.length,
      noticed: of("noticed").length,
      refused: of("refused").length,
      same: of("same").length,
      survived: survivors.map(({ text: _, fate: __, ...it }) => it),
    },
  };
};
