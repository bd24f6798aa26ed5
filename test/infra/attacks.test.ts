/** Files that are meant to hurt the reader: each is bounded, and ends in a problem with a place. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { compile } from "../../infra/compiler/compile.ts";
import { renderProblems } from "../../infra/diagnostics/report.ts";
import { maxBytes, parseSource } from "../../infra/diagnostics/source.ts";
import { manifest, writeProject } from "../e2e/project.ts";
import { full } from "../full.ts";

const good = manifest(
  "a",
  'upstreams: { it: { http: "https://it.example" } }\nroutes: { one: { match: GET /one, to: it } }\n',
);

const codesOf = (bytes: string | Uint8Array): readonly string[] => {
  const root = writeProject({ "routes/a.yaml": good });
  fs.writeFileSync(path.join(root, "routes/a.yaml"), bytes);
  const result = compile(root, "local");
  for (const { line, column, length, source } of result.problems) {
    expect(Math.min(line, column, length)).toBeGreaterThanOrEqual(1);
    expect(column - 1 + length).toBeLessThanOrEqual(Math.max(1, source.length));
  }
  expect(renderProblems(result.problems, result).length).toBeLessThan(100_000);
  return [...new Set(result.problems.map(({ code }) => code))];
};

const bytes = (...parts: (string | readonly number[])[]) =>
  Buffer.concat(parts.map((it) => (typeof it === "string" ? Buffer.from(it) : Buffer.from(it))));

const fill = (piece: string, size = maxBytes - 2000) => piece.repeat(Math.floor(size / piece.length));

describe("refused", () => {
  it.each([
    ["50 MB", () => `${good}# ${"x".repeat(50 * 1024 * 1024)}`, ["too-large"]],
    ["500 KB of [", () => good + fill("[", 500_000), ["too-large"]],
    ["500 KB of - -", () => `${good}x:\n  ${fill("- ", 500_000)}a\n`, ["too-large"]],
    ["500 KB of { a:", () => good + fill("{a: ", 500_000), ["too-large"]],
    [
      "lines each deeper than the one before",
      () => `${good}x:\n${Array.from({ length: 1200 }, (_, i) => `${" ".repeat(i + 1)}a:\n`).join("")}`,
      ["too-large"],
    ],
    [
      "a tag that would run code",
      () => good.replace("tier: a", 'tier: !!js/function "() => process.exit()"'),
      ["bad-yaml"],
    ],
    ["a tag of its own", () => good.replace("tier: a", "tier: !x a"), ["bad-yaml"]],
    ["binary", () => good.replace("tier: a", "tier: !!binary aGVsbG8="), ["bad-yaml"]],
    ["a merge key", () => `${good}labels: { a: b, <<: { c: d } }\n`, ["bad-yaml"]],
    ["a key that every object has", () => `${good}labels: { __proto__: b }\n`, ["reserved-name"]],
    ["a tab as indentation", () => `${good}labels:\n\ta: b\n`, ["bad-yaml"]],
    ["two documents", () => `${good}---\n${good}`, ["bad-yaml"]],
    ["a directive", () => `%FOO bar\n---\n${good}`, ["bad-yaml"]],
    [
      "aliases that multiply",
      () =>
        `${good}labels:\n${[..."abcdefgh"]
          .map(
            (name, i, all) =>
              `  ${name}: &${name} [${
                i === 0
                  ? "x"
                  : Array(9)
                      .fill(`*${all[i - 1]}`)
                      .join(", ")
              }]\n`,
          )
          .join("")}`,
      ["bad-yaml"],
    ],
    [
      "a huge scalar where a name belongs",
      () => good.replace("tier: a", `tier: ${fill("x", 900_000)}`),
      ["wrong-format"],
    ],
    ["a huge key", () => `${good}${fill("x", 900_000)}: 1\n`, ["bad-yaml"]],
    [
      "a hundred thousand unknown keys",
      () => good + Array.from({ length: full ? 60_000 : 6000 }, (_, i) => `k${i}: 1\n`).join(""),
      ["too-many-problems", "unknown-key"],
    ],
    ["Latin-1", () => bytes(good, "owner: caf", [0xe9], "\n"), ["bad-encoding"]],
    ["UTF-16", () => Buffer.from(`\ufeff${good}`, "utf16le"), ["bad-encoding"]],
    ["overlong UTF-8", () => bytes(good, "owner: ", [0xc0, 0xaf], "\n"), ["bad-encoding"]],
    ["a null", () => bytes(good, "owner: a", [0], "\n"), ["bad-encoding"]],
    ["half a surrogate", () => bytes(good, "owner: ", [0xed, 0xa0, 0x80], "\n"), ["bad-encoding"]],
  ] as const)("%s", (_, text, codes) => {
    const found = codesOf(text());
    expect(found).toEqual(expect.arrayContaining([...codes]));
    expect(found.length).toBeLessThanOrEqual(codes.length);
  });
});

describe("work that would grow with the square of the file, or worse, is bounded", () => {
  const up = 'upstreams: { it: { http: "https://it.example" } }\n';
  /** Each is far beyond its bound, as a twentieth of it is too. */
  const many = (count: number) => (full ? count : count / 20);
  const routes = (count: number, line: (n: number) => string) =>
    `${manifest("a", up)}routes:\n${Array.from({ length: count }, (_, n) => `  r${n}: ${line(n)}\n`).join("")}`;
  const slow = "{x:[a-z]{1,60}[0-9]{1,60}}";
  it.each([
    ["15,000 routes that are all the same", routes(many(15_000), () => "{ match: GET /x, to: it }"), "duplicate-match"],
    [
      "8,000 that only patterns tell apart",
      routes(
        many(8_000),
        (n) => `{ match: "GET /${slow.replace("60", String(1 + (n % 60)))}", when: { query: { a${n}: b } }, to: it }`,
      ),
      "ambiguous-match",
    ],
    [
      "a pattern of a hundred thousand places",
      routes(1, () => `{ match: "GET /{x:${"[0-9]{99}".repeat(90)}}", to: it }`),
      "wrong-format",
    ],
    [
      "a path of a hundred thousand captures",
      routes(1, () => `{ match: "GET ${Array.from({ length: 60_000 }, (_, n) => `/{x${n}}`).join("")}", to: it }`),
      "wrong-format",
    ],
    [
      "20,000 filters on 5,000 routes",
      `${routes(many(5_000), (n) => `{ match: GET /x${n}, to: it }`)}filters: [${"{ timeout: 1s }, ".repeat(many(20_000))}]\n`,
      "out-of-range",
    ],
    [
      "100,000 filters that are dropped",
      routes(1, () => `{ match: GET /x, without: [${"cors, ".repeat(many(100_000))}], to: it }`),
      "out-of-range",
    ],
    [
      "50,000 hosts",
      good.replace("[localhost]", `[${Array.from({ length: many(50_000) }, (_, n) => `h${n}.example`).join(", ")}]`),
      "out-of-range",
    ],
    [
      "10,000 conditions",
      routes(
        1,
        () =>
          `{ match: GET /x, when: { header: { ${Array.from({ length: 10_000 }, (_, n) => `h${n}: a`).join(", ")} } }, to: it }`,
      ),
      "invalid",
    ],
    [
      "10,000 upstreams, none of which is used",
      `${manifest("a", `upstreams:\n${Array.from({ length: many(8_000) }, (_, n) => `  u${n}: { http: "https://it.example" }\n`).join("")}`)}routes:\n${Array.from({ length: many(8_000) }, (_, n) => `  r${n}: { match: GET /x${n}, to: v${n} }\n`).join("")}`,
      "unknown-upstream",
    ],
  ])("%s", (_, text, code) => {
    expect(codesOf(text)).toContain(code);
  });
});

describe("taken", () => {
  it.each([
    ["a byte order mark", `\ufeff${good}`],
    ["lines that end as on Windows", good.replaceAll("\n", "\r\n")],
    ["aliases within the file", `${good}labels: { a: &a b, c: *a }\n`],
    ["a long comment", `${good}# ${fill("x", 900_000)}\n`],
  ])("%s", (_, text) => {
    expect(codesOf(text)).toEqual([]);
  });

  it("with the same places as without", () => {
    const broken = `${good}oops: 1\n`;
    const place = (text: string) => parseSource("routes/a.yaml", text).related(["oops"], "", undefined);
    expect(place(broken.replaceAll("\n", "\r\n"))).toEqual(place(broken));
    expect(place(`\ufeff${broken}`)).toEqual(place(broken));
  });
});

it("what a manifest holds cannot steer the reader's terminal", () => {
  const root = writeProject({
    "routes/a.yaml": `${good}owner: "\u001b[31m\u202eevil"\nx\u009by: 1\n`
      .replace("to: it", "to: itt")
      .replace("upstreams: {", 'upstreams: { "i\\u001b[31mt": { http: "https://it.example" },'),
  });
  const result = compile(root, "local");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(renderProblems(result.problems, result)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
});
