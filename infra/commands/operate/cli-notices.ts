/** Registers `postern notices`. */
import type { Command } from "@commander-js/extra-typings";
import { addControlOptions, examples, finish } from "../options.ts";

const descriptions = {
  list: "list the channels, and notices that are pending, delivered or given up",
  test: "test each channel: a signed notice to the webhook, a read of GitHub's repository",
  retry: "send the notices that were given up again",
} as const;

export const addNoticeCommands = (program: Command): void => {
  const notices = program
    .command("notices")
    .description("show, test and resend notices about rollouts and waves: webhooks and GitHub");
  for (const [name, description] of Object.entries(descriptions))
    addControlOptions(notices.command(name, { isDefault: name === "list" }).description(description))
      .addHelpText("after", examples({ [`npx postern notices ${name}`]: "" }))
      .action(async (options) =>
        finish(await (await import("./notices.ts"))[name as keyof typeof descriptions](options), options),
      );
};
