/** Renders the audit as SARIF 2.1.0 (OASIS) for code scanning. */
import { createHash } from "node:crypto";
import { type ProblemCode, problemCodes } from "../../diagnostics/codes.ts";
import type { Diagnostic, Problem, SourceLocation } from "../../diagnostics/problem.ts";
import { version } from "../../project/version.ts";
import type { Risk } from "../core/risks.ts";
import type { Audit, Ignored } from "./audit.ts";
import { type Finding, ruleDocs } from "./finding.ts";
import { allRules } from "./registry.ts";

const sarifLevels = { high: "error", medium: "warning", low: "note" } as const satisfies Record<Risk, string>;

/** Security severities for GitHub: above 7 is high, above 4 medium. */
const securityScores = { high: "8.0", medium: "5.5", low: "2.0" } as const;

export const sarif = (
  problems: readonly Problem[],
  { findings, ignored }: Pick<Audit, "findings" | "ignored">,
): object => {
  const reported = new Set(
    [...problems, ...findings, ...ignored.map(({ finding }) => finding)].map(({ code }) => code),
  );
  const rules = [...problemRules(), ...auditRules()].filter(({ id }) => reported.has(id));
  const ruleIndexOf = (code: string) => rules.findIndex(({ id }) => id === code);
  const results = [
    ...problems.map((it) => toResult(it, "error", ruleIndexOf)),
    ...findings.map((it) => toResult(it, sarifLevels[it.severity], ruleIndexOf)),
    ...ignored.map((it) => ({
      ...toResult(it.finding, sarifLevels[it.finding.severity], ruleIndexOf),
      suppressions: [toSuppression(it)],
    })),
  ];
  const driver = { name: "postern", version, rules };
  const run = { tool: { driver }, columnKind: "utf16CodeUnits", results };
  return { $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
};

const problemRules = () =>
  (Object.keys(problemCodes) as ProblemCode[]).map((id) =>
    toRule(id, problemCodes[id], `docs/reference/problems/${id}.md`, {
      level: "error",
      properties: { tags: ["manifest"] },
    }),
  );

const auditRules = () =>
  allRules().map(({ id, summary, remedy, incident, severity }) => ({
    ...toRule(id, summary, ruleDocs(id), {
      level: sarifLevels[severity],
      properties: { tags: ["security"], "security-severity": securityScores[severity] },
    }),
    fullDescription: { text: `${summary} ${incident}` },
    help: { text: `${remedy} See ${ruleDocs(id)}.`, markdown: `${remedy}\n\n${incident}\n\nSee \`${ruleDocs(id)}\`.` },
  }));

const toRule = (
  id: string,
  summary: string,
  docs: string,
  { level, properties }: { readonly level: string; readonly properties: object },
) => ({
  id,
  shortDescription: { text: summary },
  help: { text: `See ${docs}.` },
  defaultConfiguration: { level },
  properties,
});

const toResult = (remark: Diagnostic | Finding, level: string, ruleIndexOf: (code: string) => number) => {
  const { code, message, remedy, related = [] } = remark;
  return {
    ruleId: code,
    ruleIndex: ruleIndexOf(code),
    level,
    message: { text: remedy ? `${message}. ${remedy}` : message },
    locations: [{ physicalLocation: toLocation(remark) }],
    ...(related.length > 0 && {
      relatedLocations: related.map((it, id) => ({
        id,
        physicalLocation: toLocation(it),
        message: { text: it.message },
      })),
    }),
    partialFingerprints: { "postern/v1": fingerprint(remark) },
  };
};

const toLocation = ({ file, line, column, length, source }: SourceLocation) => ({
  artifactLocation: { uri: file.split("/").map(encodeURIComponent).join("/"), uriBaseId: "%SRCROOT%" },
  region: {
    startLine: line,
    startColumn: column,
    endLine: line,
    endColumn: column + length,
    snippet: { text: source },
  },
});

/** A fingerprint by the line's content, stable when lines move. */
const fingerprint = ({ file, code, source }: Diagnostic): string =>
  createHash("sha256")
    .update(JSON.stringify([file, code, source.trim()]))
    .digest("hex")
    .slice(0, 32);

const toSuppression = ({ until, reason }: Ignored) => ({
  kind: "inSource",
  status: "accepted",
  justification: `${reason} (until ${until})`,
});
