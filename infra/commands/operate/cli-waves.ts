/** The verbs of waves: releases of many tiers, which control runs. */
import { type Command, Option } from "@commander-js/extra-typings";
import { levels } from "../../../functions/control/model/wave.ts";
import { addControlOptions, bake, examples, finish, message, watch } from "../options.ts";

const waveCommands = () => import("./wave.ts");

export const addWaveCommands = (program: Command): void => {
  const wave = program
    .command("wave")
    .description(
      "release many tiers gray, what matters least first: each by a rollout of its own, and no further after one fails",
    );

  addControlOptions(
    wave
      .command("start")
      .description("upload the new versions of the chosen tiers for nobody, and begin with those that have one")
      .option("--all", "all tiers, such as for a new version of Postern")
      .option("--label <key=value...>", "tiers with this label in their manifest; of several, all must be there")
      .addOption(new Option("--level <level>", "tiers of this level").choices(levels))
      .option("--concurrent <n>", "rollouts at once", "3")
      .addOption(bake)
      .addOption(watch)
      .addOption(message),
  )
    .addHelpText(
      "after",
      examples({
        "npx postern wave start --all --watch": "all that has changed",
        "npx postern wave start --label app=mobile": "",
        "npx postern wave start --level best-effort": "",
      }),
    )
    .action(async (options) => finish(await (await waveCommands()).start(options), options));

  const commands = {
    pause: "no further tier begins; those under way go on",
    resume: "go on, also past a tier that failed",
    abort: "take back what is under way, and begin no more",
  } as const;
  for (const [name, description] of Object.entries(commands)) {
    const command = wave.command(name).description(description);
    const withAll = name === "abort" ? command.option("--all", "also what the wave has promoted") : command;
    addControlOptions(withAll.addOption(message))
      .addHelpText("after", examples({ [`npx postern wave ${name} -m 'as agreed'`]: "" }))
      .action(async (options: Parameters<typeof finish>[1] & CommandOptions) =>
        finish(await (await waveCommands()).sendCommand(name as keyof typeof commands, options), options),
      );
  }

  const reading = {
    status: "how the wave stands, tier by tier",
    watch: "follow it until it ends or waits for a person",
    history: "the waves, newest first",
  } as const;
  for (const [name, description] of Object.entries(reading))
    addControlOptions(wave.command(name).description(description))
      .addHelpText("after", examples({ [`npx postern wave ${name}`]: "" }))
      .action(async (options) => finish(await (await waveCommands())[name as keyof typeof reading](options), options));
};

type CommandOptions = Parameters<Awaited<ReturnType<typeof waveCommands>>["sendCommand"]>[1];
