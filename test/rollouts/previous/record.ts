/**
 * Records the Workers of a commit for `recorded.ts`: `node test/rollouts/previous/record.ts <commit>`. The recording is
 * committed, because CI's clone may be shallow. Run it after a release, with the release's commit.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { filesOf, home, writeProject } from "./project.ts";
import { type Recorded, stand, write } from "./recorded.ts";

const [commit = ""] = process.argv.slice(2);
const git = (...words: readonly string[]) => execFileSync("git", words, { cwd: home, encoding: "utf8" }).trim();
const id = git("rev-parse", "--verify", `${commit}^{commit}`);
if (git("diff", "--name-only", id, "--", "package-lock.json") !== "")
  process.stderr.write("package-lock.json has changed since: the Workers are built with today's packages\n");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-previous-"));
try {
  const tool = path.join(folder, "tool");
  const project = path.join(folder, "project");
  git("worktree", "add", "--detach", tool, id);
  fs.symlinkSync(path.join(home, "node_modules"), path.join(tool, "node_modules"));
  writeProject(project, filesOf(stand.api, stand.edge));
  const words = [path.join(tool, "infra/cli.ts"), "build", "--root", project, "--env", "local", "--json"];
  const { workers } = JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8" }));
  const recorded = {
    commit: id,
    workers: (workers as Recorded["workers"]).map((it) => ({ ...it, files: filesIn(path.join(project, it.folder)) })),
  };
  process.stdout.write(`${write(recorded)} bytes, ${recorded.workers.map(({ worker }) => worker).join(", ")}\n`);
} finally {
  git("worktree", "remove", "--force", path.join(folder, "tool"));
  fs.rmSync(folder, { recursive: true, force: true });
}

function filesIn(at: string): Record<string, string> {
  return Object.fromEntries(fs.readdirSync(at).map((name) => [name, fs.readFileSync(path.join(at, name), "utf8")]));
}
