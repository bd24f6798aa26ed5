/** `postern export`: writes what the gates expose, as OpenAPI or as a reference page. */
import fs from "node:fs";
import path from "node:path";
import pc from "picocolors";
import { compile } from "../../compiler/compile.ts";
import { createDocumentLoader } from "../../compiler/inputs/documents.ts";
import { count, renderProblems } from "../../diagnostics/report.ts";
import { existing } from "../../diagnostics/schema-issues.ts";
import { exportOpenApi } from "../../review/export/openapi.ts";
import { renderSite } from "../../review/export/site.ts";
import { type Gap, gapLines, isIncomplete } from "../../review/import/imported.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { toOneLine } from "../../terminal/terminal.ts";

interface Options {
  readonly root: string;
  readonly env: string;
  readonly out?: string | undefined;
  readonly acceptGaps?: true | undefined;
}

/** @returns an outcome if manifests have problems, since broken ones would be missing silently */
const exportTiers = (tierNames: readonly string[], { root, env }: Options) => {
  const compiled = compile(root, env);
  if (compiled.problems.length > 0)
    return {
      outcome: {
        exitCode: 1,
        text: renderProblems(compiled.problems, compiled),
        data: { problems: compiled.problems },
      },
    } as const;
  const allTiers = compiled.tiers.map(({ checked }) => checked);
  const names = allTiers.map(({ manifest }) => manifest.tier);
  const unknownTier = tierNames.find((result) => !names.includes(result));
  if (unknownTier !== undefined)
    throw new Error(
      `there is no tier "${unknownTier}"; ${existing(unknownTier, names, "npx postern routes lists them")}`,
    );
  const tiers = allTiers.filter(({ manifest }) => tierNames.length === 0 || tierNames.includes(manifest.tier));
  return { tiers: tiers.length, ...exportOpenApi(tiers, createDocumentLoader(root)) };
};

type ExportResult = Exclude<ReturnType<typeof exportTiers>, { readonly outcome: object }>;

const reportWritten = (target: string, { tiers, operations, gaps }: ExportResult, options: Options): Outcome => {
  const sum = `wrote ${toOneLine(target)}: ${count(operations, "operation")} of ${count(tiers, "tier")}\n`;
  const leftOut = isIncomplete(gaps);
  return {
    exitCode: exitCodeFor(gaps, options),
    text: renderGaps(gaps) + sum,
    data: { written: target, operations, leftOut, gaps },
  };
};

const renderGaps = (gaps: readonly Gap[]): string =>
  gapLines(gaps)
    .map((result) => `${pc.yellow("no equivalent")}  ${toOneLine(result)}\n`)
    .join("");

const exitCodeFor = (gaps: readonly Gap[], { acceptGaps }: Options) => (isIncomplete(gaps) && !acceptGaps ? 1 : 0);

export const exportOpenApiFile = (tierNames: readonly string[], options: Options): Outcome => {
  const result = exportTiers(tierNames, options);
  if ("outcome" in result) return result.outcome;
  const text = `${JSON.stringify(result.document, null, 2)}\n`;
  const { out } = options;
  if (out === undefined)
    return {
      exitCode: exitCodeFor(result.gaps, options),
      text: renderGaps(result.gaps),
      product: text,
      data: result.document,
    };
  fs.mkdirSync(path.dirname(path.resolve(out)), { recursive: true });
  fs.writeFileSync(out, text);
  return reportWritten(out, result, options);
};

/** A static page that needs no network or server. */
export const exportSite = (tierNames: readonly string[], options: Options & { readonly out: string }): Outcome => {
  const result = exportTiers(tierNames, options);
  if ("outcome" in result) return result.outcome;
  for (const [name, content] of Object.entries(renderSite(result.document))) {
    fs.mkdirSync(options.out, { recursive: true });
    fs.writeFileSync(path.join(options.out, name), content);
  }
  return reportWritten(path.join(options.out, "index.html"), result, options);
};
