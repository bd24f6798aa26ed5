/** `postern init`: writes a project: a first tier with its cases, environments, and what a repository needs around them. */
import fs from "node:fs";
import path from "node:path";
import pc from "picocolors";
import { environmentNames } from "../../compiler/check/shared-files.ts";
import { compile } from "../../compiler/compile.ts";
import { type Problem, sortDiagnostics } from "../../diagnostics/problem.ts";
import { count, renderProblems } from "../../diagnostics/report.ts";
import { ownManifests, planProject, writeProject } from "../../init/project-files.ts";
import { type Template, type TemplateName, templateOf } from "../../init/templates.ts";
import { useProject } from "../../project/project.ts";
import { gapLines, isIncomplete } from "../../review/import/imported.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { confirm } from "../../terminal/prompt.ts";
import { toOneLine } from "../../terminal/terminal.ts";
import { repo } from "../authoring/repo.ts";
import { writeFirstCases } from "../review/first-cases.ts";

interface InitOptions {
  readonly template?: TemplateName | undefined;
  readonly openapi?: string | undefined;
  readonly upstream?: string | undefined;
  readonly name?: string | undefined;
  readonly force?: true | undefined;
  readonly yes?: true | undefined;
}

export const init = async (folder: string | undefined, options: InitOptions): Promise<Outcome> => {
  const root = path.resolve(folder ?? ".");
  const invalid = usageProblem(options);
  if (invalid !== undefined) return usageError(invalid);
  const template = chosenTemplate(options, root);
  const existing = ownManifests(root, template);
  const isExplicit = options.template !== undefined || options.openapi !== undefined;
  if (existing.length > 0 && isExplicit)
    return usageError(
      `${existing[0]} is there already; a template is for a project without manifests (npx postern import openapi adds a tier)`,
    );
  const name = options.name ?? packageName(path.basename(root));
  if (!packagePattern.test(name))
    return usageError(`"${name}" is no name of a package; write --name with lower case, digits and hyphens`);
  if (!options.yes && isForeign(root) && !(await confirm(`${root} is not empty. Write a project into it?`)))
    return usageError("nothing was written");
  // A project that is there already may have parts of its own: schemas and the check at the end know them.
  await useProject(root);
  const planned = planProject({
    root,
    name,
    template: existing.length > 0 ? undefined : template,
    withWorkflows: [root, undefined].includes(repositoryOf(root)),
  });
  const { written, kept } = writeProject(root, planned, options.force === true);
  const cases = options.openapi ? await firstCases(root) : [];
  const problems = problemsOf(root);
  const owners = problems.length === 0 ? ((repo({ root }).data as { readonly written?: string[] }).written ?? []) : [];
  const all = { written: [...written, ...cases, ...owners], kept, notes: planned.notes, gaps: template.gaps, problems };
  const next = nextCommands(root, folder);
  return {
    exitCode: problems.length > 0 || isIncomplete(template.gaps) ? 1 : 0,
    text: render(all, root, next),
    data: { root, ...all, next },
  };
};

const usageError = (text: string): Outcome => ({ exitCode: 2, text, data: { error: text } });

const usageProblem = ({ template, openapi, upstream }: InitOptions): string | undefined => {
  if (template === "from-openapi" && openapi === undefined)
    return "the template from-openapi needs a document: --openapi shop.yaml";
  if (openapi !== undefined && template !== undefined && template !== "from-openapi")
    return `--openapi makes the first tier, and so does --template ${template}; give one of the two`;
  if (upstream !== undefined && openapi === undefined)
    return "--upstream is the service behind a document of --openapi";
  return undefined;
};

const chosenTemplate = ({ template = "minimal", openapi, upstream }: InitOptions, root: string): Template =>
  openapi !== undefined
    ? templateOf({ openapi, upstream }, root)
    : templateOf(template === "from-openapi" ? "minimal" : template, root);

/** A name of npm, without a scope. */
const packagePattern = /^[a-z0-9][a-z0-9._-]{0,213}$/;

const packageName = (folder: string): string =>
  folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/^[^a-z0-9]+|-+$/g, "") || "gateway";

/** Whether the folder holds something that is no project, such as a home folder. */
const isForeign = (root: string): boolean => {
  if (!fs.existsSync(root)) return false;
  const names = fs.readdirSync(root);
  return names.length > 0 && !["package.json", ".git", "routes"].some((it) => names.includes(it));
};

/** The root of the git repository that the folder is in. It need not exist yet. */
const repositoryOf = (folder: string): string | undefined => {
  if (fs.existsSync(path.join(folder, ".git"))) return folder;
  const parent = path.dirname(folder);
  return parent === folder ? undefined : repositoryOf(parent);
};

const firstCases = async (root: string): Promise<readonly string[]> => {
  const { data } = await writeFirstCases([], { root, env: "local" });
  return (data as { readonly written?: readonly string[] }).written ?? [];
};

const problemsOf = (root: string): readonly Problem[] =>
  sortDiagnostics(environmentNames(root).flatMap((name) => compile(root, name).problems));

/** To be typed into the shell that ran `init`. */
const nextCommands = (root: string, folder: string | undefined): string[] => {
  const { scripts = {} } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
  const dev = Object.keys(scripts).find((name) => scripts[name] === "postern dev") ?? "dev";
  const [, manager = "npm"] = /^(npm|pnpm|yarn|bun)\//.exec(process.env.npm_config_user_agent ?? "") ?? [];
  const enter = path.relative(process.cwd(), root) === "" ? [] : [`cd ${shellWord(folder ?? root)}`];
  return [...enter, `${manager} install`, `${manager} run ${dev}`];
};

const shellWord = (text: string): string => (/^[\w./~-]+$/.test(text) ? text : JSON.stringify(text));

interface Summary {
  readonly written: readonly string[];
  readonly kept: readonly string[];
  readonly notes: readonly string[];
  readonly gaps: Template["gaps"];
  readonly problems: readonly Problem[];
}

const render = ({ written, kept, notes, gaps, problems }: Summary, root: string, next: readonly string[]): string =>
  [
    written.length === 0 ? "nothing to write\n" : `wrote ${count(written.length, "file")} into ${toOneLine(root)}\n`,
    ...[...Map.groupBy(written, (file) => file.split("/")[0] ?? "")].map(([top, files]) => {
      const [first = ""] = files;
      return `  ${files.length === 1 ? first : `${top}/`.padEnd(14) + pc.dim(count(files.length, "file"))}\n`;
    }),
    ...kept.map((file) => `kept ${file}, which was there already; --force replaces it\n`),
    ...notes.map((it) => `note: ${toOneLine(it)}\n`),
    problems.length > 0 ? renderProblems(problems, { read: 1, broken: 1 }) : "",
    ...gapLines(gaps).map((it) => `${pc.yellow("no equivalent")}  ${toOneLine(it)}\n`),
    `\nNext:\n\n${next.map((it) => `  ${it}\n`).join("")}`,
  ].join("");
