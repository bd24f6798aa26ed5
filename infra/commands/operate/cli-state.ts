/** Registers `postern state`. */
import type { Command } from "@commander-js/extra-typings";
import { addControlOptions, examples, finish } from "../options.ts";

const states = () => import("./state.ts");

export const addStateCommands = (program: Command): void => {
  const state = program
    .command("state")
    .description("copy what control and the feed alone know into a file: overlay, revocations, ledger; and restore it");
  addControlOptions(
    state
      .command("export")
      .description("write overlay, revocations, records of rollouts and the whole ledger into a file; changes nothing")
      .argument("<file>", "such as state-production.json; only you can read it"),
  )
    .addHelpText("after", examples({ "npx postern state export state-production.json": "every night, in CI" }))
    .action(async (file, options) => finish(await (await states()).exportState(file, options), options));
  addControlOptions(
    state
      .command("import")
      .description("add overlay entries and revocations of a file that have not ended and are not there")
      .argument("<file>", "of `postern state export`"),
  )
    .addHelpText("after", examples({ "npx postern state import state-production.json": "after control was lost" }))
    .action(async (file, options) => finish(await (await states()).importState(file, options), options));
};
