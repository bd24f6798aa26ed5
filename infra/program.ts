/** The command line: every command with its options and examples. What a command does is loaded only when it is called. */
import { Command } from "@commander-js/extra-typings";
import { addPartCommands, addProjectCommands, addRequestCommands } from "./commands/authoring/cli-project.ts";
import { addCheckVerb, addReviewVerbs } from "./commands/authoring/cli-reviews.ts";
import { addNoticeVerbs } from "./commands/operate/cli-notices.ts";
import { addOverlayVerbs } from "./commands/operate/cli-overlays.ts";
import { addRevocationVerbs } from "./commands/operate/cli-revocations.ts";
import { addRolloutVerbs } from "./commands/operate/cli-rollouts.ts";
import { addTelemetryVerbs } from "./commands/operate/cli-telemetry.ts";
import { addWaveVerbs } from "./commands/operate/cli-waves.ts";
import { addPreviewVerbs } from "./commands/release/cli-previews.ts";
import { addReleaseVerbs } from "./commands/release/cli-releases.ts";
import { addSecretCommands } from "./commands/release/cli-secrets.ts";
import { addImportVerbs } from "./commands/review/cli-imports.ts";
import { addTestVerb } from "./commands/review/cli-tests.ts";
import { exitCodes } from "./terminal/contract.ts";
import { print, warn } from "./terminal/terminal.ts";

/** A new one for each command line: a parsed command keeps what it was given. */
export const commandLine = (): Command => {
  const program = new Command("postern")
    .description("An API gateway in which every business tier has a gate of its own.")
    .version("0.1.0")
    .showHelpAfterError("(--help shows what it takes)")
    .addHelpText(
      "after",
      `\nExit codes:\n${Object.entries(exitCodes)
        .map(([code, meaning]) => `  ${code}  ${meaning}`)
        .join("\n")}`,
    )
    // Subcommands inherit this, so it stands before the first of them.
    .configureOutput({ writeOut: print, writeErr: warn })
    .exitOverride();

  addCheckVerb(program);
  addProjectCommands(program);
  addReviewVerbs(program);
  addTestVerb(program);
  addImportVerbs(program);
  addReleaseVerbs(program);
  addPreviewVerbs(program);
  addRolloutVerbs(program);
  addWaveVerbs(program);
  addOverlayVerbs(program);
  addRevocationVerbs(program);
  addTelemetryVerbs(program);
  addNoticeVerbs(program);
  addSecretCommands(program);
  addRequestCommands(program);
  addPartCommands(program);
  return program;
};
