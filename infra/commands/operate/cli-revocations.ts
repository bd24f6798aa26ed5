/** Registers `postern revoke`. */
import { type Command, Option } from "@commander-js/extra-typings";
import { addControlOptions, examples, finish, message } from "../options.ts";

const revocations = () => import("./revoke.ts");
const all = () => new Option("--all", "at each tier that trusts the issuer");
const issuer = () => new Option("--issuer <iss>", "the token's issuer, if tiers trust several");

export const addRevocationCommands = (program: Command): void => {
  const revoke = program
    .command("revoke")
    .description("revoke tokens at running gates, within seconds; only hashes leave this machine");
  addControlOptions(
    revoke
      .command("token")
      .description("revoke one token, read from a pipe or a prompt, until it expires")
      .argument("[tier]", "or --all")
      .addOption(all())
      .option("--jti <id>", "the token's `jti`, instead of the token")
      .addOption(issuer())
      .option("--for <time>", "lifetime of the revocation, 30d at most; default: until the token expires")
      .addOption(message),
  )
    .addHelpText(
      "after",
      examples({
        "npx postern revoke token wallet < token": "the token must have a `jti`",
        "npx postern revoke token --all --jti 7d1c": "at every tier, without the token",
      }),
    )
    .action(async (tier, options) => {
      const [{ token }, { promptSecret: hidden }] = await Promise.all([
        revocations(),
        import("../../terminal/prompt.ts"),
      ]);
      finish(await token(tier, options, () => hidden("the token")), options);
    });
  addControlOptions(
    revoke
      .command("consumer")
      .description("revoke all tokens of a consumer that were issued until now")
      .argument(
        "<name>",
        "the consumer's name as in access lines: the token's `sub`, unless the manifest names another claim",
      )
      .argument("[tier]", "or --all")
      .addOption(all())
      .addOption(issuer())
      .option("--issued-before <time>", "such as 2026-11-26T17:00:00Z; by default now")
      .option("--for <time>", "lifetime of the revocation, at least that of the tokens; default and maximum: 30d")
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern revoke consumer alice --all -m 'phone is lost'": "" }))
    .action(async (name, tier, options) => finish(await (await revocations()).consumer(name, tier, options), options));
  addControlOptions(revoke.command("list").description("list a tier's revocations").argument("<tier>"))
    .addHelpText("after", examples({ "npx postern revoke list wallet": "" }))
    .action(async (tier, options) => finish(await (await revocations()).list(tier, options), options));
  addControlOptions(
    revoke
      .command("undo")
      .description("undo a revocation; requires the role admin")
      .argument("<tier>")
      .argument("<entry>"),
  )
    .addHelpText("after", examples({ "npx postern revoke undo wallet 1fe43f7b": "" }))
    .action(async (tier, id, options) => finish(await (await revocations()).undo(tier, id, options), options));
};
