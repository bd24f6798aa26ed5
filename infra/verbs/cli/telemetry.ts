/** The verb of what was measured. */
import type { Command } from "@commander-js/extra-typings";
import { as, examples, finish, json, onTarget, root, target } from "./options.ts";

const verbs = () => import("../cost.ts");

export const addTelemetryVerbs = (program: Command): void => {
  program
    .command("cost")
    .description("what each route of a tier costs: CPU, time of its upstreams, bodies")
    .argument("<tier>")
    .addOption(as)
    .addOption(target)
    .addOption(onTarget)
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern cost open": "" }))
    .action(async (tier, options) => finish(await (await verbs()).cost(tier, options), options));
};
