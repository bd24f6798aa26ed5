/** Registers `postern rollout`, `postern try` and `postern approve`. */
import type { Command } from "@commander-js/extra-typings";
import { addControlOptions, bake, examples, finish, message, watch } from "../options.ts";

const rolloutCommands = () => import("./rollout.ts");
const recordCommands = () => import("./rollout-records.ts");

const subject = "a tier, a route with a cutover (wallet/balance), or front";

const commands = {
  pause: "keep the current share; a version that fails is still rolled back",
  resume: "continue, with the split that was decided last",
  promote: "advance to the next step now: past a hold, before the bake is over, or out of a pause",
  abort: "return all requests to the stable version; also after a promotion",
} as const;

export const addRolloutCommands = (program: Command): void => {
  const rollout = program
    .command("rollout")
    .description(
      "release a new version of a tier or of the front as a canary, or cut a route over: step by step, measured, with automatic rollback",
    );

  addPlan(rollout);
  addStarts(rollout);
  for (const [name, description] of Object.entries(commands)) {
    const command = rollout.command(name).description(description).argument("<tier>", subject);
    const asking = name === "promote" ? command.option("-y, --yes", "do not ask, where evidence is missing") : command;
    addControlOptions(asking.addOption(message))
      .addHelpText("after", examples({ [`npx postern rollout ${name} open -m 'as agreed'`]: "" }))
      .action(async (tier, options) =>
        finish(await (await rolloutCommands()).sendCommand(name as keyof typeof commands, tier, options), options),
      );
  }

  const reading = {
    status: "show the tier's rollout and its findings",
    watch: "follow the rollout until it ends or waits for a person",
  } as const;
  for (const [name, description] of Object.entries(reading))
    addControlOptions(rollout.command(name).description(description).argument("<tier>", subject))
      .addHelpText("after", examples({ [`npx postern rollout ${name} open`]: "" }))
      .action(async (tier, options) =>
        finish(await (await rolloutCommands())[name as keyof typeof reading](tier, options), options),
      );

  addRecordCommands(rollout);
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

const addStarts = (rollout: Command): void => {
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

  addControlOptions(
    rollout
      .command("retry")
      .description(
        "start the uploaded version again that came back from the last rollout; its attempts share one error budget",
      )
      .argument("<tier>")
      .addOption(bake)
      .addOption(watch)
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern rollout retry open -m 'the service is mended'": "" }))
    .action(async (tier, options) => finish(await (await rolloutCommands()).retry(tier, options), options));
};

const addPlan = (rollout: Command): void => {
  addControlOptions(
    rollout
      .command("plan")
      .description(
        "show what a rollout would take at the tier's traffic: steps, times, exposure, the smallest harm that comes back; it changes nothing",
      )
      .argument("<tier>", subject)
      .addOption(bake),
  )
    .addHelpText("after", examples({ "npx postern rollout plan open": "" }))
    .action(async (tier, options) => finish(await (await import("./rollout-plan.ts")).plan(tier, options), options));
};

const addRecordCommands = (rollout: Command): void => {
  addControlOptions(
    rollout
      .command("show")
      .description(
        "show the evidence of one rollout: each decision with its findings, the causes, the shares, the notes",
      )
      .argument("<tier>", subject)
      .argument("<rollout>", "its id: postern rollout history <tier>"),
  )
    .addHelpText("after", examples({ "npx postern rollout show open 3869943a": "" }))
    .action(async (tier, id, options) => finish(await (await recordCommands()).show(tier, id, options), options));

  addControlOptions(
    rollout
      .command("history")
      .description("list the tier's rollouts, newest first; control keeps fifty at most")
      .argument("<tier>", subject)
      .option("--csv", "as CSV (RFC 4180), for a spreadsheet"),
  )
    .addHelpText(
      "after",
      examples({ "npx postern rollout history open": "", "npx postern rollout history open --csv > open.csv": "" }),
    )
    .action(async (tier, options) => finish(await (await recordCommands()).history(tier, options), options));
};
