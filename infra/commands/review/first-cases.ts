/** `postern test --init`: first cases for tiers that have none. */
import { firstCases } from "../../cases/first.ts";
import { prepare } from "../../cases/prepare.ts";
import { keysOf } from "../../cases/run.ts";
import { startRuntime } from "../../cases/runtime.ts";
import { writeWithin } from "../../project/files.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { endAtSignals } from "../../terminal/signals.ts";

interface Options {
  readonly root: string;
  readonly env: string;
}

/** A file that is there is somebody's, and stays. */
export const init = async (tiers: readonly string[], { root, env }: Options): Promise<Outcome> => {
  endAtSignals();
  const ready = prepare(tiers, { root, env });
  if ("exitCode" in ready) return ready;
  const bare = ready.suites.filter(({ source }) => source === undefined);
  if (bare.length === 0)
    return { exitCode: 0, text: "every tier has its cases\n", data: { problems: [], written: [] } };
  const [runtime, keys] = await Promise.all([startRuntime(), keysOf(bare)]);
  try {
    for (const suite of bare) writeWithin(root, suite.file, await firstCases(suite, ready.compiled, keys, runtime));
  } finally {
    await runtime.stop();
  }
  const written = bare.map(({ file }) => file);
  const next = "Next: read them, say what must not happen, and npx postern test --coverage";
  return {
    exitCode: 0,
    text: `${written.map((it) => `wrote ${it}\n`).join("")}\n${next}\n`,
    data: { problems: [], written },
  };
};
