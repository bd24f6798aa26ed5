/** Presets that come with Postern, in a project of somebody else. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { mutantsOf } from "../../infra/cases/mutations/mutants.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { planFixes } from "../../infra/review/audit/fixing.ts";
import { manifest, writeProject } from "../e2e/project.ts";

const tier = (preset: string) =>
  manifest(
    "t",
    `preset: ${preset}\nupstreams: { it: { http: "https://it.example" } }\nroutes: { all: { match: GET /x, to: it } }\n`,
  );
const origins = { "routes/environments/local.yaml": "values: { app-origins: ['https://app.example'] }\n" };
const idsOf = (root: string) => compile(root, "local").tiers[0]?.checked.shared.filters.map(({ id }) => id);
const codesOf = (root: string) =>
  compile(root, "local").problems.map(({ file, code, message }) => `${file} ${code}: ${message}`);

it("is used by its name, and the others are no problem", () => {
  const root = writeProject({ "routes/t.yaml": tier("open") });
  expect(codesOf(root)).toEqual([]);
  expect(idsOf(root)).toEqual(["cors", "body-limit", "fair-share"]);
});

it("is replaced by the project's own of the same name, which has to be used", () => {
  const own = "preset: open\nsummary: Ours\nfilters: [{ body-limit: 1KiB }]\n";
  const root = writeProject({ "routes/t.yaml": tier("open"), "routes/presets/open.yaml": own });
  expect([codesOf(root), idsOf(root)]).toEqual([[], ["body-limit"]]);
  fs.writeFileSync(path.join(root, "routes/t.yaml"), tier("mobile"));
  fs.writeFileSync(path.join(root, "routes/environments/local.yaml"), origins["routes/environments/local.yaml"]);
  expect(codesOf(root)).toEqual(['routes/presets/open.yaml unused-preset: no tier uses the preset "open"']);
});

it("uses values of the environment, and says which one is missing", () => {
  const root = writeProject({ "routes/t.yaml": tier("mobile"), ...origins });
  expect(codesOf(root)).toEqual([]);
  fs.writeFileSync(path.join(root, "routes/environments/local.yaml"), "values: {}\n");
  expect(codesOf(root)).toEqual([
    'node_modules/postern/routes/presets/mobile.yaml unknown-variable: routes/environments/local.yaml has no value "app-origins"',
  ]);
});

it("is read again after an edit of the manifest that names it", () => {
  const root = writeProject({ "routes/t.yaml": tier("open"), ...origins });
  expect(codesOf(root)).toEqual([expect.stringContaining("unused-value: no manifest uses")]);
  const before = compile(root, "local");
  fs.writeFileSync(path.join(root, "routes/t.yaml"), tier("mobile"));
  expect(compile(root, "local", before).problems).toEqual([]);
  expect(compile(root, "local", compile(root, "local")).problems).toEqual([]);
});

it("is listed where a name is unknown", () => {
  const [problem] = compile(writeProject({ "routes/t.yaml": tier("mobil") }), "local").problems;
  expect(problem).toMatchObject({ code: "unknown-preset", remedy: 'did you mean "mobile"?' });
});

it("is neither mutated nor fixed, since it is no file of the project", () => {
  const root = writeProject({ "routes/t.yaml": tier("open") });
  const tiers = compile(root, "local").tiers.map(({ checked }) => checked);
  expect([...new Set(mutantsOf(root, tiers).map(({ file }) => file))]).toEqual(["routes/t.yaml"]);
  const file = "node_modules/postern/routes/presets/open.yaml";
  const fix = { says: "", change: { from: 0, to: 0, text: "" } };
  expect(planFixes(root, [{ file, fix } as never]).files).toEqual([]);
});

it("has a file for each page of docs/presets", () => {
  const names = (folder: string) => fs.readdirSync(path.join(codeRoot, folder)).map((it) => path.parse(it).name);
  expect(names("routes/presets").sort()).toEqual(names("docs/presets").sort());
});
