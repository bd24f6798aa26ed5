/** The wrangler versions under test: the oldest supported, the project's own, and the newest. */
import path from "node:path";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { installPackage, versionOf } from "../install-package.ts";

/** `docs/cloud.md` says so too. */
const minimum = "4.60.0";

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
