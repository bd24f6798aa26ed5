/** Commands of a review: what manifests do, and what a change of them does before it is merged. */
import { type Command, Option } from "@commander-js/extra-typings";
import {
  checkOnly,
  environment,
  examples,
  failOn,
  failUnder,
  finish,
  json,
  onlyEnvironment,
  root,
} from "../options.ts";

export const addReviewCommands = (program: Command): void => {
  program
    .command("diff")
    .description(
      "say what a change of the manifests does: who gets in, what is called, which Workers get a new version",
    )
    .argument("<base>", "a commit (main, HEAD~1, origin/main...HEAD) or a folder with routes/ in it")
    .argument("[head]", "the same; by default the files as they are")
    .addOption(onlyEnvironment)
    .addOption(
      new Option("--format <format>", "markdown: a comment of a pull request").choices(["human", "markdown"] as const),
    )
    .addOption(failOn("a change"))
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
    .action(async (base, head, options) =>
      finish((await import("../review/diff.ts")).diff(base, head, options), options),
    );

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
    .action(async (name, options) => finish((await import("./effective.ts")).effective(name, options), options));

  program
    .command("repo")
    .description(
      "write what a repository keeps beside its manifests: CODEOWNERS, and the line that tells editors the schema",
    )
    .addOption(checkOnly)
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern repo": "after adding a tier, or changing its owner",
        "npx postern repo --check": "in CI",
      }),
    )
    .action(async (options) => finish((await import("./repo.ts")).repo(options), options));

  program
    .command("staged")
    .description("say what is wrong with the manifests that are staged, as git will commit them: for a hook")
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern staged": "from .githooks/pre-commit" }))
    .action(async (options) => finish((await import("./staged.ts")).staged(options), options));

  program
    .command("ci")
    .description("all that a pull request has to pass, in one report: check, repo --check, test, diff")
    .argument("[base]", "a commit or a folder, as `postern diff` takes it", "origin/main...")
    .addOption(failOn("a finding or a change", "high findings and no change"))
    .addOption(failUnder)
    .option("--annotate", "say problems as annotations of a pull request, too")
    .option("--comment <file>", "write the comment of the pull request, in Markdown")
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern ci": "against where this branch left origin/main",
        "npx postern ci main... --comment comment.md": "as the workflow does it",
      }),
    )
    .action(async (base, options) => finish(await (await import("../review/ci.ts")).ci(base, options), options));
};

export const addCheckCommand = (program: Command): void => {
  program
    .command("check")
    .description("say everything that is wrong with the manifests, in every environment, and what an audit finds")
    .addOption(onlyEnvironment)
    .addOption(
      new Option("--format <format>", "github: annotations of a pull request; sarif: for code scanning").choices([
        "human",
        "github",
        "sarif",
      ] as const),
    )
    .addOption(failOn("a finding").default("high" as const))
    .option("--fix", "mend what can be mended without asking anybody")
    .addOption(new Option("--dry-run", "show what --fix would write").implies({ fix: true }))
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern check": "all manifests, all environments",
        "npx postern check --env local": "with the dev loop's values",
        "npx postern check --format github": "in a workflow of GitHub Actions",
        "npx postern check --fix --dry-run": "what would be mended",
      }),
    )
    .action(async ({ json, ...options }) => {
      const { check } = await import("./check.ts");
      // SARIF is for programs, so it is on stdout whatever the exit code.
      finish(check(options), { json: json ?? (options.format === "sarif" || undefined) });
    });
};
