/** Pairs of manifests and the comment that each gets. A golden file is read when it changes; `UPDATE_GOLDEN=1` writes it. */
import fs from "node:fs";
import path from "node:path";
import { marked } from "marked";
import { describe, expect, it } from "vitest";
import { changeKinds } from "../../../infra/review/core/risks.ts";
import { renderMarkdown } from "../../../infra/review/markdown.ts";
import { comparePair, folder, pairs, serializePair } from "./pairs.ts";

const update = process.env.UPDATE_GOLDEN === "1";
if (update && process.env.CI) throw new Error("CI does not write golden files");

const all = pairs();
/** Kinds that the pairs have shown. */
const seen = new Set<string>();

describe.each(all)("$name", (pair) => {
  it("reads as the golden file, forwards; and backwards there is a change if there is one forwards", () => {
    const forth = comparePair(pair);
    for (const { kind } of forth.changes) seen.add(kind);
    const comment = renderMarkdown(forth, false);
    const file = path.join(folder, `${pair.name}.pair`);
    if (update) fs.writeFileSync(file, serializePair(fs.readFileSync(file, "utf8"), comment));
    else expect(comment).toBe(pair.comment);
    expect(comment).not.toMatch(/undefined|\[object|NaN/);
    const back = comparePair({ before: pair.after, after: pair.before });
    if ([forth, back].every(({ problems }) => problems.length === 0))
      expect(back.risk === undefined).toBe(forth.risk === undefined);
  });
});

/** Tags that a cell of a comment needs; whatever else there is came out of a manifest. */
const plainTags = new Set(["h3", "h4", "p", "strong", "ul", "li", "code", "table", "thead", "tbody", "tr", "th", "td"]);

describe.each(all)("$name, drawn", ({ comment }) => {
  it("is rows of four or three cells, and text of manifests draws nothing", () => {
    const html = marked.parse(comment, { gfm: true, async: false });
    const rows = [...html.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, row = ""]) => row.split(/<t[hd]>/).length - 1);
    expect(rows.filter((cells) => cells !== 4 && cells !== 3)).toEqual([]);
    expect(rows.length).toBe(
      comment.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---")).length,
    );
    const tags = [...html.matchAll(/<\/?([a-z0-9]+)/g)].map(([, tag = ""]) => tag);
    expect(tags.filter((tag) => !plainTags.has(tag))).toEqual([]);
    // What GitHub would make a mention of stands in code.
    expect(html.replaceAll(/<code>[\s\S]*?<\/code>/g, "")).not.toMatch(/@/);
  });
});

it("there are forty pairs at least, and one for every kind of change that a manifest can have", () => {
  expect(all.length).toBeGreaterThanOrEqual(40);
  expect(Object.keys(changeKinds).filter((kind) => !seen.has(kind))).toEqual(["other"]);
});
