/** Golden cases: files of a project, one after the other, and last what a person reads about them. */
import fs from "node:fs";
import path from "node:path";
import { compile } from "../../infra/compiler/compile.ts";
import { renderProblems } from "../../infra/diagnostics/report.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { useProject } from "../../infra/project/project.ts";
import { type Files, writeProject } from "../e2e/project.ts";

export const folder = path.join(codeRoot, "test/golden/problems");

export interface GoldenCase {
  readonly name: string;
  /** Why it is there. */
  readonly about: string;
  readonly files: Files;
  /** What a person reads; empty where it has not been written. */
  readonly rendered: string;
}

const sectionMark = /^-- (\S+) --\n/m;

/** Where a case says nothing of its environment, it has these values. */
const defaultEnvironment = `values:
  api-host: api.acme.example
  identity-url: https://identity.acme.example
  accounts-url: https://accounts.acme.example
`;

export const readCases = (): GoldenCase[] =>
  fs
    .readdirSync(folder)
    .filter((name) => name.endsWith(".case"))
    .sort()
    .map((name) => parse(path.basename(name, ".case"), fs.readFileSync(path.join(folder, name), "utf8")));

const parse = (name: string, text: string): GoldenCase => {
  const [about = "", ...pieces] = text.split(sectionMark);
  const sections = pieces.flatMap((it, index) => (index % 2 === 0 ? [[it, pieces[index + 1] ?? ""] as const] : []));
  const { problems = "", ...files } = Object.fromEntries(sections);
  return { name, about: about.trim(), files, rendered: problems };
};

/** The case's file with what is read about it now. */
export const serializeCase = ({ about, files }: GoldenCase, rendered: string): string =>
  [
    about === "" ? "" : `${about}\n`,
    ...Object.entries(files).map(([file, text]) => `-- ${file} --\n${text}`),
    `-- problems --\n${rendered}`,
  ].join("");

/** A case is compiled as a project is, in the environment `local`; unused values of the usual environment are no matter. */
export const compileCase = async ({ files }: GoldenCase) => {
  const environment = "routes/environments/local.yaml";
  const hasEnvironment = Object.hasOwn(files, environment);
  const root = writeProject({ [environment]: defaultEnvironment, ...files });
  await useProject(root);
  const result = compile(root, "local");
  const problems = hasEnvironment ? result.problems : result.problems.filter(({ code }) => code !== "unused-value");
  return { ...result, problems, rendered: renderProblems(problems, result) };
};
