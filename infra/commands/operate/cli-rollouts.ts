/** Registers `postern rollout`, `postern try` and `postern approve`. */
import type { Command } from "@commander-js/extra-typings";
import { addControlOptions, bake, examples, finish, message, watch } from "../options.ts";

const rolloutCommands = () => import("./rollout.ts");

const subject = "a tier, a route with a cutover (wallet/balance), or front";

const commands = {
  pause: "keep the current share",
  resume: "continue, with the split that was decided last",
  promote: "advance to the next step now: past a hold, or before the bake is over",
  abort: "return all requests to the stable version; also after a promotion",
} as const;

export const addRolloutCommands = (program: Command): void => {
  const rollout = program
    .command("rollout")
    .description(
      "release a new version of a tier or of the front as a canary, or cut a route over: step by step, measured, with automatic rollback",
    );

  addControlOptions(
    rollout
      .command("start")
      .description("upload the new version at 0 % and start the rollout")
      .argument("<tier>", subject)
      .option("--no-upload", "use the version that is already uploaded")
      .addOption(bake)
      .addOption(watch)
      .option("--commit <id>", "the commit that the version was built from; default: that of a clean git checkout")
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern rollout start open --watch": "follows the rollout to its end" }))
    .action(async (tier, options) => finish(await (await rolloutCommands()).start(tier, options), options));

  for (const [name, description] of Object.entries(commands))
    addControlOptions(rollout.command(name).description(description).argument("<tier>", subject).addOption(message))
      .addHelpText("after", examples({ [`npx postern rollout ${name} open -m 'as agreed'`]: "" }))
      .action(async (tier, options) =>
        finish(await (await rolloutCommands()).sendCommand(name as keyof typeof commands, tier, options), options),
      );

  const reading = {
    status: "show the tier's rollout and its findings",
    watch: "follow the rollout until it ends or waits for a person",
    history: "list the tier's rollouts, newest first",
  } as const;
  for (const [name, description] of Object.entries(reading))
    addControlOptions(rollout.command(name).description(description).argument("<tier>", subject))
      .addHelpText("after", examples({ [`npx postern rollout ${name} open`]: "" }))
      .action(async (tier, options) =>
        finish(await (await rolloutCommands())[name as keyof typeof reading](tier, options), options),
      );

  addControlOptions(
    program
      .command("try")
      .description("print a header that selects the new version, valid for five minutes")
      .argument("<tier>"),
  )
    .addHelpText(
      "after",
      examples({ "npx postern try open": 'curl -H "$(npx postern try open)" <url> gets the new version' }),
    )
    .action(async (tier, options) => finish(await (await rolloutCommands()).label(tier, options), options));

  addControlOptions(
    program
      .command("approve")
      .description("approve a proposal as the second person that a core tier requires")
      .argument("<proposal>"),
  )
    .addHelpText("after", examples({ "npx postern approve 1fe43f7b --as bob": "" }))
    .action(async (id, options) => finish(await (await rolloutCommands()).approve(id, options), options));
};
