/** The same messages under `postern test`: what fails over a socket fails there. */
import { expect, it } from "vitest";
import { project } from "../../e2e/city.ts";
import { failed, sharedRuntime, tryAll } from "../../infra/cases/trial.ts";
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

let failures: Report["failures"];
beforeAll(async () => {
  const files = filesOf("https://it.example", "https://copies.example");
  const cases = JSON.stringify(said.map(({ words }) => words));
  const [report] = await tryAll(project({ ...files, "routes/m.test.yaml": cases }), runtime());
  failures = report?.failures ?? [];
});

table(said, ({ words }) => {
  const own = failures.filter((it) => it.of.written.it === words.it);
  expect(own.flatMap(({ differences }) => differences)).toEqual([]);
});
