/** The verbs of a review: what a change does, before it is merged. */
import { type Command, Option } from "@commander-js/extra-typings";
import { grades } from "../../review/risks.ts";
import { environment, examples, finish, json, root } from "./options.ts";

export const addReviewVerbs = (program: Command): void => {
  program
    .command("diff")
    .description("say what a change of the manifests does: who gets in, what is asked, which Workers get a new version")
    .argument("<base>", "a commit (main, HEAD~1, origin/main...HEAD) or a folder with routes/ in it")
    .argument("[head]", "the same; by default the files as they are")
    .option("-e, --env <name>", "only in this one of routes/environments")
    .addOption(
      new Option("--format <format>", "markdown: a comment of a pull request").choices(["human", "markdown"] as const),
    )
    .addOption(new Option("--fail-on <risk>", "exit with 5 where a change is as risky as this").choices(grades))
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern diff main": "your edits against main",
        "npx postern diff origin/main...HEAD": "what a branch has done since it left main",
        "npx postern diff main --format markdown": "as a comment",
        "npx postern diff main --fail-on high": "to stop what somebody has to be sure of",
      }),
    )
    .action(async (base, head, options) => finish((await import("../diff.ts")).diff(base, head, options), options));

  program
    .command("effective")
    .description(
      "show the whole pipeline of a tier or a route as it will run: each value, and the line that it comes from",
    )
    .argument("<name>", "a tier, or <tier>/<route>")
    .addOption(environment("production"))
    .option("--yaml", "as a manifest with everything written out, which means the same")
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern effective wallet/balance": "one route",
        "npx postern effective wallet --env local": "a tier, with the dev loop's values",
        "npx postern effective wallet --yaml": "with nothing left to defaults",
      }),
    )
    .action(async (name, options) => finish((await import("../effective.ts")).effective(name, options), options));
};
