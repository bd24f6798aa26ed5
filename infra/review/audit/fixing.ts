/** `check --fix`: plans fixes, verifies them on a copy of the project, and writes them. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { compile } from "../../compiler/compile.ts";
import { renderDiagnostic } from "../../diagnostics/report.ts";
import { redact } from "../../diagnostics/secret-literals.ts";
import { copyWithin, readTextWithin, writeWithin } from "../../project/files.ts";
import type { Finding } from "./finding.ts";
import { applyChanges } from "./rule-kit/edits.ts";

export interface Fixes {
  readonly files: readonly FixedFile[];
  /** The findings that are fixed. */
  readonly applied: readonly Finding[];
}

interface FixedFile {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

export const planFixes = (root: string, findings: readonly Finding[]): Fixes => {
  // A built-in preset is no file of the project.
  const fixable = findings.filter(({ fix, file }) => fix && file.startsWith("routes/"));
  const all = [...Map.groupBy(fixable, ({ file }) => file)].map(([file, some]) => fixFile(root, file, some));
  return {
    files: all.map(({ file, before, after }) => ({ file, before, after })).filter((it) => it.before !== it.after),
    applied: all.flatMap((it) => it.applied),
  };
};

const byteOrderMark = "\ufeff";

const fixFile = (root: string, file: string, findings: readonly Finding[]): FixedFile & Pick<Fixes, "applied"> => {
  const before = readTextWithin(root, file) ?? "";
  const bom = before.startsWith(byteOrderMark) ? byteOrderMark : "";
  const changes = findings.flatMap(({ fix }) => (fix ? [fix.change] : []));
  const { text, applied } = applyChanges(before.slice(bom.length), changes);
  return {
    file,
    before,
    after: bom + text,
    applied: findings.filter(({ fix }) => fix && applied.includes(fix.change)),
  };
};

/**
 * Writes the fixes, if the manifests are still valid with them.
 * @throws if they would not be valid; nothing is written then
 */
export const writeFixes = (root: string, { files }: Fixes, environments: readonly string[]): void => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "postern-fix-"));
  try {
    copyWithin(root, "routes", copy);
    for (const { file, after } of files) writeWithin(copy, file, after);
    const changed = new Set(files.map(({ file }) => file));
    const problem = environments.flatMap((name) => compile(copy, name).problems).find(({ file }) => changed.has(file));
    if (problem)
      throw new Error(`nothing is written: with the fixes a manifest would not be valid\n${renderDiagnostic(problem)}`);
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
  for (const { file, after } of files) writeWithin(root, file, after);
};

/** The fixes as a unified diff, with secrets masked. */
export const renderPatch = ({ files }: Fixes): string =>
  files
    .map(({ file, before, after }) =>
      createTwoFilesPatch(`a/${file}`, `b/${file}`, before, after, undefined, undefined, {
        headerOptions: FILE_HEADERS_ONLY,
      }),
    )
    .map(redact)
    .join("");
