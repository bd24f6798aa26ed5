/** The audit for other tools: SARIF 2.1.0 (OASIS), as code scanning reads it. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { type ProblemCode, problemCodes } from "../../diagnostics/codes.ts";
import type { Place, Problem, Remark } from "../../diagnostics/problem.ts";
import { home } from "../../project/generated-files.ts";
import type { Risk } from "../core/risks.ts";
import type { Audit, Ignored } from "./audit.ts";
import { docsOf, type Finding } from "./finding.ts";
import { allRules } from "./registry.ts";

const levels = { high: "error", medium: "warning", low: "note" } as const satisfies Record<Risk, string>;

/** What GitHub sorts security findings by: above 7 is high, above 4 medium. */
const scores = { high: "8.0", medium: "5.5", low: "2.0" } as const;

export const sarif = (
  problems: readonly Problem[],
  { findings, ignored }: Pick<Audit, "findings" | "ignored">,
): object => {
  const reported = new Set(
    [...problems, ...findings, ...ignored.map(({ finding }) => finding)].map(({ code }) => code),
  );
  const rules = [...problemRules(), ...auditRules()].filter(({ id }) => reported.has(id));
  const indexOf = (code: string) => rules.findIndex(({ id }) => id === code);
  const results = [
    ...problems.map((it) => resultOf(it, "error", indexOf)),
    ...findings.map((it) => resultOf(it, levels[it.severity], indexOf)),
    ...ignored.map((it) => ({
      ...resultOf(it.finding, levels[it.finding.severity], indexOf),
      suppressions: [suppressionOf(it)],
    })),
  ];
  const driver = { name: "postern", version: version(), rules };
  const run = { tool: { driver }, columnKind: "utf16CodeUnits", results };
  return { $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
};

const version = (): string => JSON.parse(fs.readFileSync(path.join(home, "package.json"), "utf8")).version;

const problemRules = () =>
  (Object.keys(problemCodes) as ProblemCode[]).map((id) =>
    ruleOf(id, problemCodes[id], `docs/reference/problems/${id}.md`, {
      level: "error",
      properties: { tags: ["manifest"] },
    }),
  );

const auditRules = () =>
  allRules.map(({ id, summary, remedy, incident, severity }) => ({
    ...ruleOf(id, summary, docsOf(id), {
      level: levels[severity],
      properties: { tags: ["security"], "security-severity": scores[severity] },
    }),
    fullDescription: { text: `${summary} ${incident}` },
    help: { text: `${remedy} See ${docsOf(id)}.`, markdown: `${remedy}\n\n${incident}\n\nSee \`${docsOf(id)}\`.` },
  }));

const ruleOf = (
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

const resultOf = (remark: Remark | Finding, level: string, indexOf: (code: string) => number) => {
  const { code, message, remedy, related = [] } = remark;
  return {
    ruleId: code,
    ruleIndex: indexOf(code),
    level,
    message: { text: remedy ? `${message}. ${remedy}` : message },
    locations: [{ physicalLocation: locationOf(remark) }],
    ...(related.length > 0 && {
      relatedLocations: related.map((it, id) => ({
        id,
        physicalLocation: locationOf(it),
        message: { text: it.message },
      })),
    }),
    partialFingerprints: { "postern/v1": fingerprint(remark) },
  };
};

const locationOf = ({ file, line, column, length, source }: Place) => ({
  artifactLocation: { uri: file.split("/").map(encodeURIComponent).join("/"), uriBaseId: "%SRCROOT%" },
  region: {
    startLine: line,
    startColumn: column,
    endLine: line,
    endColumn: column + length,
    snippet: { text: source },
  },
});

/** The same while its line says the same, wherever that has moved to. */
const fingerprint = ({ file, code, source }: Remark): string =>
  createHash("sha256")
    .update(JSON.stringify([file, code, source.trim()]))
    .digest("hex")
    .slice(0, 32);

const suppressionOf = ({ until, reason }: Ignored) => ({
  kind: "inSource",
  status: "accepted",
  justification: `${reason} (until ${until})`,
});
