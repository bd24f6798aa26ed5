/** Reads the commit of a clean git checkout. */
import { execFile } from "node:child_process";

const timeoutMs = 10_000;

/** @returns undefined outside of a git checkout, and with uncommitted changes */
export const cleanCommit = async (root: string): Promise<string | undefined> => {
  const [commit, changes] = await Promise.all([git(root, "rev-parse", "HEAD"), git(root, "status", "--porcelain")]);
  return changes === "" ? commit : undefined;
};

const git = (root: string, ...args: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile("git", ["-C", root, ...args], { timeout: timeoutMs }, (error, out) =>
      resolve(error ? undefined : out.trim()),
    );
  });
