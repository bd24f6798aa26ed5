/** The command line: every command with its options and examples. What a command does is loaded only when it is called. */
import { Command } from "@commander-js/extra-typings";
import { addPartCommands, addProjectCommands, addRequestCommands } from "./commands/authoring/cli-project.ts";
import { addControlCommands } from "./commands/operate/cli-control.ts";
import { addNoticeCommands } from "./commands/operate/cli-notices.ts";
import { addOverlayCommands } from "./commands/operate/cli-overlays.ts";
import { addRevocationCommands } from "./commands/operate/cli-revocations.ts";
import { addRolloutCommands } from "./commands/operate/cli-rollouts.ts";
import { addStateCommands } from "./commands/operate/cli-state.ts";
import { addTelemetryCommands } from "./commands/operate/cli-telemetry.ts";
import { addWaveCommands } from "./commands/operate/cli-waves.ts";
import { addPreviewCommands } from "./commands/release/cli-previews.ts";
import { addReleaseCommands } from "./commands/release/cli-releases.ts";
import { addSecretCommands } from "./commands/release/cli-secrets.ts";
import { addImportCommands } from "./commands/review/cli-imports.ts";
import { addCheckCommand, addReviewCommands } from "./commands/review/cli-reviews.ts";
import { addTestCommand } from "./commands/review/cli-tests.ts";
import { addInitCommand } from "./commands/start/cli-init.ts";
import { addUpgradeCommand } from "./commands/start/cli-upgrade.ts";
import { version } from "./project/version.ts";
import { exitCodes } from "./terminal/contract.ts";
import { print, warn, widthOf } from "./terminal/terminal.ts";

/** A new one for each command line: a parsed command keeps what it was given. */
export const commandLine = (): Command => {
  const program = new Command("postern")
    .description("An API gateway in which every business tier has a gate of its own.")
    .version(version)
    .showHelpAfterError("(--help shows the usage)")
    .addHelpText(
      "after",
      `\nExit codes:\n${Object.entries(exitCodes)
        .map(([code, meaning]) => `  ${code}  ${meaning}`)
        .join("\n")}`,
    )
    // Subcommands inherit this, so it stands before the first of them.
    .configureOutput({
      writeOut: print,
      writeErr: warn,
      getOutHelpWidth: () => widthOf("stdout"),
      getErrHelpWidth: () => widthOf("stderr"),
    })
    // Wraps descriptions beside the long names of subcommands, too.
    .configureHelp({ minWidthToWrap: 20 })
    .exitOverride()
    .hook("preAction", async (_, command) => {
      const { root }: { readonly root?: unknown } = command.opts();
      if (typeof root === "string") await (await import("./project/project.ts")).useProject(root);
    });

  program.commandsGroup("Write manifests, and try them here:");
  addInitCommand(program);
  addUpgradeCommand(program);
  addCheckCommand(program);
  addProjectCommands(program);
  addRequestCommands(program);
  program.commandsGroup("Test and review a change:");
  addTestCommand(program);
  addReviewCommands(program);
  addImportCommands(program);
  program.commandsGroup("Release:");
  addReleaseCommands(program);
  addPreviewCommands(program);
  addRolloutCommands(program);
  addWaveCommands(program);
  addSecretCommands(program);
  addControlCommands(program);
  program.commandsGroup("Operate what runs:");
  addOverlayCommands(program);
  addRevocationCommands(program);
  addTelemetryCommands(program);
  addNoticeCommands(program);
  addStateCommands(program);
  program.commandsGroup("Extend Postern:");
  addPartCommands(program);
  return program;
};
