/** Broken manifests and what a person reads about them. A golden file is read when it changes; `UPDATE_GOLDEN=1` writes it. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { environment } from "../../functions/gateway/config.ts";
import { check } from "../../infra/compiler/check.ts";
import type { CheckedTier } from "../../infra/compiler/checked.ts";
import { lower } from "../../infra/compiler/lower.ts";
import { inOrder } from "../../infra/compiler/problem.ts";
import { read } from "../../infra/compiler/read.ts";
import { report } from "../../infra/compiler/report.ts";
import * as registry from "../../infra/registry.ts";

const folder = path.join(import.meta.dirname, "../golden/problems");
const names = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => path.basename(name, ".yaml"));
const update = process.env.UPDATE_GOLDEN === "1";
if (update && process.env.CI) throw new Error("CI does not write golden files");

const values = {
  "api-host": "api.acme.example",
  "identity-url": "https://identity.acme.example",
  "accounts-url": "https://accounts.acme.example",
  "odd-url": "gopher://odd.acme.example",
};
const surroundings = { name: "local", file: "routes/environments/local.yaml", value: environment().parse({ values }) };

const problemsOf = (name: string) => {
  const source = read(`routes/${name}.yaml`, fs.readFileSync(path.join(folder, `${name}.yaml`), "utf8"));
  return inOrder(check(source, registry, surroundings).problems);
};

describe.each(names)("%s", (name) => {
  it("reads as the golden file", () => {
    const problems = problemsOf(name);
    const shown = report(problems, { read: 1, broken: 1 });
    const golden = path.join(folder, `${name}.txt`);
    if (update) fs.writeFileSync(golden, shown);
    expect(shown).toBe(fs.readFileSync(golden, "utf8"));
    expect(problems.length).toBeGreaterThan(0);
  });

  it("marks text that is there, and says nothing of the checker's own insides", () => {
    for (const { source, column, length, message, remedy } of problemsOf(name)) {
      expect(column - 1 + length).toBeLessThanOrEqual(Math.max(1, source.length));
      expect(`${message} ${remedy}`).not.toMatch(/Invalid input|expected|received|undefined,|\[object|zod/);
    }
  });
});

const plans = path.join(import.meta.dirname, "../golden/plans");

describe.each(fs.readdirSync(plans).filter((name) => name.endsWith(".yaml")))("the plan of %s", (name) => {
  it("is the golden one", () => {
    const source = read(`routes/${name}`, fs.readFileSync(path.join(plans, name), "utf8"));
    const { tier, problems } = check(source, registry, surroundings);
    expect(problems).toEqual([]);
    const plan = `${JSON.stringify(lower(tier as CheckedTier, "local"), null, 2)}\n`;
    const golden = path.join(plans, name.replace(".yaml", ".json"));
    if (update) fs.writeFileSync(golden, plan);
    expect(plan).toBe(fs.readFileSync(golden, "utf8"));
  });
});
