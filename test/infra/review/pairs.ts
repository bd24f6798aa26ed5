/** Golden pairs: the files of two versions of a project, and the comment that a pull request gets. */
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { compareProjects } from "../../../infra/review/compare.ts";
import { type Files, writeProject } from "../../e2e/project.ts";

export const folder = path.join(codeRoot, "test/golden/diffs");

export interface Pair {
  readonly name: string;
  /** What a reviewer should see. */
  readonly about: string;
  readonly before: Files;
  readonly after: Files;
  /** What a person reads; empty where it has not been written. */
  readonly comment: string;
}

/** `-- both routes/wallet.yaml --` begins a file that both versions have; `before` and `after` are of one. */
const sectionMark = /^-- (both|before|after|comment)(?: (\S+))? --\n/m;

export const pairs = (): Pair[] =>
  fs
    .readdirSync(folder)
    .filter((name) => name.endsWith(".pair"))
    .sort()
    .map((name) => parse(path.basename(name, ".pair"), fs.readFileSync(path.join(folder, name), "utf8")));

const parse = (name: string, text: string): Pair => {
  const [about = "", ...pieces] = text.split(sectionMark);
  const sections = Array.from({ length: pieces.length / 3 }, (_, index) => pieces.slice(index * 3, index * 3 + 3));
  const of = (...sides: readonly string[]): Files =>
    Object.fromEntries(
      sections.flatMap(([side = "", file, text = ""]) => (file && sides.includes(side) ? [[file, text]] : [])),
    );
  const comment = sections.find(([side]) => side === "comment")?.[2] ?? "";
  return { name, about: about.trim(), before: of("both", "before"), after: of("both", "after"), comment };
};

/** The pair's file with what is read about it now. */
export const serializePair = (text: string, comment: string): string =>
  `${text.split(/^-- comment --\n/m)[0]}-- comment --\n${comment}`;

export const comparePair = ({ before, after }: Pick<Pair, "before" | "after">) =>
  compareProjects(writeProject(before), writeProject(after));
