/** Installs packages that only some tests use, from npm's registry and outside of the project's own dependencies. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../infra/project/generated-files.ts";

const cache = path.join(codeRoot, ".build/packages");
const maxInstallMs = 300_000;

/**
 * Installs a package where npm's cache or its registry has it. Scripts of packages do not run: workerd and esbuild come as
 * packages of their own for each platform.
 *
 * @param overrides versions of what it depends on
 * @returns the package's folder
 */
export const installPackage = (
  name: string,
  version: string,
  overrides: Readonly<Record<string, string>> = {},
): string => {
  const prefix = path.join(cache, `${name}-${version}`);
  const folder = path.join(prefix, "node_modules", name);
  // A version never changes; `latest` is looked up each time.
  if (fs.existsSync(folder) && version !== "latest" && versionOf(folder) === version) return folder;
  const flags = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", prefix];
  fs.mkdirSync(prefix, { recursive: true });
  // npm would otherwise look for a project in the folders above.
  fs.writeFileSync(path.join(prefix, "package.json"), JSON.stringify({ private: true, overrides }));
  execFileSync("npm", ["install", ...flags, `${name}@${version}`], { stdio: "inherit", timeout: maxInstallMs });
  return folder;
};

export const versionOf = (folder: string): string =>
  (JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")) as { readonly version: string }).version;
