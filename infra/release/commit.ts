/** The commit that what is here is built from. */
import { execFile } from "node:child_process";

const patienceMs = 10_000;

/** @returns undefined outside of a git checkout, and where something in it is not committed */
export const commitOf = async (root: string): Promise<string | undefined> => {
  const [commit, changes] = await Promise.all([git(root, "rev-parse", "HEAD"), git(root, "status", "--porcelain")]);
  return changes === "" ? commit : undefined;
};

const git = (root: string, ...args: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile("git", ["-C", root, ...args], { timeout: patienceMs }, (error, out) =>
      resolve(error ? undefined : out.trim()),
    );
  });
