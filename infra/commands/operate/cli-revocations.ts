/** The verbs of revocations. */
import { type Command, Option } from "@commander-js/extra-typings";
import { addControlOptions, examples, finish, message } from "../options.ts";

const revocations = () => import("./revoke.ts");
const all = () => new Option("--all", "of each tier that trusts the issuer");
const issuer = () => new Option("--issuer <iss>", "who issued it, where tiers trust several");

export const addRevocationCommands = (program: Command): void => {
  const revoke = program
    .command("revoke")
    .description("take tokens back at running gates, within seconds; only hashes of what names them are sent");
  addControlOptions(
    revoke
      .command("token")
      .description("one token, which comes from a pipe or a prompt, until it has expired")
      .argument("[tier]")
      .addOption(all())
      .option("--jti <id>", "the token's `jti`, in place of the token")
      .addOption(issuer())
      .option("--for <time>", "30d at most; by default as long as the token lives")
      .addOption(message),
  )
    .addHelpText(
      "after",
      examples({
        "npx postern revoke token wallet < token": "its `jti` must be in it",
        "npx postern revoke token --all --jti 7d1c": "at every tier, where the token is not at hand",
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
      .description("all tokens of a consumer that were issued until now")
      .argument("<name>", "as access lines have it; by default the token's `sub`")
      .argument("[tier]")
      .addOption(all())
      .addOption(issuer())
      .option("--issued-before <time>", "such as 2026-11-26T17:00:00Z; by default now")
      .option("--for <time>", "until such tokens have expired; by default 30d, which is the most")
      .addOption(message),
  )
    .addHelpText("after", examples({ "npx postern revoke consumer alice --all -m 'phone is lost'": "" }))
    .action(async (name, tier, options) => finish(await (await revocations()).consumer(name, tier, options), options));
  addControlOptions(revoke.command("list").description("what is revoked of a tier").argument("<tier>"))
    .addHelpText("after", examples({ "npx postern revoke list wallet": "" }))
    .action(async (tier, options) => finish(await (await revocations()).list(tier, options), options));
  addControlOptions(
    revoke
      .command("undo")
      .description("let in again what was taken back; an admin does")
      .argument("<tier>")
      .argument("<entry>"),
  )
    .addHelpText("after", examples({ "npx postern revoke undo wallet 1fe43f7b": "" }))
    .action(async (tier, id, options) => finish(await (await revocations()).undo(tier, id, options), options));
};
