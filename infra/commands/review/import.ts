/** `postern import`: manifests from another language; what has no equivalent there is told, never dropped in silence. */
import fs from "node:fs";
import path from "node:path";
import pc from "picocolors";
import { environmentNames } from "../../compiler/check/shared-files.ts";
import { compile } from "../../compiler/compile.ts";
import { inOrder } from "../../diagnostics/problem.ts";
import { count, report } from "../../diagnostics/report.ts";
import { readBounded, readInput } from "../../project/files.ts";
import { isStale, writeAll } from "../../project/generated-files.ts";
import { importGatewayApi, type Wanted } from "../../review/import/gateway-api/import.ts";
import { textOf } from "../../review/import/gateway-api/resources/documents.ts";
import { type Sources, sourcesIn } from "../../review/import/gateway-api/resources/sources.ts";
import { type Imported, lacksSomething, told } from "../../review/import/imported.ts";
import { type Choice, importOpenApi } from "../../review/import/openapi/openapi.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { oneLine } from "../../terminal/terminal.ts";

interface Options {
  readonly root: string;
  readonly force?: true | undefined;
  readonly acceptGaps?: true | undefined;
}

export const openapi = (file: string, { root, force, acceptGaps, ...choice }: Options & Choice): Outcome =>
  landed(importOpenApi(file, root, choice), { root, force, acceptGaps });

/** @param source a file, a folder of them, or `-` for what comes in */
export const gatewayApi = (source: string, { root, force, acceptGaps, ...wanted }: Options & Wanted): Outcome => {
  const { given, gaps } = givenBy(source);
  const { values, others, ...imported } = importGatewayApi(given, wanted);
  const all = { ...imported, gaps: [...imported.gaps, ...gaps] };
  const { exitCode, text, data } = landed(all, { root, force, acceptGaps });
  const needed = Object.entries(values).map(([name, what]) => `  ${name}: …   # ${oneLine(what)}\n`);
  const environment = needed.length === 0 ? "" : `values that routes/environments needs:\n${needed.join("")}`;
  const counts = Object.entries(others).map(([kind, count]) => `${count} ${oneLine(kind)}`);
  const beside = counts.length === 0 ? "" : `not read, since it is no part of a gateway: ${counts.join(", ")}\n`;
  return { exitCode, text: environment + beside + text, data: { ...(data as object), values, others } };
};

/** In bytes, of one file. */
const largestSource = 64 * 1024 * 1024;

const givenBy = (source: string): Sources => {
  const one = (text: string) => ({ given: [{ file: source, text }], gaps: [] });
  if (source === "-") return one(textOf(readInput(largestSource)));
  if (!fs.existsSync(source)) throw new Error(`there is no file or folder ${source}`);
  if (!fs.statSync(source).isDirectory()) return one(textOf(readBounded(source, largestSource)));
  const found = sourcesIn(source);
  if (found.given.length === 0) throw new Error(`there is no .yaml, .yml or .json file in ${source}`);
  return found;
};

/**
 * Writes what was imported, and checks it where it stands.
 * @throws where it would replace what somebody wrote
 */
export const landed = ({ files, routes, gaps }: Imported, { root, force, acceptGaps }: Options): Outcome => {
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
      .map((it) => `${pc.yellow("no equivalent")}  ${oneLine(it)}\n`)
      .join(""),
    `${count(routes, "route")}; ${gaps.length === 0 ? "nothing was left out" : `${count(gaps.length, "thing")} without an equivalent, all of them with --json`}\n`,
  ];
  const leftOut = lacksSomething(gaps);
  return {
    exitCode: problems.length > 0 || (leftOut && !acceptGaps) ? 1 : 0,
    text: text.join(""),
    data: { written, routes, leftOut, gaps, problems },
  };
};
