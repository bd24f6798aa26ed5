/** Random edits of good manifests: each one holds or is a problem with a place, and none is a crash. */
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { environment } from "../../functions/gateway/environment.ts";
import { check } from "../../infra/compiler/check.ts";
import { lower } from "../../infra/compiler/lower.ts";
import { read } from "../../infra/compiler/read.ts";
import { report } from "../../infra/compiler/report.ts";
import { home } from "../../infra/gen/generated.ts";
import * as registry from "../../infra/registry.ts";

const values = {
  "api-host": "localhost",
  "identity-url": "https://i.example",
  "accounts-url": "https://a.example",
  "payments-url": "https://p.example",
  "rates-worker": "rates",
};
const surroundings = {
  name: "local",
  file: "routes/environments/local.yaml",
  value: environment().parse({ values, kv: { consumers: "0".repeat(32) } }),
};

const odd = [
  ...["null", "[]", "{}", "1", "true", "~", "''", "?", "-", "|", "1e999", ".inf", "0x10", "2026-01-01", "[[[[]]]]"],
  ...["__proto__", "constructor", "toString", "*a", "&a", "!!js/function x", "<<: *x", "{a: {b: {c: 1}}}"],
  ...["\u2028", "\0", "\ufeff", "\t", "\r", "'\\u0000'", "$" + "{x}", "{path.id}", "{{", "x".repeat(500)],
];

const edit = fc.tuple(fc.constantFrom("drop", "replace", "insert", "repeat"), fc.nat(), fc.nat());

const edited = (text: string, edits: readonly (readonly [string, number, number])[]): string => {
  const tokens = text.split(/(\s+|[:,{}[\]"])/);
  for (const [kind, place, choice] of edits) {
    const at = place % tokens.length;
    const word = odd[choice % odd.length] as string;
    if (kind === "drop") tokens.splice(at, 1);
    else if (kind === "replace") tokens[at] = word;
    else tokens.splice(at, 0, kind === "insert" ? word : (tokens[choice % tokens.length] as string));
  }
  return tokens.join("");
};

it.each(["wallet", "pay", "open"])("of %s", (name) => {
  const text = fs.readFileSync(path.join(home, `routes/${name}.yaml`), "utf8");
  let holding = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      const { tier, problems } = check(read(`routes/${name}.yaml`, edited(text, edits)), registry, surroundings);
      expect(tier === undefined).toBe(problems.length > 0);
      if (tier) {
        holding++;
        expect(lower(tier, "local").tier).toBe(tier.manifest.tier);
      }
      for (const { line, column, length, message } of problems) {
        expect(Math.min(line, column, length)).toBeGreaterThanOrEqual(1);
        expect(message).not.toMatch(/Invalid input|\[object/);
      }
      expect(problems.filter(({ message }) => message.includes("token in YAML stream")).length).toBeLessThanOrEqual(1);
      expect(() => report(problems, { read: 1, broken: 1 })).not.toThrow();
    }),
    { numRuns: 300, seed: 20_261_124 },
  );
  // Neither all edits are harmless nor all of them harmful, so both sides were seen.
  expect(holding).toBeGreaterThan(10);
  expect(holding).toBeLessThan(290);
});
