/** The verbs of overlays. */
import { type Command, Option } from "@commander-js/extra-typings";
import { addControlOptions, examples, finish, message } from "../options.ts";

const overlays = () => import("./overlay.ts");
const forOption = () => new Option("--for <time>", "it is gone then").default("1h");

export const addOverlayCommands = (program: Command): void => {
  const overlay = program
    .command("overlay")
    .description("close, tighten or enforce at running gates, within seconds and for a time; nothing can be opened");
  addControlOptions(overlay.command("list").description("what is laid over a tier").argument("<tier>"))
    .addHelpText("after", examples({ "npx postern overlay list open": "" }))
    .action(async (tier, options) => finish(await (await overlays()).list(tier, options), options));
  addControlOptions(
    overlay
      .command("close")
      .description("answer 503 in place of a route, or of all of a tier")
      .argument("<tier/route>")
      .addOption(forOption())
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern overlay close open/rates --for 30m -m 'source is wrong'": "" }))
    .action(async (name, options) => finish(await (await overlays()).close(name, options), options));
  addControlOptions(
    overlay
      .command("limit")
      .description("a limit besides those that a filter has")
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
      .description("let a shadowed filter refuse")
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
      .description("the share of users whom the gate serves, of a route that is cut over from an old gateway")
      .argument("<tier/route>")
      .argument("<percent>", "such as 10%")
      .addOption(forOption())
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern overlay cutover wallet/balance 0%": "all go to the old gateway" }))
    .action(async (name, percent, options) =>
      finish(await (await overlays()).cutover(name, percent, options), options),
    );
  addControlOptions(
    overlay
      .command("weights")
      .description("the weights of the upstreams that a route chooses among")
      .argument("<tier/route>")
      .argument("<weights...>", "of each one: accounts=90 accounts-next=10")
      .addOption(forOption())
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern overlay weights wallet/balance accounts=100 accounts-next=0": "" }))
    .action(async (name, weights, options) =>
      finish(await (await overlays()).weights(name, weights, options), options),
    );
  addControlOptions(
    overlay.command("remove").description("take an entry off again").argument("<tier>").argument("<entry>"),
  )
    .addHelpText("after", examples({ "npx postern overlay remove open 1fe43f7b": "" }))
    .action(async (tier, id, options) => finish(await (await overlays()).remove(tier, id, options), options));
  addControlOptions(overlay.command("drift").description("what overlays say that manifests do not"))
    .addHelpText("after", examples({ "npx postern overlay drift": "" }))
    .action(async (options) => finish(await (await overlays()).drift(options), options));
};
