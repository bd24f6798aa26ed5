/** Bundles a Worker's entry as for deployment, so that tests and benchmarks use the same code. */
import fs from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { codeRoot } from "../../project/generated-files.ts";
import { bundleCache } from "./bundle-cache.ts";

const cache = bundleCache(path.join(codeRoot, ".build/bundles"), codeRoot);

/** The versions of packages decide what they resolve to. */
const lock = (): string => {
  // The npm package has no lock; its dependencies are pinned.
  const file = ["package-lock.json", "package.json"].find((it) => fs.existsSync(path.join(codeRoot, it)));
  return fs.readFileSync(path.join(codeRoot, file ?? ""), "utf8");
};

const options = {
  bundle: true,
  write: false,
  format: "esm",
  platform: "neutral",
  target: "es2024",
  conditions: ["workerd", "worker"],
  mainFields: ["module", "main"],
  minify: true,
  legalComments: "none",
  logLevel: "silent",
  absWorkingDir: codeRoot,
  metafile: true,
} as const satisfies esbuild.BuildOptions;

/**
 * @param entry source text
 * @param folder that its relative imports start from
 * @param external modules that are deployed beside the bundle, or that the platform provides
 * @throws if something cannot be resolved or parsed
 */
export const bundle = (entry: string, folder: string, external: readonly string[]): Promise<string> =>
  cache.get([esbuild.version, options, entry, folder, external, lock()], async () => {
    const { outputFiles, metafile } = await esbuild.build({
      ...options,
      conditions: [...options.conditions],
      mainFields: [...options.mainFields],
      stdin: { contents: entry, resolveDir: folder, sourcefile, loader: "ts" },
      external: [...external],
    });
    return {
      text: outputFiles[0]?.text ?? "",
      inputs: Object.keys(metafile.inputs).filter((input) => path.basename(input) !== sourcefile),
    };
  });

/** Of the entry, which is no file. */
const sourcefile = "entry of a Worker";
