/** The verbs of notices. */
import type { Command } from "@commander-js/extra-typings";
import { addControlOptions, examples, finish } from "../options.ts";

const descriptions = {
  list: "who is told of rollouts, what waits, and what was given up",
  test: "ask each of them now: a signed test to the webhook, a look at GitHub's repository",
  retry: "tell once more what was given up",
} as const;

export const addNoticeCommands = (program: Command): void => {
  const notices = program.command("notices").description("what control tells the world: webhooks and GitHub");
  for (const [name, description] of Object.entries(descriptions))
    addControlOptions(notices.command(name, { isDefault: name === "list" }).description(description))
      .addHelpText("after", examples({ [`npx postern notices ${name}`]: "" }))
      .action(async (options) =>
        finish(await (await import("./notices.ts"))[name as keyof typeof descriptions](options), options),
      );
};
