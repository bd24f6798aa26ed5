/** Random edits: a diff is empty if, and only if, the plans are equal. `POSTERN_EDITS=5000` is the long form. */
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "../../../infra/compiler/check/check.ts";
import { readPresets } from "../../../infra/compiler/check/presets.ts";
import { checkCollisions } from "../../../infra/compiler/check/tiers.ts";
import { type Compiled, compile } from "../../../infra/compiler/compile.ts";
import { lowerTier } from "../../../infra/compiler/lower/gates.ts";
import { lowerFront } from "../../../infra/compiler/lower/lower.ts";
import type { CheckInputs } from "../../../infra/compiler/model/checked.ts";
import { parseSource } from "../../../infra/diagnostics/source.ts";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { registry } from "../../../infra/project/registry.ts";
import { plainText } from "../../../infra/review/core/sentence.ts";
import { diffModels } from "../../../infra/review/diff/diff.ts";
import { toModel } from "../../../infra/review/diff/picture/model.ts";
import { writeProject } from "../../e2e/project.ts";
import { bank } from "../../fixtures/bank.ts";
import { full } from "../../full.ts";
import { applyEdits, edits } from "./edits.ts";

const runs = Number(process.env.POSTERN_EDITS ?? (full ? 500 : 60));

const files = Object.fromEntries(
  [
    ...["wallet.yaml", "pay.yaml", "open.yaml", "consumers.yaml", "environments/local.yaml"],
    ...["presets/mobile.yaml", "presets/finance.yaml", "presets/open.yaml"],
  ].map((name) => [`routes/${name}`, fs.readFileSync(path.join(bank, "routes", name), "utf8")]),
);
// Many kinds of routes: weights, conditions, redirects, answers, a Worker of its own.
const everything = fs.readFileSync(path.join(codeRoot, "test/golden/plans/wallet.yaml"), "utf8");
const all = {
  ...files,
  "routes/all.yaml": everything
    .replace("tier: wallet", "tier: all")
    .replace("base: /wallet/v1", "base: /all")
    .replace(", ip]", ", flood]"),
};

/** What a change is measured by: not by the diff's own pictures, but by what the compiler hands on. */
const outcome = ({ tiers, front, consumers }: Compiled): string =>
  JSON.stringify([
    tiers.map(({ checked: { manifest }, serves }) => {
      const { tier, owner, level, labels, hosts, base, entry, isolation, limits, log, release } = manifest;
      // Smoke tests ask the first host, and a zone's routes stand in the order of all.
      const orderedHosts = entry === "zone" ? hosts : [hosts[0], ...hosts.toSorted()];
      const own = { tier, owner, level, labels, orderedHosts, base, entry, isolation, limits, log, release };
      return [sortedKeys(own), serves.map(({ plan }) => plan)];
    }),
    front,
    consumers,
  ]);

const sortedKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, it]) => it !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, it]) => [key, sortedKeys(it)]),
  );
};

/** The project with another text of one manifest; undefined where that does not hold. Values that nobody asks for any more do not matter. */
const again = (before: Compiled, surroundings: CheckInputs, file: string, text: string): Compiled | undefined => {
  const { tier } = check(parseSource(file, text), surroundings);
  if (!tier) return undefined;
  const tiers = before.tiers.map((it) =>
    it.checked.source.file === file ? { checked: tier, serves: lowerTier(tier, before.environment.name) } : it,
  );
  const all = tiers.map(({ checked }) => checked);
  return checkCollisions(all).length > 0 ? undefined : { ...before, tiers, front: lowerFront(all, before.environment) };
};

describe.each(["wallet", "pay", "open", "all"])("%s", (tier) => {
  it("has a diff where its plan is another one, and none where it is not", () => {
    const file = `routes/${tier}.yaml`;
    const root = writeProject(all);
    const before = compile(root, "local");
    expect(before.problems).toEqual([]);
    const { environment } = before;
    const around = { registry, environment, presets: readPresets(root, environment, registry) };
    const [picture, was] = [toModel(before), outcome(before)];
    const seen = { same: 0, other: 0 };
    fc.assert(
      fc.property(edits, (it) => {
        const after = again(before, around, file, applyEdits(all[file as keyof typeof all] ?? "", it));
        fc.pre(after !== undefined);
        const { changes, workers } = diffModels(picture, toModel(after));
        const same = outcome(after) === was;
        seen[same ? "same" : "other"]++;
        expect([changes.length > 0, same && workers.length > 0]).toEqual([!same, false]);
        // Each of them has words of its own.
        expect(changes.filter(({ kind }) => kind === "other")).toEqual([]);
        for (const { message } of changes) expect(plainText(message)).not.toMatch(/undefined|\[object|NaN/);
      }),
      { numRuns: Math.ceil(runs / 4), seed: 20_261_126, maxSkipsPerRun: 1000 },
    );
    // Both happened, so both were seen.
    expect(Math.min(seen.same, seen.other)).toBeGreaterThan(runs / 50);
  });
});
