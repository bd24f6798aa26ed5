/** Renders test results as JUnit XML for CI systems. */
import type { Failure } from "./judge.ts";
import type { LawReport } from "./laws.ts";
import type { Report } from "./run.ts";

export const renderJunit = (reports: readonly Report[], laws: readonly LawReport[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
${reports.map(renderSuite).join("")}${laws.map(renderPart).join("")}</testsuites>
`;

const renderSuite = ({ suite, ran, failures }: Report): string => {
  const failed = new Map<string, Failure[]>();
  for (const it of failures) failed.set(it.case, [...(failed.get(it.case) ?? []), it]);
  const name = suite.tier.manifest.tier;
  return `  <testsuite name="${escapeXml(name)}" file="${escapeXml(suite.file)}" tests="${ran.length}" failures="${failed.size}">
${ran.map((it) => renderCase(it, name, failed.get(it) ?? [])).join("")}  </testsuite>
`;
};

/** The laws that a part keeps are counted, and those that it breaks are listed. */
const renderPart = ({ kind, name, file, laws, failures }: LawReport): string => {
  const suite = `${kind} ${name}`;
  const cases = failures.map(
    ({ law, message }) =>
      `    <testcase classname="${escapeXml(suite)}" name="${escapeXml(law)}">\n      <failure>${escapeXml(message)}</failure>\n    </testcase>\n`,
  );
  return `  <testsuite name="${escapeXml(suite)}" file="${escapeXml(file)}" tests="${laws}" failures="${failures.length}">\n${cases.join("")}  </testsuite>\n`;
};

const renderCase = (name: string, tier: string, failures: readonly Failure[]): string => {
  const open = `    <testcase classname="${escapeXml(tier)}" name="${escapeXml(name)}"`;
  if (failures.length === 0) return `${open}/>\n`;
  const text = failures.flatMap(({ request, differences, line }) => [
    `line ${line}: ${request}`,
    ...differences.map(({ of, expected, got }) => `  ${of}: expected ${expected}, got ${got}`),
  ]);
  return `${open}>\n      <failure>${escapeXml(text.join("\n"))}</failure>\n    </testcase>\n`;
};

const escapeXml = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no place for them
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\ufffd");
