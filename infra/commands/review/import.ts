/** `postern import`: writes manifests from OpenAPI or Gateway API documents, and lists everything that has no equivalent. */
import fs from "node:fs";
import path from "node:path";
import pc from "picocolors";
import { environmentNames } from "../../compiler/check/shared-files.ts";
import { compile } from "../../compiler/compile.ts";
import { sortDiagnostics } from "../../diagnostics/problem.ts";
import { count, renderProblems } from "../../diagnostics/report.ts";
import { readBounded, readInput } from "../../project/files.ts";
import { isStale, writeChanged } from "../../project/generated-files.ts";
import { type GatewayApiOptions, importGatewayApi } from "../../review/import/gateway-api/import.ts";
import { decodeText } from "../../review/import/gateway-api/resources/documents.ts";
import { type InputFiles, readFolder } from "../../review/import/gateway-api/resources/sources.ts";
import { gapLines, type ImportResult, isIncomplete } from "../../review/import/imported.ts";
import { importOpenApi, type OpenApiImportOptions } from "../../review/import/openapi/openapi.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { toOneLine } from "../../terminal/terminal.ts";

interface Options {
  readonly root: string;
  readonly force?: true | undefined;
  readonly acceptGaps?: true | undefined;
}

export const importOpenApiFile = (
  file: string,
  { root, force, acceptGaps, ...choice }: Options & OpenApiImportOptions,
): Outcome => writeImport(importOpenApi(file, root, choice), { root, force, acceptGaps });

/** @param source a file, a folder, or `-` for stdin */
export const importGatewayApiFiles = (
  source: string,
  { root, force, acceptGaps, ...options }: Options & GatewayApiOptions,
): Outcome => {
  const { files, gaps } = readInputFiles(source);
  const { values, others, ...imported } = importGatewayApi(files, options);
  const all = { ...imported, gaps: [...imported.gaps, ...gaps] };
  const { exitCode, text, data } = writeImport(all, { root, force, acceptGaps });
  const environmentValues = Object.entries(values).map(([name, what]) => `  ${name}: …   # ${toOneLine(what)}\n`);
  const environment =
    environmentValues.length === 0 ? "" : `values that routes/environments needs:\n${environmentValues.join("")}`;
  const counts = Object.entries(others).map(([kind, count]) => `${count} ${toOneLine(kind)}`);
  const ignoredKinds = counts.length === 0 ? "" : `not read, since it is no part of a gateway: ${counts.join(", ")}\n`;
  return { exitCode, text: environment + ignoredKinds + text, data: { ...(data as object), values, others } };
};

/** Size limit of one file in bytes. */
const maxSourceBytes = 64 * 1024 * 1024;

const readInputFiles = (source: string): InputFiles => {
  const one = (text: string) => ({ files: [{ file: source, text }], gaps: [] });
  if (source === "-") return one(decodeText(readInput(maxSourceBytes)));
  if (!fs.existsSync(source)) throw new Error(`there is no file or folder ${source}`);
  if (!fs.statSync(source).isDirectory()) return one(decodeText(readBounded(source, maxSourceBytes)));
  const found = readFolder(source);
  if (found.files.length === 0) throw new Error(`there is no .yaml, .yml or .json file in ${source}`);
  return found;
};

/**
 * Writes the imported files, and checks them in place.
 * @throws if it would overwrite existing files without --force
 */
export const writeImport = ({ files, routes, gaps }: ImportResult, { root, force, acceptGaps }: Options): Outcome => {
  const overwritten = files.filter((it) => fs.existsSync(path.join(root, it.file)) && isStale(it, root));
  if (overwritten.length > 0 && !force)
    throw new Error(`${overwritten.map(({ file }) => file).join(" and ")} would be replaced; --force does it`);
  const written = writeChanged(files, root);
  const all = environmentNames(root).map((name) => compile(root, name));
  const problems = sortDiagnostics(all.flatMap((it) => it.problems)).filter(({ file }) =>
    files.some((it) => it.file === file),
  );
  const broken = new Set(problems.map(({ file }) => file)).size;
  const text = [
    written.map((it) => `wrote ${it}\n`).join("") || "nothing to write\n",
    problems.length > 0 ? renderProblems(problems, { read: all[0]?.read ?? 0, broken }) : "",
    // Gaps come last, where they are seen.
    gapLines(gaps)
      .map((it) => `${pc.yellow("no equivalent")}  ${toOneLine(it)}\n`)
      .join(""),
    `${count(routes, "route")}; ${gaps.length === 0 ? "nothing was left out" : `${count(gaps.length, "thing")} without an equivalent, all of them with --json`}\n`,
  ];
  const leftOut = isIncomplete(gaps);
  return {
    exitCode: problems.length > 0 || (leftOut && !acceptGaps) ? 1 : 0,
    text: text.join(""),
    data: { written, routes, leftOut, gaps, problems },
  };
};
