/** Commands for authors of manifests: build, routes, dev, explain, sign, gen and new. */
import type { Command } from "@commander-js/extra-typings";
import { body, checkOnly, environment, examples, finish, header, isolates, json, root } from "../options.ts";

export const addProjectCommands = (program: Command): void => {
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
        "npx postern build": "the front and all gates",
        "npx postern build --tier wallet": "one gate, even when others have problems",
      }),
    )
    .action(async (options) => finish(await (await import("./build.ts")).build(options), options));

  program
    .command("routes")
    .description("list the routes: method, path, filters in order, upstream")
    .addOption(environment("production"))
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern routes": "as a table", "npx postern routes --json": "as JSON" }))
    .action(async (options) => finish(await (await import("./routes.ts")).routes(options), options));

  program
    .command("dev")
    .description("run the front, the gates and sample services here, and reload after edits")
    .addOption(environment("local"))
    .addOption(root)
    .addOption(json)
    .option("-p, --port <number>", "the port of the front", "8787")
    .option("--split <per cent>", "share of the requests for an edit; the rest go to the previous version", "100")
    .addOption(isolates)
    .addHelpText(
      "after",
      examples({
        "npx postern dev": "on http://localhost:8787",
        "npx postern dev --port 9000": "on another port",
        "npx postern dev --split 10": "sends a tenth of the requests to each edit",
      }),
    )
    .action(async (options) => finish(await (await import("../../dev/dev.ts")).dev(options), options));
};

export const addRequestCommands = (program: Command): void => {
  program
    .command("explain")
    .description("show which route matches a request, and what each filter decides: here, or at a running gate")
    .argument("[method]", "such as GET")
    .argument("[url]", "as a client would request it")
    .addOption(environment("local"))
    .addOption(root)
    .addOption(json)
    .addOption(header)
    .addOption(body)
    .option("--ip <address>", "the client's IP address", "192.0.2.1")
    .option("--gray <key>", "the gray key, which weights and a cutover use when no consumer is known")
    .option("--online", "fetch the issuers' keys; no other request leaves this machine")
    .option("--at <url>", "send the request to the gates that run there, with a token for them")
    .option("--why-not <tier/route>", "show which of this route's conditions the request does not meet")
    .option("--init", "create a key for such tokens, and print what to add to the environment")
    .addHelpText(
      "after",
      examples({
        "npx postern explain GET http://localhost:8787/wallet/v1/accounts/7/balance": "here, without the network",
        "npx postern explain --why-not wallet/transfer GET <url>": "why another route does not match it",
        "npx postern explain --at http://localhost:8787 GET /open/v1/rates/USD": "at the dev loop",
      }),
    )
    .action(async (method, url, options) =>
      finish(await (await import("./explain.ts")).explain(method, url, options), options),
    );

  program
    .command("sign")
    .description(
      "sign a request, its headers and its body as a client would (RFC 9421), with a key of the dev loop; prints a configuration for curl",
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
      finish(await (await import("./sign.ts")).sign(method, url, options), options),
    );
};

export const addPartCommands = (program: Command): void => {
  program
    .command("gen")
    .description("write the generated files: the editor's schemas, and a page for each part of the project")
    .addOption(root)
    .addOption(json)
    .addOption(checkOnly)
    .addHelpText(
      "after",
      examples({
        "npx postern gen": "after adding or editing a part, and after an upgrade",
        "npx postern gen --check": "in CI",
      }),
    )
    .action(async (options) => finish(await (await import("./gen.ts")).gen(options), options));

  program
    .command("new")
    .description(
      "scaffold a filter or an upstream: its source, a test where vitest is installed, and the generated files",
    )
    .argument("<kind>", "filter or upstream")
    .argument("<name>", "lower case, with hyphens")
    .option("--identity", "a filter that identifies callers, with the hooks for test, sign, diff and audit")
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern new filter geo-fence": "functions/filters/geo-fence.ts" }))
    .action(async (kind, name, options) =>
      finish(await (await import("./new.ts")).scaffold(kind, name, options), options),
    );
};
