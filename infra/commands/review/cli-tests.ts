/** CLI definition of `test`. */
import type { Command } from "@commander-js/extra-typings";
import { environment, examples, failUnder, finish, json, root } from "../options.ts";

export const addTestCommand = (program: Command): void => {
  program
    .command("test")
    .description(
      "run the cases beside the manifests: in the real runtime, with a clock, services and keys of their own",
    )
    .argument("[tier...]", "by default all of them")
    .addOption(environment("local"))
    .option("-t, --only <text>", "only cases whose description contains this text")
    .option("-w, --watch", "run them again after each save")
    .option("-u, --update", "write the snapshots anew; CI refuses it")
    .option("--coverage", "list what no case covers")
    .addOption(failUnder)
    .option("--mutate [count]", "run them on manifests with one error each: on all, or on this many")
    .option("--init", "write first cases for tiers that have none: what their gates answer today")
    .option("--junit <file>", "also write the results as JUnit XML")
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern test": "all tiers",
        "npx postern test wallet --watch": "while you edit it",
        "npx postern test --coverage": "also lists what no case covers",
        "npx postern test --fail-under 100": "in CI",
        "npx postern test --mutate": "do cases notice a weaker policy?",
      }),
    )
    .action(async (tiers, { watch, mutate, init, ...options }) => {
      if (init) return finish(await (await import("./first-cases.ts")).writeFirstCases(tiers, options), options);
      if (mutate !== undefined) {
        const { runMutations: mutations } = await import("./mutations.ts");
        return finish(await mutations(tiers, { ...options, mutate }), options);
      }
      const { test, testAndWatch } = await import("./test.ts");
      return finish(await (watch ? testAndWatch : test)(tiers, options), options);
    });
};
