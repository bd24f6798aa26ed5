/** The wrangler versions under test: the oldest supported, the project's own, and the newest. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../../infra/project/generated-files.ts";

/** `docs/cloud.md` says so too. */
const minimum = "4.60.0";

const cache = path.join(codeRoot, ".build/wranglers");
const maxInstallMs = 300_000;

export interface WranglerUnderTest {
  readonly name: string;
  readonly version: string;
  /** The package's folder. */
  readonly package: string;
}

/** `POSTERN_WRANGLERS=4.100.0,latest` tries others. */
export const wranglersUnderTest = (): WranglerUnderTest[] => {
  const own = path.join(codeRoot, "node_modules/wrangler");
  const names = process.env.POSTERN_WRANGLERS?.split(",") ?? [minimum, "pinned", "latest"];
  return names.map((name) => {
    const folder = name === "pinned" ? own : installPackage("wrangler", name);
    return { name, version: versionOf(folder), package: folder };
  });
};

/**
 * Installs a package where npm's cache or its registry has it. Scripts of packages do not run: workerd and esbuild come as
 * packages of their own for each platform.
 */
export const installPackage = (name: string, version: string): string => {
  const prefix = path.join(cache, `${name}-${version}`);
  const folder = path.join(prefix, "node_modules", name);
  // A version never changes; `latest` is looked up each time.
  if (fs.existsSync(folder) && version !== "latest" && versionOf(folder) === version) return folder;
  const flags = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", prefix];
  fs.mkdirSync(prefix, { recursive: true });
  // npm would otherwise look for a project in the folders above.
  fs.writeFileSync(path.join(prefix, "package.json"), JSON.stringify({ private: true }));
  execFileSync("npm", ["install", ...flags, `${name}@${version}`], { stdio: "inherit", timeout: maxInstallMs });
  return folder;
};

const versionOf = (folder: string): string =>
  (JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")) as { readonly version: string }).version;
