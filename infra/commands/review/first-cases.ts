/** `postern test --init`: writes initial cases for tiers without any. */
import { firstCases } from "../../cases/first.ts";
import { prepare } from "../../cases/prepare.ts";
import { createKeys } from "../../cases/run.ts";
import { startRuntime } from "../../cases/runtime.ts";
import { writeWithin } from "../../project/files.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { exitOnSignals } from "../../terminal/signals.ts";

interface Options {
  readonly root: string;
  readonly env: string;
}

/** Existing files are not touched. */
export const writeFirstCases = async (tiers: readonly string[], { root, env }: Options): Promise<Outcome> => {
  exitOnSignals();
  const prepared = prepare(tiers, { root, env });
  if ("exitCode" in prepared) return prepared;
  const withoutCases = prepared.suites.filter(({ source }) => source === undefined);
  if (withoutCases.length === 0)
    return { exitCode: 0, text: "every tier has its cases\n", data: { problems: [], written: [] } };
  const [runtime, keys] = await Promise.all([startRuntime(), createKeys(withoutCases)]);
  try {
    for (const suite of withoutCases)
      writeWithin(root, suite.file, await firstCases(suite, prepared.compiled, keys, runtime));
  } finally {
    await runtime.stop();
  }
  const written = withoutCases.map(({ file }) => file);
  const next = "Next: read them, say what must not happen, and npx postern test --coverage";
  return {
    exitCode: 0,
    text: `${written.map((it) => `wrote ${it}\n`).join("")}\n${next}\n`,
    data: { problems: [], written },
  };
};
