/** The same messages by `postern test`: what fails over a socket fails there. */
import { beforeAll, expect, it } from "vitest";
import type { Failure } from "../../../infra/cases/judge.ts";
import { removeProject, writeFiles } from "../../e2e/project.ts";
import { runAllSuites, sharedRuntime } from "../../infra/cases/run-cases.ts";
import { table } from "../row.ts";
import { caseOf } from "./cases.ts";
import { filesOf } from "./messages.ts";
import { rows } from "./rows.ts";

const runtime = sharedRuntime();
const said = rows.flatMap((row) => {
  const words = caseOf(row);
  return words ? [{ ...row, words }] : [];
});

it("most rows can be said", () => {
  expect(said.length).toBeGreaterThan(60);
});

let failures: readonly Failure[] = [];
beforeAll(async () => {
  const files = filesOf("https://it.example", "https://copies.example");
  const cases = JSON.stringify(said.map(({ words }) => words));
  const root = writeFiles({ ...files, "routes/m.test.yaml": cases });
  const [report] = await runAllSuites(root, runtime());
  removeProject(root);
  // A row that was not tried would not fail either.
  expect(report?.ran).toHaveLength(said.length);
  failures = report?.failures ?? [];
});

table(said, ({ words }) => {
  const own = failures.filter((it) => it.case === words.it);
  expect(own.flatMap(({ differences }) => differences)).toEqual([]);
});
