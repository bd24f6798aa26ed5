/** `postern export`: what the gates expose, in a language that others read. */
import fs from "node:fs";
import path from "node:path";
import pc from "picocolors";
import { compile } from "../../compiler/compile.ts";
import { documentsOf } from "../../compiler/inputs/documents.ts";
import { count, report } from "../../diagnostics/report.ts";
import { choice } from "../../diagnostics/schema-issues.ts";
import { exportOpenApi } from "../../review/export/openapi.ts";
import { siteOf } from "../../review/export/site.ts";
import { type Gap, lacksSomething, told } from "../../review/import/imported.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { oneLine } from "../../terminal/terminal.ts";

interface Options {
  readonly root: string;
  readonly env: string;
  readonly out?: string | undefined;
  readonly acceptGaps?: true | undefined;
}

/** @returns an outcome where manifests have problems: what is broken would be missing in silence */
const exported = (wanted: readonly string[], { root, env }: Options) => {
  const compiled = compile(root, env);
  if (compiled.problems.length > 0)
    return {
      outcome: { exitCode: 1, text: report(compiled.problems, compiled), data: { problems: compiled.problems } },
    } as const;
  const all = compiled.tiers.map(({ checked }) => checked);
  const names = all.map(({ manifest }) => manifest.tier);
  const odd = wanted.find((it) => !names.includes(it));
  if (odd !== undefined)
    throw new Error(`there is no tier "${odd}"; ${choice(odd, names) ?? "postern routes lists them"}`);
  const tiers = all.filter(({ manifest }) => wanted.length === 0 || wanted.includes(manifest.tier));
  return { tiers: tiers.length, ...exportOpenApi(tiers, documentsOf(root)) };
};

type Exports = Exclude<ReturnType<typeof exported>, { readonly outcome: object }>;

const written = (place: string, { tiers, operations, gaps }: Exports, options: Options): Outcome => {
  const sum = `wrote ${oneLine(place)}: ${count(operations, "operation")} of ${count(tiers, "tier")}\n`;
  const leftOut = lacksSomething(gaps);
  return {
    exitCode: codeFor(gaps, options),
    text: linesOf(gaps) + sum,
    data: { written: place, operations, leftOut, gaps },
  };
};

const linesOf = (gaps: readonly Gap[]): string =>
  told(gaps)
    .map((it) => `${pc.yellow("no equivalent")}  ${oneLine(it)}\n`)
    .join("");

const codeFor = (gaps: readonly Gap[], { acceptGaps }: Options) => (lacksSomething(gaps) && !acceptGaps ? 1 : 0);

export const openapi = (wanted: readonly string[], options: Options): Outcome => {
  const it = exported(wanted, options);
  if ("outcome" in it) return it.outcome;
  const text = `${JSON.stringify(it.document, null, 2)}\n`;
  const { out } = options;
  if (out === undefined)
    return { exitCode: codeFor(it.gaps, options), text: linesOf(it.gaps), product: text, data: it.document };
  fs.mkdirSync(path.dirname(path.resolve(out)), { recursive: true });
  fs.writeFileSync(out, text);
  return written(out, it, options);
};

/** A page that needs no network and no server: it opens from a file, too. */
export const site = (wanted: readonly string[], options: Options & { readonly out: string }): Outcome => {
  const it = exported(wanted, options);
  if ("outcome" in it) return it.outcome;
  for (const [name, content] of Object.entries(siteOf(it.document))) {
    fs.mkdirSync(options.out, { recursive: true });
    fs.writeFileSync(path.join(options.out, name), content);
  }
  return written(path.join(options.out, "index.html"), it, options);
};
