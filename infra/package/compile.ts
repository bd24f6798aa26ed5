/** Compiles the code that the npm package holds to JavaScript and declarations, below `.build/package/compiled`. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../project/generated-files.ts";

/** Folders with a TypeScript configuration, each after those that it references. */
const projects = ["functions", "infra", "infra/cloud/workers", "infra/cases/worker"] as const;

const work = path.join(codeRoot, ".build/package");
const compiled = path.join(work, "compiled");

/** Types are checked by `npm run check`. */
const overridden = { emitDeclarationOnly: false, noCheck: true };

const configFile = (project: string): string => path.join(work, "tsc", `${project.replaceAll("/", "-")}.json`);

/**
 * The same configuration with another folder for its output. The folders stand to each other as the sources do, so that
 * the compiler can rewrite paths between them.
 */
const writeConfig = (project: string): void => {
  const config = path.join(codeRoot, project, "tsconfig.json");
  const { references = [] } = JSON.parse(fs.readFileSync(config, "utf8")) as {
    readonly references?: readonly { readonly path: string }[];
  };
  const referenced = references.map((it) => path.relative(codeRoot, path.resolve(codeRoot, project, it.path)));
  const file = configFile(project);
  const text = JSON.stringify({
    extends: config,
    compilerOptions: { ...overridden, rootDir: path.join(codeRoot, project), outDir: path.join(compiled, project) },
    references: referenced.map((it) => ({ path: configFile(it) })),
  });
  // An unchanged file keeps its time, so that an unchanged project is not compiled again.
  if (fs.existsSync(file) && fs.readFileSync(file, "utf8") === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
};

const compilerTimeoutMs = 300_000;

/** @returns the folder of the output */
export const compile = (): string => {
  projects.forEach(writeConfig);
  const tsc = path.join(codeRoot, "node_modules/typescript/bin/tsc");
  const args = [tsc, "--build", ...projects.map(configFile)];
  execFileSync(process.execPath, args, { cwd: codeRoot, stdio: "inherit", timeout: compilerTimeoutMs });
  return compiled;
};
