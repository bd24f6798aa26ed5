/** CLI definition of `init`. */
import { type Command, Option } from "@commander-js/extra-typings";
import { examples, finish, force, json } from "../options.ts";

const template = new Option("--template <name>", "what the first tiers are; by default minimal").choices([
  "minimal",
  "mobile",
  "samples",
  "from-openapi",
] as const);

export const addInitCommand = (program: Command): void => {
  program
    .command("init")
    .description("write a project: a first tier with its cases, environments, workflows; existing files stay")
    .argument("[folder]", "by default here")
    .addOption(template)
    .option("--openapi <file>", "make the first tier from this OpenAPI document")
    .option("--upstream <url>", "the service behind the document; by default the document's server")
    .option("--name <name>", "the name in package.json; by default the folder's")
    .addOption(force)
    .option("-y, --yes", "ask nothing")
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern init my-gateway": "one tier, one sample service",
        "npx postern init": "in an existing repository",
        "npx postern init --template samples": "the tiers of Postern's own documentation",
        "npx postern init --openapi shop.yaml": "a route for each operation of the document",
      }),
    )
    .action(async (folder, options) => finish(await (await import("./init.ts")).init(folder, options), options));
};
