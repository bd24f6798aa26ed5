/** Bundles a Worker's entry as for deployment, so that tests and benchmarks use the same code. */
import fs from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { bundleCache } from "../../project/bundle-cache.ts";
import { codeRoot } from "../../project/generated-files.ts";
import { bundledCopies } from "../../project/own-copies.ts";
import { cacheRoot, project } from "../../project/project.ts";

/** The versions of packages decide what they resolve to: Postern's, and those of the project. */
const versions = (): string[] =>
  [...new Set([codeRoot, project().root])].flatMap((folder) =>
    ["package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"].map(
      (name) => textOf(path.join(folder, name)),
    ),
  );

const textOf = (file: string): string => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "");

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
  bundleCache(path.join(cacheRoot(), ".build/bundles"), codeRoot).get(
    [esbuild.version, options, entry, folder, external, versions()],
    async () => {
      const { outputFiles, metafile } = await esbuild
        .build({
          ...options,
          conditions: [...options.conditions],
          mainFields: [...options.mainFields],
          stdin: { contents: entry, resolveDir: folder, sourcefile, loader: "ts" },
          external: [...external],
          plugins: [bundledCopies],
        })
        .catch(failReadably);
      return {
        text: outputFiles[0]?.text ?? "",
        inputs: Object.keys(metafile.inputs).filter((input) => path.basename(input) !== sourcefile),
      };
    },
  );

/** What runs at the edge differs from Node: an own part may be fine for the tools, and not for a gate. */
const failReadably = (error: unknown): never => {
  const { errors } = error as Partial<esbuild.BuildFailure>;
  if (!errors?.length) throw error;
  const lines = errors.slice(0, maxShown).map(({ text, location }) => {
    const file = location && path.relative(project().root, path.resolve(codeRoot, location.file));
    return `${location ? `${file}:${location.line}:${location.column + 1}  ` : ""}${text}`;
  });
  throw new Error(`a Worker cannot be bundled\n         ${lines.join("\n         ")}`);
};

const maxShown = 10;

/** Of the entry, which is no file. */
const sourcefile = "entry of a Worker";
