/** Resolves the two versions that a diff compares: each is a folder, or a commit of the repository. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { project } from "../project/project.ts";

export interface Version {
  /** Its name, with the commit. */
  readonly name: string;
  readonly root: string;
  /** Undefined for a folder. */
  readonly commit: string | undefined;
}

export interface Versions {
  readonly before: Version;
  readonly after: Version;
  /** Whether code outside `routes/` differs, so that every Worker changes. */
  readonly codeChanged: boolean;
  readonly dispose: () => void;
}

/** Paths of the Workers' code, besides the manifests. */
const codePaths = ["functions", "infra/compiler", "package-lock.json"];

/**
 * @param base a folder with `routes/`, or a commit; `main...HEAD` is the merge base, as in git
 * @param head likewise; by default the work tree
 * @throws if there is no such commit or folder
 */
export const resolveVersions = (root: string, base: string, head: string | undefined): Versions => {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "postern-diff-"));
  const dispose = () => fs.rmSync(scratch, { recursive: true, force: true });
  try {
    const [left, right] = parseRange(root, base, head);
    const before = resolveVersion(root, left, path.join(scratch, "before"));
    const after = right === undefined ? workTree(root) : resolveVersion(root, right, path.join(scratch, "after"));
    return { before, after, codeChanged: hasCodeChanged(root, before, after), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
};

const workTree = (root: string): Version => ({ name: "the work tree", root, commit: undefined });

const parseRange = (root: string, base: string, head: string | undefined): readonly [string, string | undefined] => {
  const [, left, right] = /^(.*?)\.\.\.(.*)$/.exec(base) ?? [];
  if (base === "" || head === "") throw new Error("say what to compare: a commit, or a folder with routes/ in it");
  if (left === undefined || isProject(root, base)) return [base, head];
  if (head !== undefined) throw new Error(`"${base}" names two commits already; leave ${head} out`);
  return [mergeBase(root, left, right || "HEAD"), right || undefined];
};

/** @throws if the two have no common commit in this clone */
const mergeBase = (root: string, left: string, right: string): string => {
  const [a, b] = [commitOf(root, left), commitOf(root, right)];
  try {
    return git(root, ["merge-base", a, b]);
  } catch {
    throw new Error(`${left} and ${right} have no commit in common${shallowHint(root)}`);
  }
};

/** A hint for shallow clones, which are common in workflows. */
const shallowHint = (root: string): string => {
  try {
    const isShallow = git(root, ["rev-parse", "--is-shallow-repository"]) === "true";
    return isShallow ? "; this clone is shallow: git fetch --unshallow, or fetch-depth: 0 in a workflow" : "";
  } catch {
    return "";
  }
};

const isProject = (root: string, folder: string): boolean =>
  fs.existsSync(path.join(path.resolve(root, folder), "routes"));

const resolveVersion = (root: string, name: string, scratch: string): Version => {
  if (isProject(root, name)) return { name, root: path.resolve(root, name), commit: undefined };
  const commit = commitOf(root, name);
  checkOutManifests(root, commit, scratch);
  const short = commit.slice(0, 8);
  return { name: commit.startsWith(name) ? short : `${name} (${short})`, root: scratch, commit };
};

/** @throws if there is none */
const commitOf = (root: string, name: string): string => {
  try {
    return git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]);
  } catch {
    throw new Error(
      `"${name}" is neither a folder with routes/ in it nor a commit of this repository${shallowHint(root)}`,
    );
  }
};

/** Checks out a commit's `routes/` with a separate index, so that the repository's stays untouched. Symbolic links become plain files. */
const checkOutManifests = (root: string, commit: string, scratch: string): void => {
  const [top = root, prefix = ""] = git(root, ["rev-parse", "--show-toplevel", "--show-prefix"]).split("\n");
  const tree = `${commit}:${prefix}routes`;
  fs.mkdirSync(path.join(scratch, "routes"), { recursive: true });
  const from = treeExists(root, tree) ? tree : previousTree(root, commit);
  // The commit has no manifests: everything is new.
  if (from === undefined) return;
  const env = { GIT_INDEX_FILE: path.join(scratch, "index") };
  // From a subfolder, git would write only files below it.
  git(top, ["read-tree", "--prefix=routes/", from], env);
  git(top, ["-c", "core.symlinks=false", "checkout-index", "--all", "--force", `--prefix=${scratch}${path.sep}`], env);
  fs.rmSync(path.join(scratch, "index"));
};

const treeExists = (root: string, tree: string): boolean => {
  try {
    return git(root, ["rev-parse", "--verify", "--quiet", tree]) !== "";
  } catch {
    return false;
  }
};

/**
 * The former path of a project's manifests, if its folder has been moved since the commit; otherwise everything would look new
 * and nothing would be compared.
 * @throws if there are several candidates
 */
const previousTree = (root: string, commit: string): string | undefined => {
  const top = git(root, ["rev-parse", "--show-toplevel"]);
  const folders = git(top, ["ls-tree", "-r", "-d", "-z", "--name-only", commit]).split("\0");
  const known = folders.flatMap((it) => /^(?:.*\/)?routes(?=\/environments$)/.exec(it)?.[0] ?? []);
  const missing = known.filter((it) => !fs.existsSync(path.join(top, it, "environments")));
  if (missing.length > 1)
    throw new Error(
      `${commit.slice(0, 8)} has no manifests here, and ${missing.join(" and ")} are gone since; compare with a folder: git worktree add …`,
    );
  return missing[0] === undefined ? undefined : `${commit}:${missing[0]}`;
};

const hasCodeChanged = (root: string, { commit: a }: Version, { commit: b, root: folder }: Version): boolean => {
  if (a === undefined || (b === undefined && folder !== root)) return false;
  try {
    const paths = [...codePaths, ...Object.values(project().folders)];
    git(root, ["diff", "--quiet", a, ...(b === undefined ? [] : [b]), "--", ...paths]);
    return false;
  } catch {
    return true;
  }
};

const git = (root: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string =>
  execFileSync("git", args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  }).trim();
