/** `postern staged`: checks the manifests that are staged, and nothing else, since a slow hook is switched off. */
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
  const gone = git(root, ["diff", "--cached", "--name-only", "--relative", "-z", "--diff-filter=D", "--", "routes"]);
  if (changed.length === 0 && gone === "")
    return { exitCode: 0, text: "no manifest is staged\n", data: { files: [], problems: [] } };
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "postern-staged-"));
  try {
    checkOut(root, scratch);
    const { data } = check({ root: scratch });
    const manifests = manifestFiles(scratch);
    // A file that tiers share can break any of them.
    const all = gone !== "" || changed.some((it) => !manifests.includes(it));
    const { problems } = data as { readonly problems: readonly Problem[] };
    const own = problems.filter(({ file }) => all || changed.includes(file));
    const broken = new Set(own.map(({ file }) => file)).size;
    const lines = schemaLines(scratch)
      .filter(({ file }) => changed.includes(file))
      .map(({ file }) => `${file}:1  lacks the line that tells editors its schema; npx postern repo writes it\n`);
    const text = [renderProblems(own, { read: manifests.length, broken }), lines.join("")].filter(Boolean).join("\n");
    return {
      exitCode: text === "" ? 0 : 1,
      text: text || `${count(changed.length, "file")} staged, and all of them hold\n`,
      data: { files: changed, problems: own, withoutSchema: lines.length },
    };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
};

const checkOut = (root: string, scratch: string): void => {
  const files = git(root, ["ls-files", "-z", "--", "routes"]);
  const folder = git(root, ["rev-parse", "--show-prefix"]).trim();
  const whole = path.join(scratch, "all");
  // Git writes a link as a file that holds its target, so that nothing outside is read.
  execFileSync(
    "git",
    ["-c", "core.symlinks=false", "checkout-index", "--stdin", "-z", `--prefix=${whole}${path.sep}`],
    {
      cwd: root,
      input: files,
      stdio: ["pipe", "ignore", "pipe"],
    },
  );
  fs.renameSync(path.join(whole, folder, "routes"), path.join(scratch, "routes"));
};

/** @throws where there is no repository */
const git = (root: string, args: readonly string[]): string => {
  try {
    return execFileSync("git", args, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch {
    throw new Error(`${root} is in no repository of git, so nothing is staged there`);
  }
};
