/** Every problem at once (docs, law 2): several independent faults in one project are all reported, none besides, in place order. */
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { caseFile } from "../../infra/cases/input/language.ts";
import { readSuites } from "../../infra/cases/input/read.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { inOrder } from "../../infra/diagnostics/problem.ts";
import { project } from "../e2e/project.ts";
import { full } from "../full.ts";
import { type Fault, slots } from "./line-faults.ts";

const files = [...new Set(slots.map(({ file }) => file))];

type Chosen = ReadonlyMap<number, Fault>;

const textOf = (file: string, chosen: Chosen): string =>
  slots.flatMap((slot, index) => (slot.file === file ? [`${chosen.get(index)?.line ?? slot.sound}\n`] : [])).join("");

/** `routes/shop.yaml:7:3 unknown-key`, in place order. */
const expected = (chosen: Chosen): string[] => {
  const astray = [...chosen.values()].some((it) => it.astray);
  const lines = files.flatMap((file) =>
    slots.filter((it) => it.file === file).map((slot, at) => ({ slot, line: at + 1 })),
  );
  const places = [...chosen].flatMap(([index, fault]) => {
    const { slot, line } = lines.find((it) => it.slot === slots[index]) as (typeof lines)[number];
    const own = fault.problems.map(([code, marked]) => ({
      file: slot.file,
      line,
      column: fault.line.indexOf(marked) + 1,
      code,
    }));
    const idle = lines.find((it) => it.slot.sound === fault.unused);
    if (!idle || astray) return own;
    const upstream = { file: idle.slot.file, line: idle.line, column: 3, code: "unused-upstream" };
    return [...own, upstream];
  });
  return places
    .toSorted((a, b) =>
      a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column || (a.code < b.code ? -1 : 1),
    )
    .map(said);
};

const said = (it: { file: string; line: number; column: number; code: string }): string =>
  `${it.file}:${it.line}:${it.column} ${it.code}`;

const schema = caseFile();

/** In one folder for all, since a project is read anew each time. */
const reported = (root: string, chosen: Chosen): string[] => {
  for (const file of files) fs.writeFileSync(path.join(root, file), textOf(file, chosen));
  const compiled = compile(root, "local");
  return inOrder([...compiled.problems, ...readSuites(root, compiled, schema).problems]).map(said);
};

const sound = () => project(Object.fromEntries(files.map((file) => [file, textOf(file, new Map())])));

const each = slots.flatMap(({ faults, sound }, index) =>
  faults.map((fault) => ({ index, fault, name: `${sound.trim()} → ${fault.line.trim()}` })),
);

it("the project is sound", () => {
  expect(reported(sound(), new Map())).toEqual([]);
});

describe("one fault", () => {
  it.each(each)("$name", ({ index, fault }) => {
    const chosen = new Map([[index, fault]]);
    expect(reported(sound(), chosen)).toEqual(expected(chosen));
  });
});

const several = fc
  .uniqueArray(fc.nat(each.length - 1), { minLength: 2, maxLength: 6, selector: (at) => each[at]?.index })
  .map((all): Chosen => new Map(all.map((at) => [each[at]?.index as number, each[at]?.fault as Fault])));

it("several at once: all are reported, none besides, in place order, and the same again", () => {
  const root = sound();
  let most = 0;
  fc.assert(
    fc.property(several, (chosen) => {
      const found = reported(root, chosen);
      expect(found).toEqual(expected(chosen));
      expect(reported(root, chosen)).toEqual(found);
      most = Math.max(most, found.length);
    }),
    { numRuns: full ? 400 : 60, seed: 20_261_130 },
  );
  expect(most).toBeGreaterThan(8);
});
