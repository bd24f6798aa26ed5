/** A scratch repository whose first commit has these files; git asks nobody and signs nothing. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { type Files, writeProject } from "../../e2e/project.ts";

export const repository = (files: Files) => {
  const root = writeProject(files);
  const git = (...args: string[]) =>
    execFileSync(
      "git",
      [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@t.example",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "maintenance.auto=false",
        ...args,
      ],
      {
        cwd: root,
        encoding: "utf8",
      },
    ).trim();
  git("init", "-q", "-b", "main");
  const commit = (message: string) => {
    git("add", "-A");
    git("commit", "-q", "-m", message);
    return git("rev-parse", "HEAD");
  };
  commit("first");
  const write = (file: string, text: string) => fs.writeFileSync(path.join(root, file), text);
  return { root, git, commit, write };
};
