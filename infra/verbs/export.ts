/** `postern export`: what the gates expose, in a language that others read. */
import fs from "node:fs";
import path from "node:path";
import pc from "picocolors";
import { compile } from "../compiler/compile.ts";
import { documentsOf } from "../compiler/documents.ts";
import { choice } from "../compiler/issues.ts";
import { count, report } from "../compiler/report.ts";
import type { Outcome } from "../outcome.ts";
import { exportOpenApi } from "../review/export/openapi.ts";
import { told } from "../review/import/imported.ts";
import { visible } from "../visible.ts";

interface Options {
  readonly root: string;
  readonly env: string;
  readonly out?: string | undefined;
}

export const openapi = (wanted: readonly string[], { root, env, out }: Options): Outcome => {
  const compiled = compile(root, env);
  // What is broken would be missing in silence.
  if (compiled.problems.length > 0)
    return { exitCode: 1, text: report(compiled.problems, compiled), data: { problems: compiled.problems } };
  const all = compiled.tiers.map(({ checked }) => checked);
  const names = all.map(({ manifest }) => manifest.tier);
  const odd = wanted.find((it) => !names.includes(it));
  if (odd !== undefined)
    throw new Error(`there is no tier "${odd}"; ${choice(odd, names) ?? "postern routes lists them"}`);
  const tiers = all.filter(({ manifest }) => wanted.length === 0 || wanted.includes(manifest.tier));
  const { document, operations, gaps } = exportOpenApi(tiers, documentsOf(root));
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (out === undefined) return { exitCode: 0, text, data: document };
  fs.mkdirSync(path.dirname(path.resolve(out)), { recursive: true });
  fs.writeFileSync(out, text);
  const lines = told(gaps).map((it) => `${pc.yellow("no equivalent")}  ${visible(it)}\n`);
  const sum = `wrote ${visible(out)}: ${count(operations, "operation")} of ${count(tiers.length, "tier")}\n`;
  return { exitCode: 0, text: lines.join("") + sum, data: { written: out, operations, gaps } };
};
