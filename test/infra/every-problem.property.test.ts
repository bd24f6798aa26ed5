/** Every problem at once (docs, law 2): several independent faults in one project are all reported, none besides, in place order. */
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { caseFile } from "../../infra/cases/input/language.ts";
import { readSuites } from "../../infra/cases/input/read.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { sortDiagnostics } from "../../infra/diagnostics/problem.ts";
import { writeProject } from "../e2e/project.ts";
import { full } from "../full.ts";
import { type LineFault, manifestLines } from "./line-faults.ts";

const files = [...new Set(manifestLines.map(({ file }) => file))];

type ChosenFaults = ReadonlyMap<number, LineFault>;

const textOf = (file: string, chosen: ChosenFaults): string =>
  manifestLines
    .flatMap((slot, index) => (slot.file === file ? [`${chosen.get(index)?.line ?? slot.valid}\n`] : []))
    .join("");

/** `routes/shop.yaml:7:3 unknown-key`, in place order. */
const expected = (chosen: ChosenFaults): string[] => {
  const hidesUnused = [...chosen.values()].some((it) => it.hidesUnused);
  const lines = files.flatMap((file) =>
    manifestLines.filter((it) => it.file === file).map((slot, at) => ({ slot, line: at + 1 })),
  );
  const places = [...chosen].flatMap(([index, fault]) => {
    const { slot, line } = lines.find((it) => it.slot === manifestLines[index]) as (typeof lines)[number];
    const ownProblems = fault.problems.map(([code, marked]) => ({
      file: slot.file,
      line,
      column: fault.line.indexOf(marked) + 1,
      code,
    }));
    const unusedLine = lines.find((it) => it.slot.valid === fault.unused);
    if (!unusedLine || hidesUnused) return ownProblems;
    const upstream = { file: unusedLine.slot.file, line: unusedLine.line, column: 3, code: "unused-upstream" };
    return [...ownProblems, upstream];
  });
  return places
    .toSorted((a, b) =>
      a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column || (a.code < b.code ? -1 : 1),
    )
    .map(formatPosition);
};

const formatPosition = (it: { file: string; line: number; column: number; code: string }): string =>
  `${it.file}:${it.line}:${it.column} ${it.code}`;

const schema = caseFile();

/** In one folder for all, since a project is read anew each time. */
const reportedProblems = (root: string, chosen: ChosenFaults): string[] => {
  for (const file of files) fs.writeFileSync(path.join(root, file), textOf(file, chosen));
  const compiled = compile(root, "local");
  return sortDiagnostics([...compiled.problems, ...readSuites(root, compiled, schema).problems]).map(formatPosition);
};

const validProject = () => writeProject(Object.fromEntries(files.map((file) => [file, textOf(file, new Map())])));

const singleFaults = manifestLines.flatMap(({ faults, valid: sound }, index) =>
  faults.map((fault) => ({ index, fault, name: `${sound.trim()} → ${fault.line.trim()}` })),
);

it("the project is sound", () => {
  expect(reportedProblems(validProject(), new Map())).toEqual([]);
});

describe("one fault", () => {
  it.each(singleFaults)("$name", ({ index, fault }) => {
    const chosen = new Map([[index, fault]]);
    expect(reportedProblems(validProject(), chosen)).toEqual(expected(chosen));
  });
});

const faultSets = fc
  .uniqueArray(fc.nat(singleFaults.length - 1), {
    minLength: 2,
    maxLength: 6,
    selector: (at) => singleFaults[at]?.index,
  })
  .map(
    (all): ChosenFaults =>
      new Map(all.map((at) => [singleFaults[at]?.index as number, singleFaults[at]?.fault as LineFault])),
  );

it("several at once: all are reported, none besides, in place order, and the same again", () => {
  const root = validProject();
  let maxFound = 0;
  fc.assert(
    fc.property(faultSets, (chosen) => {
      const found = reportedProblems(root, chosen);
      expect(found).toEqual(expected(chosen));
      expect(reportedProblems(root, chosen)).toEqual(found);
      maxFound = Math.max(maxFound, found.length);
    }),
    { numRuns: full ? 400 : 60, seed: 20_261_130 },
  );
  expect(maxFound).toBeGreaterThan(8);
});
