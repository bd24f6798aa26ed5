/** CLI definitions of `import` and `export`. */
import { type Command, Option } from "@commander-js/extra-typings";
import { environment, examples, finish, force, json, root } from "../options.ts";

const acceptGaps = new Option("--accept-gaps", "exit with 0 even if something is left out; default: exit with 1");

export const addImportCommands = (program: Command): void => {
  const imports = program
    .command("import")
    .description("make manifests from a document in another language, and list what has no equivalent");

  imports
    .command("openapi")
    .description("make a tier from an OpenAPI document, 3.0 to 3.2: a route for each operation")
    .argument("<file>", "JSON or YAML")
    .option("--tier <name>", "name of the tier; by default the name of the file")
    .option("--host <name>", "host of the tier; by default the host of the document's server")
    .option("--base <path>", "prefix of every path; by default the path of the document's server")
    .option("--upstream <url>", "the service behind it; by default the document's server")
    .addOption(force)
    .addOption(acceptGaps)
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern import openapi shop.yaml --host api.acme.example": "calls the server that the document names",
        "npx postern import openapi shop.yaml --upstream https://shop.internal":
          "serves the host that the document names",
      }),
    )
    .action(async (file, options) => finish((await import("./import.ts")).importOpenApiFile(file, options), options));

  imports
    .command("gateway-api")
    .description("make tiers from the Kubernetes Gateway API: Gateways, HTTPRoutes, ReferenceGrants, Services")
    .argument("<source>", "a YAML or JSON file, a folder with its subfolders, or - for stdin")
    .option("--tier <name>", "name of the tier; the prefix of their names if there are several")
    .option("--host <name...>", "host of routes that name none; by default the variable gateway-host")
    .option("--gateway <name>", "import only this Gateway's routes, if several have addresses of their own")
    .option(
      "--service-url <text>",
      "URL of each Service: 'https://{name}.{namespace}.acme.example:{port}'; by default a variable",
    )
    .addOption(force)
    .addOption(acceptGaps)
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern import gateway-api k8s/ --tier shop": "all files of a folder and its subfolders",
        "kubectl get gtw,httproute,svc -Ao yaml | npx postern import gateway-api -": "what a cluster runs",
      }),
    )
    .action(async (source, options) =>
      finish((await import("./import.ts")).importGatewayApiFiles(source, options), options),
    );

  addExportCommands(program);
};

const addExportCommands = (program: Command): void => {
  const exports = program
    .command("export")
    .description("write what the gates expose: as OpenAPI for programs, as pages for people");

  exports
    .command("openapi")
    .description("write OpenAPI 3.1 of what the gates expose: operations, security, limits, problems")
    .argument("[tier...]", "by default all")
    .option("-o, --out <file>", "write to this file, and list what OpenAPI cannot express")
    .addOption(acceptGaps)
    .addOption(environment("production"))
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern export openapi wallet": "one tier, to stdout",
        "npx postern export openapi -o api.json": "all tiers, to a file",
      }),
    )
    .action(async (tiers, options) => finish((await import("./export.ts")).exportOpenApiFile(tiers, options), options));

  exports
    .command("site")
    .description("write a reference for API consumers as static pages, which load nothing from the network")
    .argument("[tier...]", "by default all")
    .option("-o, --out <folder>", "folder of the pages", "site")
    .addOption(acceptGaps)
    .addOption(environment("production"))
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern export site -o public": "then open public/index.html" }))
    .action(async (tiers, options) => finish((await import("./export.ts")).exportSite(tiers, options), options));
};
