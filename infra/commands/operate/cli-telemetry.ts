/** Registers `postern cost` and `postern token`. */
import type { Command } from "@commander-js/extra-typings";
import { addControlOptions, examples, finish } from "../options.ts";

const costs = () => import("./cost.ts");
const tokens = () => import("./token.ts");

export const addTelemetryCommands = (program: Command): void => {
  addControlOptions(
    program
      .command("cost")
      .description("show what each route of a tier costs: CPU, time of its upstreams, bodies")
      .argument("<tier>"),
  )
    .addHelpText("after", examples({ "npx postern cost open": "" }))
    .action(async (tier, options) => finish(await (await costs()).cost(tier, options), options));
  addControlOptions(
    program.command("token").description("print an operator's token for control, valid for five minutes"),
  )
    .addHelpText(
      "after",
      examples({ "npx postern token --as prometheus > /run/postern.token": "every four minutes, for scrapes" }),
    )
    .action(async (options) => finish(await (await tokens()).token(options), options));
};
