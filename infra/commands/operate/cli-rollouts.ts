/** The verbs of rollouts, which control runs. */
import type { Command } from "@commander-js/extra-typings";
import { addControlOptions, bake, examples, finish, message, watch } from "../options.ts";

const rolloutCommands = () => import("./rollout.ts");

const subject = "or a route that is cut over: wallet/balance";

const commands = {
  pause: "stay at the share that it has",
  resume: "go on, with the split that was decided last",
  promote: "go on to the next step now: past a hold, or before the bake is over",
  abort: "give all requests back to the stable version; also after it was promoted",
} as const;

export const addRolloutCommands = (program: Command): void => {
  const rollout = program
    .command("rollout")
    .description("release a tier's new version gray, or cut a route over: step by step, measured, and back by itself");

  addControlOptions(
    rollout
      .command("start")
      .description("upload the new version for nobody, and begin")
      .argument("<tier>", subject)
      .option("--no-upload", "the version that is live at its share is tried")
      .addOption(bake)
      .addOption(watch)
      .option("--commit <id>", "that the version was built from; by default that of a clean git checkout")
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern rollout start open --watch": "and see it through" }))
    .action(async (tier, options) => finish(await (await rolloutCommands()).start(tier, options), options));

  for (const [name, description] of Object.entries(commands))
    addControlOptions(rollout.command(name).description(description).argument("<tier>", subject).addOption(message))
      .addHelpText("after", examples({ [`npx postern rollout ${name} open -m 'as agreed'`]: "" }))
      .action(async (tier, options) =>
        finish(await (await rolloutCommands()).sendCommand(name as keyof typeof commands, tier, options), options),
      );

  const reading = {
    status: "how the tier's rollout stands, and what was found",
    watch: "follow it until it ends or waits for a person",
    history: "the tier's rollouts, newest first",
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
      .description("print a header that brings its bearer to the version that is tried, for five minutes")
      .argument("<tier>"),
  )
    .addHelpText(
      "after",
      examples({ "npx postern try open": 'curl -H "$(npx postern try open)" <url> asks the new version' }),
    )
    .action(async (tier, options) => finish(await (await rolloutCommands()).label(tier, options), options));

  addControlOptions(
    program.command("approve").description("be the second person that a core tier takes").argument("<proposal>"),
  )
    .addHelpText("after", examples({ "npx postern approve 1fe43f7b --as bob": "" }))
    .action(async (id, options) => finish(await (await rolloutCommands()).approve(id, options), options));
};
