/** The verbs of releases: the cloud that they are tried on, and bringing versions there, back, and to the eye. */
import type { Command } from "@commander-js/extra-typings";
import { examples, finish, isolates, json, message, root, target, targetEnvironment } from "../options.ts";

export const addReleaseCommands = (program: Command): void => {
  program
    .command("cloud")
    .description("a Cloudflare of your own, on this machine: unmodified wrangler deploys to it, splits and rolls back")
    .option("--api-port <number>", "where wrangler calls", "8799")
    .option("--edge-port <number>", "where requests come in", "8800")
    .option("--state <folder>", "keeps the account", ".state/cloud")
    .addOption(isolates)
    .option(
      "--realism",
      "what production does to you: KV a minute late, far objects, 30 s drains, evictions, no IP literals",
    )
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern cloud": "and in another shell what it prints",
        "npx postern cloud --isolates 4 --realism": "closer to production",
      }),
    )
    .action(async (options) => finish(await (await import("./cloud.ts")).cloud(options), options));

  program
    .command("deploy")
    .description("bring state, gates and front to Cloudflare or a local cloud, by wrangler; only what has changed")
    .argument("[tiers...]", "only the gates of these, or `front`, `control`, `consumers`; all where none is named")
    .addOption(target)
    .addOption(targetEnvironment)
    .option("--split <per cent>", "what new versions get of the requests", "100")
    .addOption(message)
    .option("--prune", "delete gates that the front reaches no more, such as those of a tier that has gone")
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern deploy": "everything, to Cloudflare",
        "npx postern deploy --target local": "to the local cloud that `npx postern cloud` runs",
        "npx postern deploy wallet --split 10": "a new version of one tier, for a tenth of the requests",
      }),
    )
    .action(async (tiers, options) => finish(await (await import("./deploy.ts")).deploy(tiers, options), options));

  program
    .command("rollback")
    .description("give all requests of a tier back to the version before, in one call")
    .argument("<tier>", "or `front`")
    .option("--to <version>", "this version, by its id or its first digits")
    .option("--old-secrets", "also where that brings back values of secrets that have changed since")
    .addOption(target)
    .addOption(targetEnvironment)
    .addOption(message)
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern rollback wallet": "out of a split, or to the version before",
        "npx postern rollback wallet --to 1fe43f7b": "to this one",
      }),
    )
    .action(async (tier, options) => finish(await (await import("./rollback.ts")).rollback(tier, options), options));

  program
    .command("releases")
    .description("list a tier's versions: who, when, from what, and how much of the requests each takes")
    .argument("<tier>", "or `front`")
    .addOption(target)
    .addOption(targetEnvironment)
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern releases wallet": "newest first" }))
    .action(async (tier, options) => finish(await (await import("./releases.ts")).releases(tier, options), options));
};
