/** Registers `postern wave`: releases of many tiers. */
import { type Command, Option } from "@commander-js/extra-typings";
import { levels } from "../../../functions/control/model/wave.ts";
import { addControlOptions, bake, examples, finish, message, watch } from "../options.ts";

const waveCommands = () => import("./wave.ts");

export const addWaveCommands = (program: Command): void => {
  const wave = program
    .command("wave")
    .description(
      "release many tiers as canaries, the least important first: each by its own rollout; a failure stops further ones",
    );

  addControlOptions(
    wave
      .command("start")
      .description("upload the new versions of the selected tiers at 0 % and start those that have one")
      .option("--all", "all tiers, such as for a new version of Postern")
      .option("--label <key=value...>", "tiers with this label in their manifest; with several labels, all must match")
      .addOption(new Option("--level <level>", "tiers of this level").choices(levels))
      .option("--concurrent <n>", "concurrent rollouts", "3")
      .addOption(bake)
      .addOption(watch)
      .addOption(message),
  )
    .addHelpText(
      "after",
      examples({
        "npx postern wave start --all --watch": "every tier that has changed",
        "npx postern wave start --label app=mobile": "",
        "npx postern wave start --level best-effort": "",
      }),
    )
    .action(async (options) => finish(await (await waveCommands()).start(options), options));

  const commands = {
    pause: "start no further tier; running rollouts continue",
    resume: "continue; failed tiers are skipped",
    abort: "abort the running rollouts, and start no more",
  } as const;
  for (const [name, description] of Object.entries(commands)) {
    const command = wave.command(name).description(description);
    const withAll = name === "abort" ? command.option("--all", "also abort what the wave has promoted") : command;
    addControlOptions(withAll.addOption(message))
      .addHelpText("after", examples({ [`npx postern wave ${name} -m 'as agreed'`]: "" }))
      .action(async (options: Parameters<typeof finish>[1] & CommandOptions) =>
        finish(await (await waveCommands()).sendCommand(name as keyof typeof commands, options), options),
      );
  }

  const reading = {
    status: "show the wave's status, tier by tier",
    watch: "follow the wave until it ends or waits for a person",
    history: "list the waves, newest first",
  } as const;
  for (const [name, description] of Object.entries(reading))
    addControlOptions(wave.command(name).description(description))
      .addHelpText("after", examples({ [`npx postern wave ${name}`]: "" }))
      .action(async (options) => finish(await (await waveCommands())[name as keyof typeof reading](options), options));
};

type CommandOptions = Parameters<Awaited<ReturnType<typeof waveCommands>>["sendCommand"]>[1];
