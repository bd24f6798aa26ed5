/**
 * `postern repo`: writes CODEOWNERS from the manifests' owners, and the line in each manifest that names its schema.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { environmentNames } from "../../compiler/check/shared-files.ts";
import { compile } from "../../compiler/compile.ts";
import { renderProblems } from "../../diagnostics/report.ts";
import { isStale, writeChanged } from "../../project/generated-files.ts";
import { codeOwnersFile } from "../../repository/code-owners.ts";
import { schemaLines } from "../../repository/schema-lines.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface RepoOptions {
  readonly root: string;
  readonly check?: true | undefined;
}

export const repo = ({ root, check }: RepoOptions): Outcome => {
  const [env] = environmentNames(root);
  if (env === undefined) throw new Error("there is no environment; write routes/environments/local.yaml");
  const compiled = compile(root, env);
  // A manifest whose owner is unreadable would drop out of CODEOWNERS without a word.
  if (compiled.missing.length > 0)
    return { exitCode: 1, text: renderProblems(compiled.problems, compiled), data: { problems: compiled.problems } };
  const top = repositoryRoot(root);
  const prefix = path.relative(top, fs.realpathSync(root)).replaceAll(path.sep, "/");
  const tiers = compiled.tiers.map(({ checked }) => checked);
  const owners = codeOwnersFile(top, prefix === "" ? "" : `${prefix}/`, tiers);
  const lines = schemaLines(root);
  const notes = owners.unowned.map((it) => `note: ${it}\n`).join("");
  if (!check) {
    const written = [...writeChanged([owners], top), ...writeChanged(lines, root)];
    const text = written.map((it) => `wrote ${it}\n`).join("") || "nothing to write\n";
    return { exitCode: 0, text: text + notes, data: { written, unowned: owners.unowned } };
  }
  const problems = [
    ...(isStale(owners, top) ? [`${owners.file}  does not say what the manifests' owners say`] : []),
    ...lines.map(({ file }) => `${file}:1  lacks the line that tells editors its schema`),
  ];
  const text =
    problems.length > 0
      ? `${problems.join("\n")}\nnpx postern repo writes all of it\n`
      : "owners and schema lines are as they have to be\n";
  return { exitCode: problems.length > 0 ? 1 : 0, text: text + notes, data: { problems, unowned: owners.unowned } };
};

/** The repository's root, or the project's folder outside of a repository. */
const repositoryRoot = (root: string): string => {
  try {
    return execFileSync("git", ["rev-parse", "--show-toplevel"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return fs.realpathSync(root);
  }
};
