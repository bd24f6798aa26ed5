/** `postern staged`: checks the manifests that are staged, and nothing else, because a slow hook gets disabled. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { manifestFiles } from "../../compiler/compile.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import { count, renderProblems } from "../../diagnostics/report.ts";
import { schemaLines } from "../../repository/schema-lines.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { check } from "./check.ts";

/** The files in git's index, which may differ from the work tree. */
export const staged = ({ root }: { readonly root: string }): Outcome => {
  const changed = git(root, ["diff", "--cached", "--name-only", "--relative", "-z", "--diff-filter=d", "--", "routes"])
    .split("\0")
    .filter((it) => it.endsWith(".yaml"));
  const deleted = git(root, ["diff", "--cached", "--name-only", "--relative", "-z", "--diff-filter=D", "--", "routes"]);
  if (changed.length === 0 && deleted === "")
    return { exitCode: 0, text: "no manifest is staged\n", data: { files: [], problems: [] } };
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "postern-staged-"));
  try {
    checkOut(root, scratch);
    const { data } = check({ root: scratch });
    const manifests = manifestFiles(scratch);
    // A file that tiers share can break any of them.
    const all = deleted !== "" || changed.some((it) => !manifests.includes(it));
    const { problems } = data as { readonly problems: readonly Problem[] };
    const ownProblems = problems.filter(({ file }) => all || changed.includes(file));
    const broken = new Set(ownProblems.map(({ file }) => file)).size;
    const lines = schemaLines(scratch)
      .filter(({ file }) => changed.includes(file))
      .map(({ file }) => `${file}:1  lacks the line that names its schema for editors; npx postern repo writes it\n`);
    const text = [renderProblems(ownProblems, { read: manifests.length, broken }), lines.join("")]
      .filter(Boolean)
      .join("\n");
    return {
      exitCode: text === "" ? 0 : 1,
      text: text || `${count(changed.length, "file")} staged, and all of them are valid\n`,
      data: { files: changed, problems: ownProblems, withoutSchema: lines.length },
    };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
};

const checkOut = (root: string, scratch: string): void => {
  const files = git(root, ["ls-files", "-z", "--", "routes"]);
  const folder = git(root, ["rev-parse", "--show-prefix"]).trim();
  const fullCopy = path.join(scratch, "all");
  // Git writes a link as a file that holds its target, so that nothing outside is read.
  execFileSync(
    "git",
    ["-c", "core.symlinks=false", "checkout-index", "--stdin", "-z", `--prefix=${fullCopy}${path.sep}`],
    {
      cwd: root,
      input: files,
      stdio: ["pipe", "ignore", "pipe"],
    },
  );
  fs.renameSync(path.join(fullCopy, folder, "routes"), path.join(scratch, "routes"));
};

/** @throws outside of a git repository */
const git = (root: string, args: readonly string[]): string => {
  try {
    return execFileSync("git", args, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch {
    throw new Error(`${root} is not in a git repository, so nothing is staged there`);
  }
};
