/** The same rows as cases of `postern test`. */
import { expect, it } from "vitest";
import { writeProject } from "../../e2e/project.ts";
import { failureLines, runAllSuites, sharedRuntime } from "../../infra/cases/run-cases.ts";
import { files, requestOf, tiers, versionOf } from "./project.ts";
import type { Sent } from "./row.ts";
import { rows } from "./rows.ts";

const runtime = sharedRuntime();

const caseOf = (row: (typeof rows)[number], sent: Sent, what: string, outcome: object) => {
  const { method, path, headers, body } = requestOf(row, sent);
  // The language writes them in lower case.
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    it: `${rows.indexOf(row)} ${what}`,
    send: { request: `${method} ${path}`, headers: lower, ...(body !== undefined && { text: body }) },
    expect: outcome,
  };
};

const casesOf = (tier: string): string =>
  JSON.stringify(
    rows
      .filter((row) => tiers[versionOf(row)] === tier)
      .flatMap((row) => [
        ...row.takes.map((sent, at) =>
          caseOf(row, sent, `takes ${at}`, { status: 200, filters: { validate: "passed" } }),
        ),
        ...row.refuses.map((sent, at) => caseOf(row, sent, `refuses ${at}`, { by: "validate" })),
      ]),
  );

it("hold under postern test", async () => {
  const cases = Object.fromEntries(Object.values(tiers).map((tier) => [`routes/${tier}.test.yaml`, casesOf(tier)]));
  const reports = await runAllSuites(writeProject({ ...files("https://it.example"), ...cases }), runtime());
  expect(
    reports.flatMap((it) => [...failureLines(it), ...it.failures.map((one) => JSON.stringify(one).slice(0, 300))]),
  ).toEqual([]);
  const all = rows.reduce((sum, { takes, refuses }) => sum + takes.length + refuses.length, 0);
  expect(reports.reduce((sum, { ran }) => sum + ran.length, 0)).toBe(all);
}, 120_000);
