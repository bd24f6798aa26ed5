/** CLI definition of `upgrade`. */
import type { Command } from "@commander-js/extra-typings";
import { examples, finish, json, onlyEnvironment, root } from "../options.ts";

export const addUpgradeCommand = (program: Command): void => {
  program
    .command("upgrade")
    .description("show what another version of Postern changes for this project; it changes nothing itself")
    .argument("[version]", "a version, a tag, or a tarball", "latest")
    .addOption(root)
    .addOption(onlyEnvironment)
    .addOption(json)
    .option("--from <folder>", "compare the Postern in this folder with the one that runs; nothing is installed")
    .addHelpText(
      "after",
      examples({
        "npx postern upgrade": "the newest version",
        "npx postern upgrade 0.2.0 --env production": "a version, and one environment",
      }),
    )
    .action(async (version, options) =>
      finish(await (await import("./upgrade.ts")).upgrade(version, options), options),
    );
};
