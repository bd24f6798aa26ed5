/** The commands that set up the control plane: its keys and its operators. */
import { type Command, Option } from "@commander-js/extra-typings";
import { environment, examples, finish, json, root } from "../options.ts";

const role = new Option("--role <role>", "what the operator may do").choices(["viewer", "operator", "admin"] as const);

export const addControlCommands = (program: Command): void => {
  program
    .command("control")
    .description("set up the control plane of an environment")
    .command("init")
    .description("make control's key and the first operator's, and write the section `control:` of the environment")
    .addOption(environment("production"))
    .option("--host <host>", "of control's API; default: control.<zone>, or control-<env>.<zone>")
    .option("--account <id>", "the Cloudflare account; default: CLOUDFLARE_ACCOUNT_ID")
    .option("--operator <name>", "the first operator; default: your user name")
    .option("--rotate", "give control a new key; everything else stays")
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern control init --env production": "then run what it prints" }))
    .action(async (options) => finish(await (await import("./control-keys.ts")).controlInit(options), options));

  program
    .command("operator")
    .description("add operators of the control plane")
    .command("add")
    .description("make an operator's key, and write the operator into the environment")
    .argument("<name>", "such as ann, or ci")
    .addOption(environment("production"))
    .addOption(role.default("operator" as const))
    .option("--key <public key>", "of a pair that the operator has made; by default a pair is made here")
    .option("--rotate", "give an operator a new key; the role stays")
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern operator add ann --role admin": "the private key is in .secrets",
        "npx postern operator add ci --rotate": "a new key for a known operator",
      }),
    )
    .action(async (name, options) => finish((await import("./control-keys.ts")).operatorAdd(name, options), options));
};
