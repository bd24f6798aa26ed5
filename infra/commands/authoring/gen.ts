/** `postern gen`: writes the generated files of a project, or reports stale ones. */
import fs from "node:fs";
import path from "node:path";
import { renderDiagnostic } from "../../diagnostics/report.ts";
import { registries, writeRegistries } from "../../gen/registries.ts";
import { codeRoot, type GeneratedFile, isStale, writeChanged } from "../../project/generated-files.ts";
import { isPostern, project } from "../../project/project.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface Options {
  readonly root: string;
  readonly check?: true | undefined;
}

export const gen = async ({ root, check }: Options): Promise<Outcome> =>
  isPostern(root) ? genPostern(check) : genProject(root, check);

/** Postern's own: registries, reference, schemas. */
const genPostern = async (check: true | undefined): Promise<Outcome> => {
  if (!check) return written([...writeRegistries(), ...writeChanged(await load(), codeRoot)]);
  // Other files are generated from the loaded registries, so stale registries are reported alone.
  const early = registries().filter((it) => isStale(it, codeRoot));
  return checked(early.length > 0 ? early : await load(), codeRoot, "npm run gen");
};

const load = async () => (await import("../../gen/gen.ts")).generate();

/** Those of a project that uses Postern. */
const genProject = async (root: string, check: true | undefined): Promise<Outcome> => {
  if (!fs.existsSync(path.join(root, "routes")))
    throw new Error(`there is no folder routes/ in ${root}; go to the project's folder, or give --root`);
  const { problems } = project().own;
  if (problems.length > 0) {
    return { exitCode: 1, text: `${problems.map((it) => renderDiagnostic(it)).join("\n\n")}\n`, data: { problems } };
  }
  const { projectFiles } = await import("../../gen/project.ts");
  const files = projectFiles();
  return check ? checked(files, root, "npx postern gen") : written(writeChanged(files, root));
};

const written = (files: readonly string[]): Outcome => ({
  exitCode: 0,
  text: files.map((file) => `wrote ${file}`).join("\n") || "nothing to write",
  data: { written: files },
});

const checked = (all: readonly GeneratedFile[], root: string, command: string): Outcome => {
  const files = all.filter((it) => isStale(it, root)).map(({ file }) => file);
  const text = files.length > 0 ? `stale: ${files.join(", ")}; run ${command}` : "the generated files are up to date";
  return { exitCode: files.length > 0 ? 1 : 0, text, data: { stale: files } };
};
