/** Commands for reviews: what manifests do, and what a change of them does before it is merged. */
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
  addDiffCommands(program);
  addRepositoryCommands(program);
};

/** diff and effective. */
const addDiffCommands = (program: Command): void => {
  program
    .command("diff")
    .description(
      "show the effect of a change to manifests: who gets access, which upstreams are called, which Workers get a new version",
    )
    .argument("<base>", "a commit (main, HEAD~1, origin/main...HEAD) or a folder with routes/ in it")
    .argument("[head]", "the same; by default the files in the work tree")
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
        "npx postern diff origin/main...HEAD": "the changes of a branch since it left main",
        "npx postern diff main --format markdown": "as a comment",
        "npx postern diff main --fail-on high": "to block risky changes",
      }),
    )
    .action(async (base, head, options) => finish((await import("./diff.ts")).diff(base, head, options), options));

  program
    .command("effective")
    .description("show the whole pipeline of a tier or a route as it will run: each value, with the line that sets it")
    .argument("<name>", "a tier, or <tier>/<route>")
    .addOption(environment("production"))
    .option("--yaml", "as an equivalent manifest with every default written out")
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern effective wallet/balance": "one route",
        "npx postern effective wallet --env local": "a tier, with the dev loop's values",
        "npx postern effective wallet --yaml": "with every default written out",
      }),
    )
    .action(async (name, options) =>
      finish((await import("../authoring/effective.ts")).effective(name, options), options),
    );
};

/** repo, staged and ci. */
const addRepositoryCommands = (program: Command): void => {
  program
    .command("repo")
    .description(
      "write CODEOWNERS from the manifests' owners, and the line in each manifest that names its schema for editors",
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
    .action(async (options) => finish((await import("../authoring/repo.ts")).repo(options), options));

  program
    .command("staged")
    .description("report the problems of the staged manifests, as git will commit them: for a hook")
    .addOption(root)
    .addOption(json)
    .addHelpText("after", examples({ "npx postern staged": "from .githooks/pre-commit" }))
    .action(async (options) => finish((await import("../authoring/staged.ts")).staged(options), options));

  program
    .command("ci")
    .description("run the checks of a pull request, in one report: check, repo --check, test, diff")
    .argument("[base]", "a commit or a folder, as `postern diff` takes it", "origin/main...")
    .addOption(failOn("a finding or a change", "high findings and no change"))
    .addOption(failUnder)
    .option("--annotate", "also print problems as annotations of a pull request")
    .option("--comment <file>", "write the comment of the pull request to a file, in Markdown")
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern ci": "compared with the commit where this branch left origin/main",
        "npx postern ci main... --comment comment.md": "as in the workflow",
      }),
    )
    .action(async (base, options) => finish(await (await import("./ci.ts")).ci(base, options), options));
};

export const addCheckCommand = (program: Command): void => {
  program
    .command("check")
    .description("report every problem of the manifests, in every environment, and the findings of an audit")
    .addOption(onlyEnvironment)
    .addOption(
      new Option("--format <format>", "github: annotations of a pull request; sarif: for code scanning").choices([
        "human",
        "github",
        "sarif",
      ] as const),
    )
    .addOption(failOn("a finding").default("high" as const))
    .option("--fix", "apply the fixes that need no decision")
    .addOption(new Option("--dry-run", "show what --fix would write").implies({ fix: true }))
    .addOption(root)
    .addOption(json)
    .addHelpText(
      "after",
      examples({
        "npx postern check": "all manifests, all environments",
        "npx postern check --env local": "with the dev loop's values",
        "npx postern check --format github": "in a workflow of GitHub Actions",
        "npx postern check --fix --dry-run": "what would be fixed",
      }),
    )
    .action(async ({ json, ...options }) => {
      const { check } = await import("../authoring/check.ts");
      // SARIF is for programs, so it is on stdout whatever the exit code.
      finish(check(options), { json: json ?? (options.format === "sarif" || undefined) });
    });
};
