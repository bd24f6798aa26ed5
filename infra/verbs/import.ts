/** `postern import`: manifests from another language; what has no equivalent there is told, never dropped in silence. */
import fs from "node:fs";
import path from "node:path";
import pc from "picocolors";
import { compile } from "../compiler/compile.ts";
import { inOrder } from "../compiler/problem.ts";
import { count, report } from "../compiler/report.ts";
import { environmentNames } from "../compiler/surroundings.ts";
import { isStale, writeAll } from "../gen/generated.ts";
import type { Outcome } from "../outcome.ts";
import { type Imported, told } from "../review/import/imported.ts";
import { type Choice, importOpenApi } from "../review/import/openapi/openapi.ts";
import { visible } from "../visible.ts";

interface Options {
  readonly root: string;
  readonly force?: true | undefined;
}

export const openapi = (file: string, { root, force, ...choice }: Options & Choice): Outcome =>
  landed(importOpenApi(file, root, choice), { root, force });

/**
 * Writes what was imported, and checks it where it stands.
 * @throws where it would replace what somebody wrote
 */
export const landed = ({ files, routes, gaps }: Imported, { root, force }: Options): Outcome => {
  const taken = files.filter((it) => fs.existsSync(path.join(root, it.file)) && isStale(it, root));
  if (taken.length > 0 && !force)
    throw new Error(`${taken.map(({ file }) => file).join(" and ")} would be replaced; --force does it`);
  const written = writeAll(files, root);
  const all = environmentNames(root).map((name) => compile(root, name));
  const problems = inOrder(all.flatMap((it) => it.problems)).filter(({ file }) => files.some((it) => it.file === file));
  const broken = new Set(problems.map(({ file }) => file)).size;
  const text = [
    written.map((it) => `wrote ${it}\n`).join("") || "nothing to write\n",
    problems.length > 0 ? report(problems, { read: all[0]?.read ?? 0, broken }) : "",
    // What a person has to act on stands last, where the eye is.
    told(gaps)
      .map((it) => `${pc.yellow("no equivalent")}  ${visible(it)}\n`)
      .join(""),
    `${count(routes, "route")}; ${gaps.length === 0 ? "nothing was left out" : `${count(gaps.length, "thing")} without an equivalent, all of them with --json`}\n`,
  ];
  return { exitCode: problems.length > 0 ? 1 : 0, text: text.join(""), data: { written, routes, gaps, problems } };
};
