/** The whole pipeline: what it says is what runs, and each place that it names says so. */
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { effective } from "../../../infra/commands/authoring/effective.ts";
import { check } from "../../../infra/compiler/check/check.ts";
import { readPresets } from "../../../infra/compiler/check/presets.ts";
import { compile } from "../../../infra/compiler/compile.ts";
import { createDocumentLoader } from "../../../infra/compiler/inputs/documents.ts";
import { createSchemaLoader } from "../../../infra/compiler/inputs/schema-files.ts";
import { lowerTier } from "../../../infra/compiler/lower/gates.ts";
import type { CheckedTier, CheckInputs } from "../../../infra/compiler/model/checked.ts";
import { parseSource } from "../../../infra/diagnostics/source.ts";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { registry } from "../../../infra/project/registry.ts";
import { expandManifest } from "../../../infra/review/effective/expand.ts";
import { manifest, writeProject } from "../../e2e/project.ts";
import { bank } from "../../fixtures/bank.ts";
import { applyEdits, edits } from "./edits.ts";
import { pairs } from "./pairs.ts";

const long = process.env.POSTERN_EDITS !== undefined;

interface Value {
  readonly key: string;
  readonly value: unknown;
  readonly default: boolean;
  readonly at: string;
  readonly variables: readonly { readonly name: string; readonly at: string }[];
}

interface Part {
  readonly id: string;
  readonly at: string;
  readonly settings: readonly Value[];
}

interface Data {
  readonly settings: readonly Value[];
  readonly filters: readonly Part[];
  readonly dropped: readonly object[];
  readonly upstreams: readonly Part[];
  readonly routes: readonly (Part & {
    readonly takes: string;
    readonly filters: readonly Part[];
    readonly dropped: readonly object[];
  })[];
}

const effectiveData = (name: string, root = bank, env = "local") => {
  const { text, data, exitCode } = effective(name, { root, env });
  return { text, exitCode, data: data as Data };
};

const valuesIn = ({ settings, filters, upstreams, routes }: Data): Value[] => [
  ...settings,
  ...[...filters, ...upstreams, ...routes, ...routes.flatMap((it) => it.filters)].flatMap((it) => it.settings),
];

const lineOf = (root: string, at: string): string => {
  const [file = "", line = "0"] = at.split(":");
  return fs.readFileSync(path.join(root, file), "utf8").split("\n")[Number(line) - 1] ?? "";
};

const files = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [`routes/${name}`, fs.readFileSync(path.join(bank, "routes", name), "utf8")]));
const shared = files(["environments/local.yaml", "presets/mobile.yaml", "presets/finance.yaml", "presets/open.yaml"]);
const all = fs
  .readFileSync(path.join(codeRoot, "test/golden/plans/wallet.yaml"), "utf8")
  .replace(", ip]", ", flood]")
  .replace("tier: wallet", "tier: all");
const own = { ...files(["wallet.yaml", "pay.yaml", "open.yaml"]), "routes/all.yaml": all };
const tiers = ["wallet", "pay", "open", "all"] as const;

describe("as a manifest with everything written out", () => {
  /** A tier's outputs: the plans of its gates, and its facts for control. */
  const outcome = (tier: CheckedTier, environment: string) => {
    const { preset: _, without: __, filters: ___, upstreams: ____, routes: _____, limits, ...manifest } = tier.manifest;
    const { concurrency: ______, ...bounds } = limits;
    return JSON.parse(JSON.stringify([manifest, bounds, lowerTier(tier, environment).map(({ plan }) => plan)]));
  };
  const rewritten = (tier: CheckedTier, surroundings: CheckInputs, only?: string) => {
    const { name } = surroundings.environment;
    const text = JSON.stringify(expandManifest({ checked: tier, serves: lowerTier(tier, name) }, only));
    // No preset is left to take anything from.
    const again = check(parseSource(tier.source.file, text), {
      ...surroundings,
      presets: { names: [], find: () => undefined },
    });
    expect(again.problems).toEqual([]);
    return again.tier as CheckedTier;
  };
  const checkInputs = (root: string, { environment } = compile(root, "local")): CheckInputs => ({
    registry,
    environment,
    presets: readPresets(root, environment, registry),
    documents: createDocumentLoader(root),
    schemas: createSchemaLoader(root),
  });

  it.each(tiers)("%s, edited at random, compiles to the same plan, and so does each of its routes", (name) => {
    const surroundings = checkInputs(writeProject({ ...shared, ...own }));
    const file = `routes/${name}.yaml`;
    let seen = 0;
    fc.assert(
      fc.property(edits, (it) => {
        const { tier } = check(parseSource(file, applyEdits(own[file as keyof typeof own] ?? "", it)), surroundings);
        fc.pre(tier !== undefined);
        seen++;
        const { name: env } = surroundings.environment;
        expect(outcome(rewritten(tier, surroundings), env)).toEqual(outcome(tier, env));
        for (const { name: route } of tier.routes) {
          const alone = { ...tier, routes: tier.routes.filter((it) => it.name === route) };
          const chain = alone.routes[0]?.chain.map(({ id, use, config, when }) => ({ id, use, config, when }));
          const same = rewritten(tier, surroundings, route).routes[0]?.chain;
          expect(same?.map(({ id, use, config, when }) => ({ id, use, config, when }))).toEqual(chain);
        }
      }),
      { numRuns: Number(process.env.POSTERN_EDITS ?? 40) / 4, seed: 8, maxSkipsPerRun: 1000 },
    );
    expect(seen).toBeGreaterThan(9);
  });

  it("holds for every golden pair, as it is printed", () => {
    let printed = 0;
    let masked = 0;
    // Each third of them is like the others; the long form takes all.
    const some = pairs().filter((_, index) => long || index % 3 === 0);
    for (const { after } of some) {
      const root = writeProject(after);
      const compiled = compile(root, "local");
      const surroundings = checkInputs(root, compiled);
      for (const { checked } of compiled.tiers) {
        const { text } = effective(checked.manifest.tier, { root, env: "local", yaml: true });
        if (text.includes("•••")) {
          masked++;
          continue;
        }
        const again = check(parseSource(checked.source.file, text), {
          ...surroundings,
          presets: { names: [], find: () => undefined },
        });
        expect(again.problems).toEqual([]);
        expect(outcome(again.tier as CheckedTier, "local")).toEqual(outcome(checked, "local"));
        printed++;
      }
    }
    expect(printed + masked).toBeGreaterThan(some.length - 1);
    expect(masked).toBeLessThan(some.length / 10);
  });

  it("leaves nothing to a default", () => {
    const root = writeProject({ ...shared, ...own });
    const text = effective("all", { root, env: "local", yaml: true }).text;
    fs.writeFileSync(path.join(root, "routes/all.yaml"), text);
    expect(valuesIn(effectiveData("all", root).data).filter((it) => it.default)).toEqual([]);
  });
});

describe.each(tiers)("each place that it names of %s", (name) => {
  const root = () => writeProject({ ...shared, ...own });
  it("shows the key and its value, or the default", () => {
    const folder = root();
    const values = valuesIn(effectiveData(name, folder).data);
    for (const { key, value, default: isDefault, at, variables } of values) {
      const line = lineOf(isDefault ? codeRoot : folder, at);
      const last = key.split(".").findLast((it) => !/^\d+$/.test(it)) ?? "";
      if (isDefault) expect([key, line]).toEqual([key, expect.stringContaining(last)]);
      for (const it of variables) {
        expect(line).toContain(`\${${it.name}}`);
        const here = lineOf(folder, it.at);
        expect(here).toContain(`${it.name}:`);
        expect(here).toContain([value].flat()[0]);
      }
      if (!isDefault && variables.length === 0)
        for (const word of [value].flat()) expect([key, line]).toEqual([key, expect.stringContaining(String(word))]);
    }
    expect(values.filter((it) => it.default).length).toBeGreaterThan(20);
  });

  it("of a default that the reference states as a value is that value's row", () => {
    const defaults = valuesIn(effectiveData(name, root()).data).filter((it) => it.default);
    const stated = defaults.flatMap(({ key, value, at }) => {
      const cell = lineOf(codeRoot, at).split(" | ")[2]?.trim() ?? "";
      return /^`.*`$/.test(cell) ? [[key, JSON.parse(cell.slice(1, -1)), value]] : [];
    });
    expect(stated.length).toBeGreaterThan(20);
    for (const [key, documented, value] of stated) expect([key, documented]).toEqual([key, value]);
  });
});

it("the page shows the real output", () => {
  const page = fs.readFileSync(path.join(codeRoot, "docs/review.md"), "utf8");
  const [, block = ""] = /\$ npx postern effective open\/quote\n([\s\S]*?)```/.exec(page) ?? [];
  // A page of the reference may grow.
  const lines = (text: string) =>
    text
      .trimEnd()
      .replaceAll(/\.md:\d+/g, ".md")
      .split("\n");
  const printed = lines(effectiveData("open/quote", codeRoot, "production").text);
  const shown = lines(block);
  expect(shown.length).toBeGreaterThan(10);
  expect(shown.filter((line) => line !== "…" && !printed.includes(line))).toEqual([]);
});

describe("in words", () => {
  const files = {
    "routes/presets/p.yaml":
      "preset: p\nsummary: s\nfilters:\n  - cors: { origins: ['*'] }\n  - ip: { deny: [10.0.0.0/8] }\n    id: corporate-network\n",
    "routes/environments/local.yaml": "values:\n  one:\n    - 192.0.2.1\n",
    "routes/t.yaml": manifest(
      "t",
      `preset: p
without: [cors]
filters:
  - ip: { deny: "\${one}" }
  - body-limit: 1KiB
    when: { header: { x-tea: present } }
upstreams: { it: { http: https://it.example } }
routes:
  one:
    match: GET /one
    without: [corporate-network]
    filters: [{ headers: { request: { set: { x-key: { secret: ONE_KEY } } } } }]
    to: it
  two: { match: GET /two, redirect: /one }
`,
    ),
  };
  it("of a route: filters in order, short forms in full, what was dropped and where, values and their places", () => {
    const { text } = effectiveData("t/one", writeProject(files));
    const rows = Object.fromEntries(text.split("\n").map((it) => it.trim().split(/ {2,}/) as [string, string]));
    expect(rows).toMatchObject({
      "GET /t/one": "routes/t.yaml:13",
      "deny: [ 192.0.2.1 ]": "routes/t.yaml:8",
      "max: 1KiB": "routes/t.yaml:9",
      "x-tea: present": "routes/t.yaml:10",
      "secret: ONE_KEY": "routes/t.yaml:16",
      "without corporate-network": "routes/t.yaml:15",
      "url: https://it.example": "routes/t.yaml:11",
      "timeout: 30s": expect.stringMatching(/^default, docs\/reference\/keys\/upstream\.md:\d+$/),
    });
    expect(text).toContain("{one} is routes/environments/local.yaml:2");
    expect(text).toContain("it stands at routes/presets/p.yaml:5");
    const order = ["\n  ip ", "\n  body-limit ", "\n  one/headers ", "\nupstream it", "\nthe tier t"];
    expect(order.map((it) => text.indexOf(it)).every((at, i, all) => at > (all[i - 1] ?? 0))).toBe(true);
  });
  it("of a tier: its filters once, and the own settings of each route", () => {
    const { text, data } = effectiveData("t", writeProject(files));
    expect(text).toContain("filters: ip → body-limit → one/headers\n");
    expect(text).toContain("filters: corporate-network → ip → body-limit\n");
    expect(data.dropped).toEqual([{ id: "cors", at: "routes/presets/p.yaml:4", by: "routes/t.yaml:6" }]);
    expect(data.routes[1]?.settings.map(({ key, value, default: it }) => [key, value, it])).toContainEqual([
      "redirect.status",
      308,
      true,
    ]);
  });
  it("hides what looks like a secret, in all three forms, and says so", () => {
    const key = `sk_${"live"}_abcdefghij0123456789`;
    const root = writeProject({
      "routes/t.yaml": manifest(
        "t",
        `filters: [{ headers: { request: { set: { x-api-key: ${key} } } } }]\nroutes: { a: { match: GET /a, respond: {} } }\n`,
      ),
    });
    const { text, data } = effectiveData("t", root);
    const yaml = effective("t", { root, env: "local", yaml: true }).text;
    expect(text + JSON.stringify(data) + yaml).not.toContain(key);
    expect(yaml).toContain("# Values that look like secrets are hidden");
    expect(parse(yaml).filters[0].headers.request.set["x-api-key"]).toBe("•••");
  });
  it("reports the problems of an invalid tier, and the known tiers for an unknown one", () => {
    const root = writeProject({ "routes/t.yaml": manifest("t", "oops: 1\nroutes: {}\n"), "routes/u.yaml": "no" });
    const { exitCode, text } = effectiveData("t", root);
    expect([exitCode, text.match(/^routes.*/gm)]).toEqual([
      1,
      [expect.stringMatching(/^routes\/t\.yaml:5:1 {2}unknown-key/)],
    ]);
    expect(() => effectiveData("walet")).toThrow('there is no tier "walet"; did you mean "wallet"?');
    expect(() => effectiveData("wallet/balanec")).toThrow('wallet has no route "balanec"; did you mean "balance"?');
  });
});
