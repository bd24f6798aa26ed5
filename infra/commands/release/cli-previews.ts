/** Registers `postern preview`: an environment for each pull request. */
import type { Command } from "@commander-js/extra-typings";
import { examples, finish, json, root, target } from "../options.ts";

export const addPreviewCommands = (program: Command): void => {
  const preview = program.command("preview").description("make or remove an environment for a pull request");

  preview
    .command("up")
    .description("deploy everything as preview-<number>, with the values of routes/environments/preview.yaml")
    .argument("<number>", "number of the pull request")
    .addOption(target)
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern preview up 7 --target local": "on a local cloud" }))
    .action(async (number, options) => finish(await (await import("./preview.ts")).up(number, options), options));

  preview
    .command("down")
    .description("remove every Worker of preview-<number> with its stored data")
    .argument("<number>", "number of the pull request")
    .addOption(target)
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern preview down 7": "when it is merged or closed" }))
    .action(async (number, options) => finish(await (await import("./preview.ts")).down(number, options), options));
};
