/** The commands of secrets: what is missing, setting one, and the key of the consumers. */
import type { Command } from "@commander-js/extra-typings";
import { environment, examples, finish, json, root, target } from "../options.ts";

export const addSecretCommands = (program: Command): void => {
  const secrets = program
    .command("secrets")
    .description("list the secrets that tiers name and which are missing, and set them");

  secrets
    .command("list")
    .description("list the secrets that each tier needs, and which are missing")
    .addOption(environment("local"))
    .addOption(target)
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern secrets list --env production": "lists what the platform stores" }))
    .action(async (options) => finish(await (await import("./secrets.ts")).list(options), options));

  secrets
    .command("set")
    .description("set a secret for every tier that names it; its value comes from a pipe or a prompt")
    .argument("<name>", "such as PAY_SIGNING_KEY")
    .addOption(environment("local"))
    .addOption(target)
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({ "npx postern secrets set PAY_SIGNING_KEY": "prompts for the value without showing it" }),
    )
    .action(async (name, options) => {
      const [{ set }, { promptSecret: hidden }] = await Promise.all([
        import("./secrets.ts"),
        import("../../terminal/prompt.ts"),
      ]);
      finish(await set(name, options, () => hidden(name)), options);
    });

  secrets
    .command("consumers-key")
    .description("make the key that signs entries of consumers, and print what to add to the environment")
    .addOption(environment("local"))
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern secrets consumers-key --env production": "writes the pair to .secrets and prints the public key",
      }),
    )
    .action(async (options) => finish((await import("./secrets.ts")).consumersKey(options), options));
};
