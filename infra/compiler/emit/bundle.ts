/** Bundles a Worker's entry as for deployment, so that tests and benchmarks use the same code. */
import * as esbuild from "esbuild";

/**
 * @param entry source text
 * @param folder that its relative imports start from
 * @param external modules that are deployed beside the bundle, or that the platform provides
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
