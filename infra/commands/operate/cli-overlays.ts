/** Registers `postern overlay`. */
import { type Command, Option } from "@commander-js/extra-typings";
import { addControlOptions, examples, finish, message } from "../options.ts";

const overlays = () => import("./overlay.ts");
const forOption = () => new Option("--for <time>", "lifetime of the entry").default("1h");

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of commands with their options
export const addOverlayCommands = (program: Command): void => {
  const overlay = program
    .command("overlay")
    .description(
      "close a route, tighten a limit or enforce a filter at running gates, within seconds and for a limited time; nothing can be opened",
    );
  addControlOptions(overlay.command("list").description("list a tier's overlay entries").argument("<tier>"))
    .addHelpText("after", examples({ "npx postern overlay list open": "" }))
    .action(async (tier, options) => finish(await (await overlays()).list(tier, options), options));
  addControlOptions(
    overlay
      .command("close")
      .description("close a route or a whole tier: it answers 503")
      .argument("<tier/route>")
      .addOption(forOption())
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern overlay close open/rates --for 30m -m 'source is wrong'": "" }))
    .action(async (name, options) => finish(await (await overlays()).close(name, options), options));
  addControlOptions(
    overlay
      .command("limit")
      .description("add a limit to a filter")
      .argument("<tier>")
      .argument("<filter>")
      .argument("<limit>", "such as 10/s")
      .addOption(forOption())
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern overlay limit open fair-share 5/s": "" }))
    .action(async (tier, filter, limit, options) =>
      finish(await (await overlays()).tighten(tier, filter, limit, options), options),
    );
  addControlOptions(
    overlay
      .command("enforce")
      .description("enforce a shadowed filter")
      .argument("<tier>")
      .argument("<filter>")
      .addOption(forOption())
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern overlay enforce wallet schema": "" }))
    .action(async (tier, filter, options) => finish(await (await overlays()).enforce(tier, filter, options), options));
  addControlOptions(
    overlay
      .command("cutover")
      .description("set the share of users that the gate serves, for a route with a cutover from an old gateway")
      .argument("<tier/route>")
      .argument("<percent>", "such as 10%")
      .addOption(forOption())
      .addOption(message),
  )
    .addHelpText(
      "after",
      examples({ "npx postern overlay cutover wallet/balance 0%": "all users go to the old gateway" }),
    )
    .action(async (name, percent, options) =>
      finish(await (await overlays()).cutover(name, percent, options), options),
    );
  addControlOptions(
    overlay
      .command("weights")
      .description("set the weights of a route's upstreams")
      .argument("<tier/route>")
      .argument("<weights...>", "one for each upstream: accounts=90 accounts-next=10")
      .addOption(forOption())
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern overlay weights wallet/balance accounts=100 accounts-next=0": "" }))
    .action(async (name, weights, options) =>
      finish(await (await overlays()).weights(name, weights, options), options),
    );
  addControlOptions(overlay.command("remove").description("remove an entry").argument("<tier>").argument("<entry>"))
    .addHelpText("after", examples({ "npx postern overlay remove open 1fe43f7b": "" }))
    .action(async (tier, id, options) => finish(await (await overlays()).remove(tier, id, options), options));
  addControlOptions(
    overlay.command("drift").description("list all overlay entries, and how they differ from the manifests"),
  )
    .addHelpText("after", examples({ "npx postern overlay drift": "" }))
    .action(async (options) => finish(await (await overlays()).drift(options), options));
};
