/** Broken manifests and what a person reads about them. A golden file is read when it changes; `UPDATE_GOLDEN=1` writes it. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { problemCodes } from "../../infra/diagnostics/codes.ts";
import { compileProject } from "../e2e/project.ts";
import { compileCase, folder, readCases, serializeCase } from "./golden-cases.ts";

const update = process.env.UPDATE_GOLDEN === "1";
if (update && process.env.CI) throw new Error("CI does not write golden files");

const all = readCases();

describe.each(all)("$name", (it_) => {
  it("reads as the golden file, marks text that is there, and shows nothing of the checker's insides", async () => {
    const { problems, rendered: shown } = await compileCase(it_);
    if (update) fs.writeFileSync(path.join(folder, `${it_.name}.case`), serializeCase(it_, shown));
    else expect(shown).toBe(it_.rendered);
    expect(problems.length).toBeGreaterThan(0);
    for (const { source, column, length, message, remedy, related = [] } of problems) {
      for (const place of [{ source, column, length }, ...related])
        expect(place.column - 1 + place.length).toBeLessThanOrEqual(Math.max(1, place.source.length));
      expect(`${message} ${remedy ?? ""}`).not.toMatch(
        /Invalid input|expected|received|undefined|\[object|zod|Too (small|big)/i,
      );
    }
  });
});

it("there is a case for every code", async () => {
  const shown = new Set<string>();
  for (const it of all) for (const { code } of (await compileCase(it)).problems) shown.add(code);
  // A case is a file of text in UTF-8; and no part takes as many connections yet. They have tests of their own.
  const missing = Object.keys(problemCodes).filter((code) => !shown.has(code));
  expect(missing).toEqual(["bad-encoding", "unreadable", "too-many-connections"]);
});

const plans = path.join(folder, "../plans");

describe.each(fs.readdirSync(plans).filter((name) => name.endsWith(".yaml")))("the plan of %s", (name) => {
  it("is the golden one", () => {
    const values =
      "values: { identity-url: 'https://identity.acme.example', accounts-url: 'https://accounts.acme.example' }\n";
    const { tiers } = compileProject({
      [`routes/${name}`]: fs.readFileSync(path.join(plans, name), "utf8"),
      "routes/environments/local.yaml": values,
      "routes/presets/mobile.yaml": fs.readFileSync(path.join(plans, "presets/mobile.yaml"), "utf8"),
    });
    const plan = `${JSON.stringify(tiers[0]?.serves[0]?.plan, null, 2)}\n`;
    const golden = path.join(plans, name.replace(".yaml", ".json"));
    if (update) fs.writeFileSync(golden, plan);
    expect(plan).toBe(fs.readFileSync(golden, "utf8"));
  });
});
