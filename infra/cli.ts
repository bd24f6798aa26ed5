#!/usr/bin/env node
/** The verbs, nothing else. Each loads its module only when it is called. */
import { enableCompileCache } from "node:module";
import { Command, CommanderError } from "@commander-js/extra-typings";
import { addCheckVerb, addReviewVerbs } from "./commands/authoring/cli-reviews.ts";
import { addNoticeVerbs } from "./commands/operate/cli-notices.ts";
import { addOverlayVerbs } from "./commands/operate/cli-overlays.ts";
import { addRevocationVerbs } from "./commands/operate/cli-revocations.ts";
import { addRolloutVerbs } from "./commands/operate/cli-rollouts.ts";
import { addTelemetryVerbs } from "./commands/operate/cli-telemetry.ts";
import { addWaveVerbs } from "./commands/operate/cli-waves.ts";
import {
  body,
  checkOnly,
  environment,
  examples,
  finish,
  header,
  isolates,
  json,
  root,
  target,
} from "./commands/options.ts";
import { addPreviewVerbs } from "./commands/release/cli-previews.ts";
import { addReleaseVerbs } from "./commands/release/cli-releases.ts";
import { addImportVerbs } from "./commands/review/cli-imports.ts";
import { addTestVerb } from "./commands/review/cli-tests.ts";
import { exitCodes } from "./terminal/contract.ts";
import { warn, warnJson } from "./terminal/terminal.ts";

// What a verb loads need not be compiled anew each time, which is half of what most of them take.
enableCompileCache();

const program = new Command("postern")
  .description("An API gateway in which every business tier has a gate of its own.")
  .version("0.1.0")
  .showHelpAfterError("(--help shows what it takes)")
  .addHelpText(
    "after",
    `\nExit codes:\n${Object.entries(exitCodes)
      .map(([code, meaning]) => `  ${code}  ${meaning}`)
      .join("\n")}`,
  )
  .exitOverride();

addCheckVerb(program);

program
  .command("build")
  .description("write every Worker's bundle, plan and wrangler configuration into .build/")
  .addOption(environment("production"))
  .addOption(root)
  .addOption(json)
  .option("--tier <name>", "only this tier's gate")
  .addHelpText(
    "after",
    examples({
      "npx postern build": "front and gates",
      "npx postern build --tier wallet": "one gate, whatever the others are like",
    }),
  )
  .action(async (options) => finish(await (await import("./commands/authoring/build.ts")).build(options), options));

program
  .command("routes")
  .description("list the routes: method, path, filters in order, upstream")
  .addOption(environment("production"))
  .addOption(root)
  .addOption(json)
  .addHelpText("after", examples({ "npx postern routes": "as a table", "npx postern routes --json": "as JSON" }))
  .action(async (options) => finish(await (await import("./commands/authoring/routes.ts")).routes(options), options));

program
  .command("dev")
  .description("run front, gates and sample services here, and follow your edits")
  .addOption(environment("local"))
  .addOption(root)
  .addOption(json)
  .option("-p, --port <number>", "where the front listens", "8787")
  .option("--split <per cent>", "what an edit gets of the requests; the rest stays with what ran before", "100")
  .addOption(isolates)
  .addHelpText(
    "after",
    examples({
      "npx postern dev": "on http://localhost:8787",
      "npx postern dev --port 9000": "elsewhere",
      "npx postern dev --split 10": "tries each edit on a tenth of the requests",
    }),
  )
  .action(async (options) => finish(await (await import("./dev/dev.ts")).dev(options), options));

addReviewVerbs(program);
addTestVerb(program);
addImportVerbs(program);
addReleaseVerbs(program);
addPreviewVerbs(program);
addRolloutVerbs(program);
addWaveVerbs(program);
addOverlayVerbs(program);
addRevocationVerbs(program);
addTelemetryVerbs(program);
addNoticeVerbs(program);

const secrets = program.command("secrets").description("the secrets that tiers name: what is missing, and setting one");

secrets
  .command("list")
  .description("list the secrets that each tier needs, and which are missing")
  .addOption(environment("local"))
  .addOption(target)
  .addOption(root)
  .addOption(json)
  .addHelpText("after", examples({ "npx postern secrets list --env production": "asks the platform" }))
  .action(async (options) => finish(await (await import("./commands/release/secrets.ts")).list(options), options));

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
    examples({ "npx postern secrets set PAY_SIGNING_KEY": "asks for the value, and does not show it" }),
  )
  .action(async (name, options) => {
    const [{ set }, { hidden }] = await Promise.all([
      import("./commands/release/secrets.ts"),
      import("./terminal/prompt.ts"),
    ]);
    finish(await set(name, options, () => hidden(name)), options);
  });

secrets
  .command("consumers-key")
  .description("make the key that entries of consumers are signed with, and say what belongs into the environment")
  .addOption(environment("local"))
  .addOption(root)
  .addOption(json)
  .addHelpText(
    "after",
    examples({
      "npx postern secrets consumers-key --env production": "a pair in .secrets, of which the public half is printed",
    }),
  )
  .action(async (options) => finish((await import("./commands/release/secrets.ts")).consumersKey(options), options));

program
  .command("explain")
  .description("say which route takes a request, and what each filter makes of it: here, or at a running gate")
  .argument("[method]", "such as GET")
  .argument("[url]", "as a client would ask for it")
  .addOption(environment("local"))
  .addOption(root)
  .addOption(json)
  .addOption(header)
  .addOption(body)
  .option("--ip <address>", "the client's", "192.0.2.1")
  .option("--gray <key>", "the gray key, which weights and a cutover go by where no consumer is known")
  .option("--online", "ask issuers for their keys; nothing else leaves this machine")
  .option("--at <url>", "ask the gates that run there, with a token for them")
  .option("--why-not <tier/route>", "say which of this route's conditions the request does not fulfil")
  .option("--init", "make a key for such tokens, and say what belongs into the environment")
  .addHelpText(
    "after",
    examples({
      "npx postern explain GET http://localhost:8787/wallet/v1/accounts/7/balance": "here, with no network",
      "npx postern explain --why-not wallet/transfer GET <url>": "why another route does not take it",
      "npx postern explain --at http://localhost:8787 GET /open/v1/rates/USD": "at the dev loop",
    }),
  )
  .action(async (method, url, options) =>
    finish(await (await import("./commands/authoring/explain.ts")).explain(method, url, options), options),
  );

program
  .command("sign")
  .description(
    "sign a request with a key of the dev loop, its headers and body too, as a client would (RFC 9421); prints a configuration for curl",
  )
  .argument("<method>", "such as POST")
  .argument("<url>", "of the dev loop: http://localhost:8787/pay/v1/…")
  .addOption(body)
  .addOption(header)
  .option("-k, --key <id>", "the key's id, where the tier has several")
  .addOption(root)
  .addOption(json)
  .addHelpText(
    "after",
    examples({
      "npx postern sign GET <url> | curl -s -K -": "signs and sends",
      "npx postern sign POST <url> -d '{}'": "with a body",
    }),
  )
  .action(async (method, url, options) =>
    finish(await (await import("./commands/authoring/sign.ts")).sign(method, url, options), options),
  );

program
  .command("gen")
  .description("write what is generated: registries, schemas, reference docs")
  .addOption(json)
  .addOption(checkOnly)
  .addHelpText(
    "after",
    examples({ "npx postern gen": "after adding a part or a tier", "npx postern gen --check": "in CI" }),
  )
  .action(async (options) => finish(await (await import("./commands/authoring/gen.ts")).gen(options), options));

program
  .command("new")
  .description("begin a filter or an upstream: one source file, one test file, and what is generated")
  .argument("<kind>", "filter or upstream")
  .argument("<name>", "lower case, with hyphens")
  .option("--identity", "a filter that knows who is calling, with what tests, sign, diff and audit need of it")
  .addOption(json)
  .addHelpText("after", examples({ "npx postern new filter geo-fence": "functions/filters/geo-fence.ts and its test" }))
  .action(async (kind, name, options) =>
    finish(await (await import("./commands/authoring/new.ts")).scaffold(kind, name, options), options),
  );

/** What to do about it, where the error says so. */
const remedyOf = (error: unknown): string | undefined =>
  error instanceof Error && "remedy" in error && typeof error.remedy === "string" ? error.remedy : undefined;

// Who has read enough, such as `head`, closes the pipe: nothing is wrong then, and the exit code stays the verb's.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    const message = error instanceof Error ? error.message : String(error);
    const remedy = remedyOf(error);
    if (process.argv.includes("--json")) warnJson({ error: message, remedy });
    else warn(`postern: ${message}${remedy === undefined ? "" : `\n         ${remedy}`}`);
    process.exitCode = 3;
  }
}
