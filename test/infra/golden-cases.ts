/** Golden cases: files of a project, one after the other, and last what a person reads about them. */
import fs from "node:fs";
import path from "node:path";
import { compile } from "../../infra/compiler/compile.ts";
import { report } from "../../infra/diagnostics/report.ts";
import { home } from "../../infra/project/generated-files.ts";
import { type Files, project } from "../e2e/project.ts";

export const folder = path.join(home, "test/golden/problems");

export interface Case {
  readonly name: string;
  /** Why it is there. */
  readonly about: string;
  readonly files: Files;
  /** What a person reads; empty where it has not been written. */
  readonly shown: string;
}

const mark = /^-- (\S+) --\n/m;

/** Where a case says nothing of its environment, it has these values. */
const usual = `values:
  api-host: api.acme.example
  identity-url: https://identity.acme.example
  accounts-url: https://accounts.acme.example
`;

export const cases = (): Case[] =>
  fs
    .readdirSync(folder)
    .filter((name) => name.endsWith(".case"))
    .sort()
    .map((name) => parse(path.basename(name, ".case"), fs.readFileSync(path.join(folder, name), "utf8")));

const parse = (name: string, text: string): Case => {
  const [about = "", ...pieces] = text.split(mark);
  const sections = pieces.flatMap((it, index) => (index % 2 === 0 ? [[it, pieces[index + 1] ?? ""] as const] : []));
  const { problems = "", ...files } = Object.fromEntries(sections);
  return { name, about: about.trim(), files, shown: problems };
};

/** The case's file with what is read about it now. */
export const written = ({ about, files }: Case, shown: string): string =>
  [
    about === "" ? "" : `${about}\n`,
    ...Object.entries(files).map(([file, text]) => `-- ${file} --\n${text}`),
    `-- problems --\n${shown}`,
  ].join("");

/** A case is compiled as a project is, in the environment `local`; unused values of the usual environment are no matter. */
export const compileCase = ({ files }: Case) => {
  const environment = "routes/environments/local.yaml";
  const own = Object.hasOwn(files, environment);
  const result = compile(project({ [environment]: usual, ...files }), "local");
  const problems = own ? result.problems : result.problems.filter(({ code }) => code !== "unused-value");
  return { ...result, problems, shown: report(problems, result) };
};
