/** Golden cases of the audit: for each rule a manifest that has what it looks for, what is read then, and one that has not. */
import fs from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { compile } from "../../../infra/compiler/compile.ts";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { type Audit, audit } from "../../../infra/review/audit/audit.ts";
import { renderFindings } from "../../../infra/review/audit/human.ts";
import { type Files, writeProject } from "../../e2e/project.ts";

export const folder = path.join(codeRoot, "test/golden/audit");

/** The day on which all cases are looked at. */
export const today = Date.parse("2026-11-26T12:00:00Z");

export interface AuditCase {
  readonly rule: string;
  readonly bad: string;
  readonly findings: string;
  readonly good: string;
}

export const auditCases = (): AuditCase[] =>
  fs.readdirSync(folder).map((name) => {
    const text = fs.readFileSync(path.join(folder, name), "utf8");
    const [, bad = "", findings = "", good = ""] =
      /^-- bad --\n([\s\S]*?)-- findings --\n([\s\S]*?)-- good --\n([\s\S]*)$/.exec(text) ?? [];
    return { rule: path.basename(name, ".case"), bad, findings, good };
  });

export const serializeCase = ({ bad, good }: AuditCase, findings: string): string =>
  `-- bad --\n${bad}-- findings --\n${findings}-- good --\n${good}`;

export const production = `values: {}
kv: { consumers: "00000000000000000000000000000001" }
consumers: { key: g1iQurKfrRPxzIsyvX6RSUXJdeNt3kuA7F7mI9y-7ms }
`;

/** A project's audit in all of its environments; what is wrong with its manifests is no matter of these tests. */
export const auditOf = (files: Files, now = today): Audit & { readonly root: string } => {
  const root = writeProject({ "routes/environments/local.yaml": production, ...files });
  const names = Object.keys(files).flatMap((it) => /environments\/(.*)\.yaml$/.exec(it)?.[1] ?? []);
  const compiled = [...new Set(["local", ...names])].map((name) => compile(root, name));
  const broken = compiled.flatMap((it) => it.problems).filter(({ code }) => !code.startsWith("unused-"));
  if (broken.length > 0) throw new Error(JSON.stringify(broken, null, 2));
  return { ...audit(compiled, { root, now, isComplete: true }), root };
};

/** @param text a manifest; behind a line `-- environment --` its environment, where that is another one */
export const auditOfShop = (text: string, now = today) => {
  const [manifest = "", environment = production] = text.split("-- environment --\n");
  return auditOf({ "routes/shop.yaml": manifest, "routes/environments/local.yaml": environment }, now);
};

/** As a person reads it, without the lines below that count. */
export const renderAudit = (it: Audit): string => {
  const text = stripVTControlCharacters(renderFindings(it));
  return text.slice(0, text.lastIndexOf("\n\n") + 1);
};
