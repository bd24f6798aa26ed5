/** A part is known by its spec: no file beside its own names it or its keys, and no gate carries what its spec tells tools. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { CodeExample } from "../../functions/gateway/hooks/examples.ts";
import type { FilterSpec, UpstreamSpec } from "../../functions/gateway/part.ts";
import { bundle } from "../../infra/compiler/emit/bundle.ts";
import { partImports } from "../../infra/compiler/emit/entries.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { registry } from "../../infra/project/registry.ts";
import { allRules } from "../../infra/review/audit/registry.ts";

const names = [...new Set([...Object.keys(registry.filters), ...Object.keys(registry.upstreams)])];
const specs: readonly (FilterSpec | UpstreamSpec)[] = [
  ...Object.values(registry.filters),
  ...Object.values(registry.upstreams),
];

/** Files that may name parts, and why no hook can stand in for that. */
const exceptions: readonly { readonly has: RegExp; readonly why: string }[] = [
  { has: /^functions\/(?:filters|upstreams)\//, why: "the parts themselves, and their registries" },
  { has: /^functions\/testing\//, why: "the gate of the law suite calls its service as a gate does, by `http`" },
  { has: /^infra\/bench\//, why: "measures some parts by name, with configurations of its own, as a test does" },
  {
    has: /^infra\/review\/import\//,
    why: "translates foreign documents into manifests: each part is one word of the translation",
  },
  { has: /^functions\/gateway\/core\/facts\.ts$/, why: "`body-limit` is the label of a fact, which two parts share" },
  { has: /^functions\/gateway\/identity\/jwt-header\.ts$/, why: "`jwt` is a media type of RFC 7519" },
];

/** Names of parts that are words of something else too. These are found only where they stand for a part. */
const otherMeanings: Readonly<Record<string, string>> = {
  access: "the type of an access line, and a phase",
  headers: "of a request or a response",
  http: "the scheme of a URL",
  ip: "the caller's address",
  redirect: "a destination of a route",
  respond: "a destination of a route",
  rewrite: "a value of `location`",
  signature: "the header of RFC 9421",
  timeout: "a setting of every upstream",
  worker: "a Worker of the platform",
};

const sources = ["functions", "infra"].flatMap((folder) =>
  fs
    .readdirSync(path.join(codeRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`),
);
const outside = sources.filter((file) => !exceptions.some(({ has }) => has.test(file)));

/** Comments name parts as examples. */
const codeOf = (file: string): string =>
  fs.readFileSync(path.join(codeRoot, file), "utf8").replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, "");

const found = (pattern: RegExp): string[] =>
  outside.flatMap((file) => [...codeOf(file).matchAll(pattern)].map(([text]) => `${file}: ${text.trim()}`));

describe("no file beside a part's own", () => {
  it.each(names)("names %s", (name) => {
    // Formatted code has no other quotes; backticks in messages are prose.
    const literal = `"${name}"`;
    const asPart = `\\b(?:use|uses|using)\\b[^"\\n]{0,20}${literal}|\\b(?:filters|upstreams)(?:\\.${name}\\b|\\[${literal}\\])`;
    expect(found(new RegExp(Object.hasOwn(otherMeanings, name) ? asPart : `${literal}|${asPart}`, "g"))).toEqual([]);
  });

  it.each(names)("imports %s", (name) => {
    expect(found(new RegExp(`from "[^"]*(?:filters|upstreams)/${name}(?:\\.ts|/)`, "g"))).toEqual([]);
  });

  it("knows a key that only one part has", () => {
    const keys = specs.flatMap(({ schema }) => Object.keys(schema.shape ?? schema._zod.def.innerType?.shape ?? {}));
    // A key of one word is a word of much else.
    const own = keys.filter((key) => key.includes("-") && keys.filter((it) => it === key).length === 1);
    expect(own).toContain("any-scope");
    expect(own.flatMap((key) => found(new RegExp(`"${key}"`, "g")))).toEqual([]);
  });
});

it("every exception is needed", () => {
  const isNeeded = ({ has }: (typeof exceptions)[number]) =>
    sources.some(
      (file) =>
        has.test(file) && names.some((name) => [`"${name}"`, `/${name}.ts"`].some((it) => codeOf(file).includes(it))),
    );
  expect(exceptions.filter((it) => !isNeeded(it))).toEqual([]);
});

it("no gate carries what a spec tells tools", async () => {
  const [filters, upstreams] = [
    partImports("filters", Object.keys(registry.filters)),
    partImports("upstreams", Object.keys(registry.upstreams)),
  ];
  const entry = `${filters.imports}${upstreams.imports}export const parts = [${filters.table}, ${upstreams.table}];`;
  const text = await bundle(entry, path.join(codeRoot, "functions"), ["cloudflare:*"]);
  const examples = specs.flatMap(({ examples = {} }) => Object.values<CodeExample>(examples));
  const names = [
    ...examples.flatMap(({ step = [] }) => step),
    ...allRules().flatMap(({ id, incident }) => [id, incident]),
    ...["longer-is-weaker", "required-items", "unknownSecret", "setProtectedHeader", "ZodObject"],
  ];
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter((it) => text.includes(it))).toEqual([]);
});

it("rules of the audit and keys of personas are each one's own", () => {
  const ids = allRules().map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  const keys = [
    "name",
    "forged",
    ...Object.values(registry.filters).flatMap((it) => it.credentials?.persona?.key ?? []),
  ];
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
});

it("docs/filters.md explains every hook that a part has", () => {
  const page = fs.readFileSync(path.join(codeRoot, "docs/filters.md"), "utf8");
  const basic = ["kind", "phase", "schema", "short", "example", "codes", "never"];
  const hooks = [...new Set(specs.flatMap((it) => Object.keys(it)))].filter((it) => !basic.includes(it));
  expect(hooks.length).toBeGreaterThan(20);
  expect(hooks.filter((it) => !page.includes(`\`${it}\``))).toEqual([]);
});
