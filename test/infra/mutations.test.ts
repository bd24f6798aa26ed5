/** Random edits of good manifests: each one holds, or is a problem with a place; of a value that is replaced, at that place. */
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAlias, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { filters } from "../../functions/filters/registry.gen.ts";
import { limiter } from "../../functions/gateway/limits/store-counter.ts";
import { link } from "../../functions/gateway/server.ts";
import { streamAge } from "../../functions/gateway/streaming/max-age.ts";
import { watchBodies } from "../../functions/gateway/streaming/watched-body.ts";
import { webSocketAge } from "../../functions/gateway/streaming/websocket-age.ts";
import { environment } from "../../functions/manifest/environment.ts";
import { upstreams } from "../../functions/upstreams/registry.gen.ts";
import { check } from "../../infra/compiler/check/check.ts";
import { readPresets } from "../../infra/compiler/check/presets.ts";
import { lower } from "../../infra/compiler/lower/lower.ts";
import type { CheckedTier, CheckInputs } from "../../infra/compiler/model/checked.ts";
import { renderProblems } from "../../infra/diagnostics/report.ts";
import { parseSource } from "../../infra/diagnostics/source.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { registry } from "../../infra/project/registry.ts";
import { bank } from "../fixtures/bank.ts";
import { full } from "../full.ts";

const values = {
  "api-host": "localhost",
  "identity-url": "https://i.example",
  "accounts-url": "https://a.example",
  "payments-url": "https://p.example",
  "rates-worker": "rates",
  "app-origins": ["https://app.example"],
};
const named = {
  name: "local",
  file: "routes/environments/local.yaml",
  value: environment().parse({ values, kv: { consumers: "0".repeat(32) } }),
};
const surroundings: CheckInputs = {
  registry,
  environment: named,
  presets: readPresets(bank, named, registry),
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

const files = [
  ...["wallet", "pay", "open"].map((tier) => `test/fixtures/bank/routes/${tier}.yaml`),
  "test/golden/plans/wallet.yaml",
].map((file) => ({
  file,
  name: `routes/${path.basename(file)}`,
  // It drops what the preset of its own golden test has.
  text: fs.readFileSync(path.join(codeRoot, file), "utf8").replace(", ip]", ", flood]"),
}));

describe.each(files)("$file", ({ name, text }) => {
  it("holds as it is", () => {
    expect(check(parseSource(name, text), surroundings).problems).toEqual([]);
  });

  it("random edits of its text are valid or reported, and never crash", () => {
    let holding = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const { tier, problems } = check(parseSource(name, edited(text, edits)), surroundings);
        expect(tier === undefined).toBe(problems.length > 0);
        if (tier) {
          holding++;
          links(tier);
        }
        for (const { line, column, length, message } of problems) {
          expect(Math.min(line, column, length)).toBeGreaterThanOrEqual(1);
          expect(message).not.toMatch(/Invalid input|Too (small|big)|\[object|undefined/);
        }
        expect(() => renderProblems(problems, { read: 1, broken: 1 })).not.toThrow();
      }),
      { numRuns: full ? 300 : 60, seed: 20_261_124 },
    );
    // Neither all edits are harmless nor all of them harmful, so both sides were seen.
    expect(holding).toBeGreaterThan(full ? 10 : 2);
    expect(holding).toBeLessThan(full ? 290 : 58);
  });

  it("a value or key that is replaced is reported at its location, or where its counterpart is missing", () => {
    const places = scalarsOf(text);
    let reported = 0;
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.constantFrom(...replacements), ({ start, end, line }, word) => {
        const { tier, problems } = check(
          parseSource(name, text.slice(0, start) + word + text.slice(end)),
          surroundings,
        );
        if (tier) return links(tier);
        reported++;
        const there = problems.filter((it) => [it, ...(it.related ?? [])].some((place) => place.line === line));
        const elsewhere = problems.filter(({ code }) => consequences.has(code));
        expect(there.length + elsewhere.length).toBeGreaterThan(0);
      }),
      { numRuns: full ? 500 : 80, seed: 20_261_124 },
    );
    expect(reported).toBeGreaterThan(full ? 200 : 30);
  });
});

/** What the checker takes, a gate can be linked with: the platform would refuse the version otherwise. */
const links = (tier: CheckedTier): void => {
  const plan = lower(tier, "local", tier.routes);
  const makers = <Part>(all: Readonly<Record<string, { readonly make: Part }>>) =>
    Object.fromEntries(Object.entries(all).map(([name, { make }]) => [name, make]));
  const deps = { env: anything, now: () => 0, random: () => 0, log: () => {}, version: "v", uuid: () => "" };
  const rest = {
    cache: anything as never,
    fetch: () => Promise.reject(new Error("no network")),
    sleep: () => Promise.resolve(),
    after: () => () => {},
    defer: () => {},
  };
  link(
    plan,
    { filters: makers(filters), upstreams: makers(upstreams), streamAge, webSocketAge, watchBodies, limiter },
    { ...deps, ...rest },
  );
};

/** Every binding and secret is there. */
const anything = new Proxy({}, { get: () => "a text that is long enough" });

/** Of one line each, so that what follows stays where it is. */
const replacements = [
  "zzz",
  "7",
  "true",
  "[a]",
  "{ a: b }",
  "''",
  "null",
  "-1",
  "$" + "{nothing}",
  '"{path.nothing}"',
  "GET",
  "1.5s",
];

/** A name that is changed where it is declared is missed where it is used. */
const consequences: ReadonlySet<string> = new Set([
  "unknown-upstream",
  "unused-upstream",
  "unknown-without",
  "reference-unbound",
  "missing-key",
  "duplicate-id",
  "filter-order",
]);

/** Keys and values of one line, and where they stand. */
const scalarsOf = (text: string) => {
  const lines = new LineCounter();
  const found: { start: number; end: number; line: number }[] = [];
  visit(parseDocument(text, { lineCounter: lines }), (_, node) => {
    if (!(isScalar(node) || isAlias(node)) || !node.range) return;
    const [start, end] = node.range;
    if (start < end && !text.slice(start, end).includes("\n"))
      found.push({ start, end, line: lines.linePos(start).line });
  });
  return found;
};
