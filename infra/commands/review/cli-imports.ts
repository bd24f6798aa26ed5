/** CLI definitions of `import` and `export`. */
import { type Command, Option } from "@commander-js/extra-typings";
import { environment, examples, finish, force, json, root } from "../options.ts";

const acceptGaps = new Option("--accept-gaps", "exit with 0 although something is left out; without it, with 1");

export const addImportCommands = (program: Command): void => {
  const imports = program
    .command("import")
    .description("make manifests of a document in another language; what has no equivalent is listed");

  imports
    .command("openapi")
    .description("make a tier of an OpenAPI document, 3.0 to 3.2: a route for each operation")
    .argument("<file>", "JSON or YAML")
    .option("--tier <name>", "what to call it; by default as the file is called")
    .option("--host <name>", "where it is served; by default the host of the document's server")
    .option("--base <path>", "put before every path; by default the path of the document's server")
    .option("--upstream <url>", "the service behind it; by default the document's server")
    .addOption(force)
    .addOption(acceptGaps)
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern import openapi shop.yaml --host api.acme.example": "in front of the server that it names",
        "npx postern import openapi shop.yaml --upstream https://shop.internal": "on the host that it names",
      }),
    )
    .action(async (file, options) => finish((await import("./import.ts")).importOpenApiFile(file, options), options));

  imports
    .command("gateway-api")
    .description("make tiers of the Kubernetes Gateway API: Gateways, HTTPRoutes, ReferenceGrants, Services")
    .argument("<source>", "a YAML or JSON file, a folder with its subfolders, or - for stdin")
    .option("--tier <name>", "what to call it; with several, what their names begin with")
    .option("--host <name...>", "where routes are served that name no host; by default the variable gateway-host")
    .option("--gateway <name>", "the only one whose routes are wanted, where several have addresses of their own")
    .option(
      "--service-url <text>",
      "of each Service: 'https://{name}.{namespace}.acme.example:{port}'; by default a variable",
    )
    .addOption(force)
    .addOption(acceptGaps)
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern import gateway-api k8s/ --tier shop": "all files of a folder, and of those in it",
        "kubectl get gtw,httproute,svc -Ao yaml | npx postern import gateway-api -": "what a cluster has",
      }),
    )
    .action(async (source, options) =>
      finish((await import("./import.ts")).importGatewayApiFiles(source, options), options),
    );

  addExportCommands(program);
};

const addExportCommands = (program: Command): void => {
  const exports = program.command("export").description("write what the gates expose: for programs, and for people");

  exports
    .command("openapi")
    .description("write OpenAPI 3.1 of what the gates really expose: operations, security, limits, problems")
    .argument("[tier...]", "by default all")
    .option("-o, --out <file>", "write it to a file, and list what it lacks")
    .addOption(acceptGaps)
    .addOption(environment("production"))
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern export openapi wallet": "one tier, on stdout",
        "npx postern export openapi -o api.json": "all of them",
      }),
    )
    .action(async (tiers, options) => finish((await import("./export.ts")).exportOpenApiFile(tiers, options), options));

  exports
    .command("site")
    .description("write a page of reference of the same, for the people who call it: static, with no network")
    .argument("[tier...]", "by default all")
    .option("-o, --out <folder>", "write it there", "site")
    .addOption(acceptGaps)
    .addOption(environment("production"))
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern export site -o public": "then open public/index.html" }))
    .action(async (tiers, options) => finish((await import("./export.ts")).exportSite(tiers, options), options));
};
