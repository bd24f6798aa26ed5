/** Bundles a Worker's entry as it is deployed, so that what is measured and tested is the same. */
import * as esbuild from "esbuild";

/**
 * @param entry source text
 * @param folder that its relative imports start from
 * @param external modules that stand beside the bundle, or that the platform has
 * @throws where something cannot be resolved or parsed
 */
export const bundle = async (entry: string, folder: string, external: readonly string[]): Promise<string> => {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: entry, resolveDir: folder, sourcefile: "entry.ts", loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    conditions: ["workerd", "worker"],
    mainFields: ["module", "main"],
    external: [...external],
    minify: true,
    legalComments: "none",
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
};
