/** Which patterns of schemas a gate may run: decided by the pattern alone, and never for one that a text can make slow. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ambiguityOf } from "../../infra/patterns/ambiguity.ts";
import { buildAutomaton } from "../../infra/patterns/automaton.ts";
import { checkPattern } from "../../infra/patterns/safe-patterns.ts";
import { parsePattern, toPattern } from "../../infra/patterns/syntax.ts";
import { full } from "../full.ts";
import { checkWithRecheck } from "./recheck.ts";

const countries = Array.from({ length: 249 }, (_, at) => String.fromCharCode(65 + (at % 26), 65 + Math.floor(at / 26)));
const zones = Array.from({ length: 600 }, (_, at) => `Zone/Place${at.toString(36)}-${at % 7}`);

it.each(
  [
    "^[a-z]{2}$",
    "^[\\w.+-]+@[\\w-]+\\.[\\w.-]+$",
    "^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$",
    "^(?=.*[A-Z])(?=.*\\d)(?=.*[^\\w\\s]).{8,64}$",
    "^(?!-)[a-z-]+(?<!-)$",
    "^((?!--).)*$",
    "^\\S{1,100}@\\S{1,100}$",
    "^(25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}$",
    "^P(?:\\d+(?:\\.\\d+)?Y)?(?:\\d+(?:\\.\\d+)?M)?(?:\\d+(?:\\.\\d+)?D)?(?:T(?:\\d+H)?(?:\\d+M)?(?:\\d+(?:\\.\\d+)?S)?)?$",
    "^(s3|gs|https?|mem)://.*$",
    "rdme_\\w+",
    "^/[a-z]+/$",
    "^[^]*$",
    "^[[]a$",
    "^\\s*\\S+\\s*$",
    "^[^\\s]+(\\s+[^\\s]+)*$",
    "^.{1,5000}$",
    "^\\p{L}[\\p{L}\\p{N} ]*$",
    `^(${countries.join("|")})$`,
    `^(${countries.join("|")})(,(${countries.join("|")}))*$`,
    zones.join("|"),
    `^(?:${[...zones, "Etc/GMT+0", "Etc/GMT+1"].join("|")})$`,
  ].map((pattern) => [pattern.slice(0, 60), pattern] as const),
)("is quick: %s", (_, pattern) => {
  expect(checkPattern(pattern).pattern).toBe(pattern);
});

it.each([
  ["^a\\-b\\_c$", "^a-b_c$"],
  ["^\\-?[0-9]+(\\.[0-9]+)?$", "^-?[0-9]+(\\.[0-9]+)?$"],
  ["^[\\w-.]+$", "^[\\w\\-.]+$"],
  ["^[a-z0-9A-Z-._]+$", "^[a-z0-9A-Z-._]+$"],
  ["^[.-\\d]+$", "^[.\\-\\d]+$"],
  ["^\\@\\#\\ \\!\\<\\>\\=\\:\\;\\,\\~\\`\\'\\\"\\%\\&$", "^@# !<>=:;,~`'\"%&$"],
  ["^{[a-z]+}$", "^\\{[a-z]+\\}$"],
  ["^a]$", "^a\\]$"],
  ["^[\\_\\@]+$", "^[_@]+$"],
])("%s is read as Annex B has it: %s", (pattern, read) => {
  expect(checkPattern(pattern)).toEqual({ pattern: read });
});

it.each([
  ["^(a+)+$", "takes very long"],
  ["(x+x+)+y", "takes very long"],
  ["(a|a)*$", "takes very long"],
  ["^(a*)*b$", "takes very long"],
  ["[a-z]+$", "takes very long"],
  ["^bytes=((\\d*-\\d*,? ?)+)$", "takes very long"],
  ["^(a?){25}$", "cannot be proven"],
  ["^(a{0,50}){0,50}$", "cannot be proven"],
  ["^(\\w)\\1$", "a backreference"],
  ["^((?!foo.*bar).)*$", "looks ahead or behind without end"],
  ["^\\d+\\Z", "\\Z is of another dialect"],
  ["\\A\\d+\\z", "\\A is of another dialect"],
  ["^(?i)abc$", "not a regular expression of ECMAScript"],
  ["^[[:alpha:]]+$", "of another dialect"],
  ["^a{,5}$", "of another dialect"],
  ["^[", "not a regular expression of ECMAScript"],
  ["^\\p{IsAlpha}$", "not a regular expression of ECMAScript with the flag u"],
  ["/^[a-z]+$/", "a literal of JavaScript"],
  ["/^[a-z]+$/i", "a literal of JavaScript"],
  ["^[a-z-[aeiou]]+$", "classes with brackets in them are of another dialect"],
  ["^[a-z&&[^b]]+$", "classes with brackets in them are of another dialect"],
  ["^[]a]+$", "classes with brackets in them are of another dialect"],
  ["^[^]]+$", "classes with brackets in them are of another dialect"],
  [`${"(".repeat(200)}a${")".repeat(200)}`, "nested too deeply"],
  [`^${"a|".repeat(15_000)}b$`, "more than 20000 characters"],
])("%s is not run: %s", (pattern, why) => {
  expect(checkPattern(pattern)).toMatchObject({ pattern: undefined, why: expect.stringContaining(why) });
});

it.each(
  [
    "(?:|a){0,1000000}",
    "(?:^){0,100000000}x*",
    "(?:\\b|){5,90000000}a*a",
    `^${"(a|b)?".repeat(3000)}$`,
    "^(?:(?:(?:x?){99}){99}){99}y*$",
  ].map((pattern) => [pattern.slice(0, 60), pattern] as const),
)("%s is decided in bounded steps, and not run", (_, pattern) => {
  expect(checkPattern(pattern)).toMatchObject({ pattern: undefined, why: expect.stringContaining("cannot be proven") });
});

const atom = fc.constantFrom("a", "b", "[ab]", "[^a]", "\\d", ".", "\\w", "-");
const count = fc.constantFrom("", "", "?", "*", "+", "{2}", "{1,3}", "{0,2}");
const { tree } = fc.letrec<{ tree: string; one: string }>((tie) => ({
  one: fc.oneof(
    { depthSize: "small" },
    atom,
    atom,
    fc.tuple(tie("tree")).map(([it]) => `(?:${it})`),
  ),
  tree: fc
    .array(fc.tuple(tie("one"), count), { minLength: 1, maxLength: 3 })
    .chain((parts) =>
      fc.tuple(fc.constant(parts.map((it) => it.join("")).join("")), fc.option(tie("tree"), { freq: 4 })),
    )
    .map(([first, second]) => (second === null ? first : `${first}|${second}`)),
}));

describe("of any pattern", () => {
  it("accepted patterns are quick: an independent checker finds no text that makes one slow", () => {
    const ends = fc.constantFrom(["^(?:", ")$"], ["", ""], ["^(?:", ")"], ["(?:", ")$"]);
    fc.assert(
      fc.property(tree, ends, (inner, [before = "", after = ""]) => {
        const pattern = before + inner + after;
        if (checkPattern(pattern).pattern !== undefined)
          expect([pattern, checkWithRecheck(pattern)]).not.toEqual([pattern, "vulnerable"]);
      }),
      { numRuns: full ? 150 : 20, seed: 19 },
    );
  });

  it("a parsed pattern is rendered with the same meaning", () => {
    fc.assert(
      fc.property(
        tree,
        fc.string({ unit: fc.constantFrom("a", "b", "1", "-", "é"), maxLength: 6 }),
        (pattern, text) => {
          // The engine that judges takes longer than anybody waits for one that is not quick.
          fc.pre(checkPattern(pattern).pattern !== undefined);
          const again = toPattern(parsePattern(pattern));
          expect(new RegExp(`^(?:${again})$`, "u").test(text)).toBe(new RegExp(`^(?:${pattern})$`, "u").test(text));
        },
      ),
      { seed: 19, numRuns: full ? 40 : 6 },
    );
  });
});

it("a text that makes a pattern slow is known", () => {
  const machine = buildAutomaton(parsePattern("^[a-z]+-?[a-z]*x$"), 100);
  expect(machine && ambiguityOf(machine)).toEqual({ is: "growing", pump: "a" });
});
