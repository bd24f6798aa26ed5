/** Registers `postern cloud`, `doctor`, `deploy`, `rollback` and `releases`. */
import type { Command } from "@commander-js/extra-typings";
import { examples, finish, isolates, json, localTarget, message, root, target, targetEnvironment } from "../options.ts";

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of commands with their options
export const addReleaseCommands = (program: Command): void => {
  const cloud = program
    .command("cloud")
    .description("run a local Cloudflare: unmodified wrangler deploys to it, splits and rolls back")
    .option("--api-port <number>", "port of the REST API", "8799")
    .option("--edge-port <number>", "port for requests", "8800")
    .option("--state <folder>", "folder with the account's state", ".state/cloud")
    .addOption(isolates)
    .option(
      "--realism",
      "simulate production: KV a minute late, distant objects, 30 s drains, evictions, no IP literals",
    )
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern cloud": "then run what it prints in another shell",
        "npx postern cloud --isolates 4 --realism": "closer to production",
      }),
    )
    .action(async (options) => finish(await (await import("./cloud.ts")).cloud(options), options));

  cloud
    .command("token")
    .description(
      "make a token of a running local cloud with these permission groups, to try what a token of Cloudflare may do",
    )
    .argument("<groups...>", "names of permission groups, such as 'Workers Scripts Write'")
    .option("--zone <names...>", "only these zones, for the groups of zones; default: all")
    .addOption(localTarget)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern cloud token 'Workers Scripts Read'": "one that reads Workers and changes none",
        "npx postern cloud token 'Workers Routes Write' --zone acme.example": "routes of one zone",
      }),
    )
    .action(async (groups, options) =>
      finish(await (await import("./cloud-token.ts")).cloudToken(groups, options), options),
    );

  program
    .command("doctor")
    .description(
      "say what an environment lacks on the platform: permissions, routes, DNS, certificates, KV, secrets, plan; changes nothing",
    )
    .addOption(target)
    .addOption(targetEnvironment)
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern doctor": "production, with the token of the shell",
        "npx postern doctor --env staging": "another environment",
      }),
    )
    .action(async (options) => finish(await (await import("./doctor.ts")).doctor(options), options));

  program
    .command("deploy")
    .description("deploy state, gates and front to Cloudflare or a local cloud, by wrangler; only what has changed")
    .argument("[tiers...]", "only the gates of these tiers, or `front`, `control`, `consumers`; default: everything")
    .addOption(target)
    .addOption(targetEnvironment)
    .option("--split <per cent>", "share of requests for new versions", "100")
    .addOption(message)
    .option("--prune", "delete gates that the front no longer reaches, such as those of a removed tier")
    .option("--force", "deploy also over a running or paused rollout, and versions that were taken back")
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
    .description("return all requests of a tier to the previous version, in one call")
    .argument("<tier>", "or `front`, `control`, `feed`, `actuator`, `tail`, `state-shared` …")
    .option("--to <version>", "this version, by its id or its first digits")
    .option("--old-secrets", "roll back even if that restores old values of changed secrets")
    .addOption(target)
    .addOption(targetEnvironment)
    .addOption(message)
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern rollback wallet": "out of a split, or to the previous version",
        "npx postern rollback wallet --to 1fe43f7b": "to this one",
      }),
    )
    .action(async (tier, options) => finish(await (await import("./rollback.ts")).rollback(tier, options), options));

  program
    .command("releases")
    .description("list a tier's versions: author, time, digest and share of requests")
    .argument("<tier>", "or `front`, `control`, `feed`, `actuator`, `tail`, `state-shared` …")
    .addOption(target)
    .addOption(targetEnvironment)
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern releases wallet": "newest first" }))
    .action(async (tier, options) => finish(await (await import("./releases.ts")).releases(tier, options), options));
};
