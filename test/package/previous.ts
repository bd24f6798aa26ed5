/** The package that the commit before would have published: what people have who upgrade to this one. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../../infra/project/generated-files.ts";

const git = (...args: readonly string[]): string =>
  execFileSync("git", args, { cwd: codeRoot, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }).trim();

const code = ["functions", "infra", "create", "package.json"];

const holds = (commit: string, file: string): boolean => {
  try {
    git("cat-file", "-e", `${commit}:${file}`);
    return true;
  } catch {
    return false;
  }
};

/**
 * The newest commit whose code is not the one of this checkout. It needs the history: a clone of depth one has none.
 * @throws if there is none that can be packed
 */
const previousCommit = (): string => {
  const found = git("rev-list", "--first-parent", "--max-count=50", "HEAD")
    .split("\n")
    .find((it) => git("diff", "--stat", it, "--", ...code) !== "");
  if (found === undefined || !holds(found, "infra/package/stage.ts"))
    throw new Error("no commit before this one makes a package: the test needs the history of the repository");
  return found;
};

const packTimeoutMs = 300_000;

/**
 * @param folder where its code is written
 * @returns the tarball
 */
export const packPrevious = (version: string, folder: string): string => {
  const tree = path.join(folder, "tree");
  fs.mkdirSync(tree, { recursive: true });
  const archive = path.join(folder, "tree.tar");
  git("archive", `--output=${archive}`, previousCommit());
  execFileSync("tar", ["-xf", archive, "-C", tree]);
  fs.symlinkSync(path.join(codeRoot, "node_modules"), path.join(tree, "node_modules"));
  const script = `import { pack, stage } from "./infra/package/stage.ts";
process.stdout.write(JSON.stringify(pack(stage(${JSON.stringify(version)}), ${JSON.stringify(folder)}).file));`;
  const options = {
    cwd: tree,
    encoding: "utf8",
    timeout: packTimeoutMs,
    stdio: ["ignore", "pipe", "inherit"],
  } as const;
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "--eval", script], options)) as string;
};
