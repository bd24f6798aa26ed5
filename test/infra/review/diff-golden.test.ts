/** Pairs of manifests and the comment that each gets. A golden file is read when it changes; `UPDATE_GOLDEN=1` writes it. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { changeKinds } from "../../../infra/review/risks.ts";
import { commentOf, compared, folder, pairs, written } from "./pairs.ts";

const update = process.env.UPDATE_GOLDEN === "1";
if (update && process.env.CI) throw new Error("CI does not write golden files");

const all = pairs();

describe.each(all)("$name", (pair) => {
  it("reads as the golden file, forwards; and backwards there is a change if there is one forwards", () => {
    const comment = commentOf(pair);
    const file = path.join(folder, `${pair.name}.pair`);
    if (update) fs.writeFileSync(file, written(fs.readFileSync(file, "utf8"), comment));
    else expect(comment).toBe(pair.comment);
    expect(comment).not.toMatch(/undefined|\[object|NaN/);
    const back = compared({ before: pair.after, after: pair.before });
    const forth = compared(pair);
    if ([forth, back].every(({ problems }) => problems.length === 0))
      expect(back.risk === undefined).toBe(forth.risk === undefined);
  });
});

it("there are forty pairs at least, and one for every kind of change that a manifest can have", () => {
  expect(all.length).toBeGreaterThanOrEqual(40);
  const seen = new Set(all.flatMap((pair) => compared(pair).changes.map(({ kind }) => kind)));
  expect(Object.keys(changeKinds).filter((kind) => !seen.has(kind as never))).toEqual(["other"]);
});
