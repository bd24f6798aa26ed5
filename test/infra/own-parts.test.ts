/** A project with parts of its own: found, checked, bundled only where they are used, and handled as Postern's own. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import type { FilterModule } from "../../functions/gateway/part.ts";
import { laws } from "../../functions/testing/laws.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { project, useProject } from "../../infra/project/project.ts";
import { registry } from "../../infra/project/registry.ts";
import { postern } from "../command-line.ts";
import { writeProject } from "../e2e/project.ts";
import { geoFence, ownParts } from "./own-filter.ts";

const files = ownParts("https://service.acme.example");
const local = (root: string) => ["--root", root, "--env", "local"];
const gate = (root: string, tier: string) =>
  fs.readFileSync(path.join(root, `.build/local/gates/${tier}/gate.js`), "utf8");

afterAll(() => useProject(codeRoot));

describe("own parts", () => {
  it("are in the gates that use them and in no other, without schema and hooks, and the same bytes wherever the project is", async () => {
    const roots = [writeProject(files), writeProject(files)];
    for (const root of roots) {
      const { code, out, err } = await postern(["build", ...local(root), "--json"]);
      expect([code, err, JSON.parse(out).problems]).toEqual([0, "", []]);
    }
    const [root = "", other = ""] = roots;
    for (const word of ["Country refused", "x-country", "/dispatch?to="]) {
      expect(gate(root, "fenced")).toContain(word);
      expect(gate(root, "plain")).not.toContain(word);
    }
    for (const word of ["ZodObject", "unknown-country", "Countries whose", "old.acme.example", root])
      expect(gate(root, "fenced")).not.toContain(word);
    expect(gate(other, "fenced")).toBe(gate(root, "fenced"));
    // What `postern/filter` exports and these parts do not use costs a gate nothing.
    expect(gate(root, "fenced").length - gate(root, "plain").length).toBeLessThan(1000);
  });

  it("are written as docs/filters.md has it", async () => {
    const page = fs.readFileSync(path.join(codeRoot, "docs/filters.md"), "utf8");
    const [, text = ""] = /^```ts\n(.*?)^```/ms.exec(page) ?? [];
    const { own } = await useProject(writeProject({ "functions/filters/geo-fence.ts": text }));
    expect([own.problems, own.parts.map(({ name }) => name)]).toEqual([[], ["geo-fence"]]);
    const [part] = own.parts;
    for (const { run } of laws("geo-fence", part?.module as FilterModule)) await run();
  });

  it("that end the process, keep it, or need all memory when they are loaded are problems, and the others are loaded", async () => {
    const { own } = await useProject(
      writeProject({
        ...files,
        "functions/filters/ends.ts": "process.exit(0);",
        "functions/filters/greedy.ts": "const all = []; for (;;) all.push(new Array(1e7).fill(1));",
        "functions/filters/keeps.ts": "setInterval(() => {}, 1000);",
      }),
    );
    expect(own.problems.map(({ file, code, message }) => [path.basename(file), code, message])).toEqual([
      ["ends.ts", "part-broken", "the file ends the process when it is loaded"],
      ["greedy.ts", "part-broken", "the file needs more than 512 MB when it is loaded"],
      ["keeps.ts", "part-broken", "the file starts a timer or a server when it is loaded, so no command would end"],
    ]);
    expect(own.parts.map(({ name }) => name).sort()).toEqual(["geo-fence", "legacy"]);
  });

  it("print to stderr: a command's stdout may be read by a program", async () => {
    const [stdout, stderr] = [process.stdout, process.stderr].map((it) =>
      vi.spyOn(it, "write").mockImplementation(() => true),
    );
    await useProject(writeProject({ "functions/filters/noisy.ts": 'process.stdout.write("noise");' }));
    const calls = [stdout, stderr].map((it) => it?.mock.calls.filter(([text]) => text === "noise").length);
    vi.restoreAllMocks();
    expect(calls).toEqual([0, 1]);
  });

  it("belong to their project alone", async () => {
    await useProject(writeProject(files));
    expect([Object.hasOwn(registry.filters, "geo-fence"), Object.hasOwn(registry.upstreams, "legacy")]).toEqual([
      true,
      true,
    ]);
    await useProject(writeProject({}));
    expect([Object.hasOwn(registry.filters, "geo-fence"), Object.hasOwn(registry.upstreams, "legacy")]).toEqual([
      false,
      false,
    ]);
  });

  it("are loaded anew after an edit of a file that they import", async () => {
    const root = writeProject(files);
    const before = (await useProject(root)).own.digest;
    fs.appendFileSync(path.join(root, "functions/shared/country.ts"), "export const more = 1;\n");
    fs.writeFileSync(
      path.join(root, "functions/shared/country.ts"),
      'export const countryOf = (_: Request): string => "CH";\n',
    );
    expect((await useProject(root)).own.digest).not.toBe(before);
    expect(project().own.parts.map(({ name }) => name)).toEqual(["geo-fence", "legacy"]);
  });

  it("may be JavaScript", async () => {
    const { own } = await useProject(
      writeProject({
        "functions/filters/note.js": `/** Passes. */
import * as z from "zod";
import { defineFilter } from "postern/filter";
export const spec = () => defineFilter({ kind: "guard", phase: "admission", schema: z.strictObject({}), example: {}, codes: {} });
export const make = () => () => undefined;
`,
      }),
    );
    expect([own.problems, own.parts.map(({ file }) => file)]).toEqual([[], ["functions/filters/note.js"]]);
  });

  it("that are broken leave other tiers alone, and the gate of no tier is written without its filter", async () => {
    const root = writeProject({ ...files, "functions/filters/geo-fence.ts": "export const spec = (" });
    const { code, out } = await postern(["build", ...local(root), "--json"]);
    const { workers, problems } = JSON.parse(out);
    expect([code, workers.map((it: { worker: string }) => it.worker)]).toEqual([
      1,
      ["gate-plain-local", "state-shared-local"],
    ]);
    expect(problems.map((it: { file: string; code: string }) => `${it.file} ${it.code}`)).toEqual([
      "functions/filters/geo-fence.ts part-broken",
      "routes/fenced.yaml part-broken",
    ]);
  });

  it("that only Node can run are named, with the line, when a gate is bundled", async () => {
    const text = `import { readFileSync } from "node:fs";\n${files["functions/shared/country.ts"]}export const all = () => readFileSync("a");\n`;
    const using = geoFence
      .replace("import { countryOf }", "import { all, countryOf }")
      .replace("return isLetIn", "all(); return isLetIn");
    const root = writeProject({
      ...files,
      "functions/shared/country.ts": text,
      "functions/filters/geo-fence.ts": using,
    });
    const { code, err } = await postern(["build", ...local(root)]);
    expect([code, err]).toEqual([3, expect.stringContaining("a Worker cannot be bundled")]);
    expect(err).toContain('functions/shared/country.ts:1:30  Could not resolve "node:fs"');
  });

  it("have bounds: 100 of them, 1 MiB each", async () => {
    const many = Array.from({ length: 101 }, (_, index) => `functions/filters/f${index}.js`);
    const { own } = await useProject(
      writeProject(Object.fromEntries(many.map((file) => [file, "export const spec = 1, make = 2;"]))),
    );
    expect(own.problems.filter(({ code }) => code === "too-large")).toHaveLength(1);
    const { own: large } = await useProject(
      writeProject({ "functions/filters/big.js": `// ${"x".repeat(2 ** 20)}\n` }),
    );
    expect(large.problems.map(({ code }) => code)).toEqual(["too-large"]);
  });

  it("that a link leads out of the project are not loaded", async () => {
    const outside = writeProject({ "secret.ts": "export const spec = 1;" });
    const root = writeProject(files);
    fs.symlinkSync(path.join(outside, "secret.ts"), path.join(root, "functions/filters/linked.ts"));
    const { own } = await useProject(root);
    expect(own.problems.map(({ file, code }) => `${file} ${code}`)).toEqual(["functions/filters/linked.ts unreadable"]);
  });
});

describe("commands handle an own part as one of Postern's", () => {
  const fenced = (allow: string, more = "") =>
    files["routes/fenced.yaml"]?.replace(
      "{ geo-fence: { allow: [CH] } }",
      `{ geo-fence: { allow: [${allow}]${more} } }`,
    ) ?? "";

  it("check: its schema, with place and remedy, and its audit rule", async () => {
    const root = writeProject({ ...files, "routes/fenced.yaml": fenced("Switzerland", ", unknwon: allow") });
    const { problems } = JSON.parse((await postern(["check", ...local(root), "--json"])).out);
    expect(problems.map((it: { code: string; remedy?: string }) => [it.code, it.remedy])).toEqual([
      ["out-of-range", undefined],
      ["unknown-key", 'did you mean "unknown"?'],
    ]);
    const weak = writeProject({ ...files, "routes/fenced.yaml": fenced("CH", ", unknown: allow") });
    const { findings } = JSON.parse((await postern(["check", ...local(weak), "--json"])).out);
    expect(findings.map((it: { code: string }) => it.code)).toContain("unknown-country");
  });

  it("explain: its decision, and the line of the key", async () => {
    const root = writeProject(files);
    const url = "http://localhost/fenced/things/7";
    const { status, code, because } = JSON.parse(
      (await postern(["explain", "GET", url, ...local(root), "--json"])).out,
    );
    expect([status, code, because]).toEqual([
      403,
      "country-refused",
      { what: "geo-fence, allow", at: "routes/fenced.yaml:5" },
    ]);
    const passed = JSON.parse(
      (await postern(["explain", "GET", url, ...local(root), "--json", "-H", "x-country: CH"])).out,
    );
    expect(passed.upstream.url).toBe("https://service.acme.example/dispatch?to=%2Ffenced%2Fthings%2F7");
  });

  it("effective: where its defaults are documented", async () => {
    const root = writeProject(files);
    const { out } = await postern(["effective", "fenced/all", ...local(root)]);
    expect(out).toMatch(/unknown: refuse +default, functions\/filters\/geo-fence\.ts\n/);
  });

  it("diff: by its scales", async () => {
    const root = writeProject(files);
    const git = (...args: string[]) => execFileSync("git", args, { cwd: root, stdio: "ignore" });
    git("init");
    git("add", "routes", "functions");
    git("-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-m", "a");
    fs.writeFileSync(path.join(root, "routes/fenced.yaml"), fenced("CH, IS"));
    const { changes } = JSON.parse((await postern(["diff", "HEAD", ...local(root), "--json"])).out);
    expect(changes.map((it: { kind: string; says: string }) => it.kind)).toEqual(["filter-weakened"]);
  });
});

describe("test", () => {
  const cases = `- it: lets a country in
  send: { request: GET /fenced/things/7, headers: { x-country: CH } }
  upstream: { old: { sees: "GET /dispatch?to=%2Ffenced%2Fthings%2F7" } }
  expect: { status: 200 }
- it: refuses all others
  send: GET /fenced/things/7
  expect: { status: 403, code: country-refused, by: geo-fence }
`;

  it("runs the cases through own parts, and the laws on them; a broken law fails, and is named", async () => {
    const root = writeProject({
      ...files,
      "routes/fenced.test.yaml": cases,
      "functions/filters/loose.ts": geoFence.replace("z.strictObject", "z.object").replaceAll("country-refused", "no"),
    });
    const { code, out } = await postern(["test", "--root", root, "--json", "--junit", "results.xml"]);
    const { failed, parts } = JSON.parse(out);
    expect([code, failed]).toEqual([1, 0]);
    expect(parts).toEqual([
      { kind: "filter", name: "geo-fence", file: "functions/filters/geo-fence.ts", laws: 8, failures: [] },
      {
        kind: "filter",
        name: "loose",
        file: "functions/filters/loose.ts",
        laws: 8,
        failures: [{ law: "refuses unknown keys", message: "its schema accepts any key; write z.strictObject" }],
      },
      { kind: "upstream", name: "legacy", file: "functions/upstreams/legacy.ts", laws: 7, failures: [] },
    ]);
    expect(fs.readFileSync(path.join(root, "results.xml"), "utf8")).toContain(
      '<testsuite name="filter loose" file="functions/filters/loose.ts" tests="8" failures="1">',
    );
  });
});

describe("gen and new in a project", () => {
  const read = (root: string, file: string) => fs.readFileSync(path.join(root, file), "utf8");

  it("gen writes schemas that know the own parts, and their pages, and nothing else", async () => {
    const root = writeProject(files);
    const { code, out } = await postern(["gen", "--root", root, "--json"]);
    const { written } = JSON.parse(out);
    expect([code, written.toSorted()]).toEqual([
      0,
      [
        "docs/reference/filters/geo-fence.md",
        "docs/reference/upstreams/legacy.md",
        ...["cases", "consumers", "environment", "manifest", "preset"].map((it) => `routes/${it}.schema.json`),
      ],
    ]);
    const { definitions } = JSON.parse(read(root, "routes/manifest.schema.json"));
    const { description, properties } = definitions.filter.properties["geo-fence"];
    expect([description, Object.keys(properties)]).toEqual([
      "Refuses requests from countries that are not listed.",
      ["allow", "unknown"],
    ]);
    expect(Object.keys(definitions.upstream.properties)).toContain("legacy");
    expect(read(root, "docs/reference/filters/geo-fence.md")).toContain(
      "| `country-refused` | 403 | Country refused |",
    );
    // A default is now documented in the project.
    const { out: shown } = await postern(["effective", "fenced/all", ...local(root)]);
    expect(shown).toMatch(/unknown: refuse +default, docs\/reference\/filters\/geo-fence\.md:\d+\n/);
    expect((await postern(["gen", "--root", root, "--check"])).code).toBe(0);
    fs.appendFileSync(path.join(root, "functions/filters/geo-fence.ts"), "\n");
    fs.writeFileSync(
      path.join(root, "functions/filters/geo-fence.ts"),
      read(root, "functions/filters/geo-fence.ts").replace("that are not listed", "elsewhere"),
    );
    const stale = await postern(["gen", "--root", root, "--check", "--json"]);
    expect([stale.code, JSON.parse(stale.out).stale]).toEqual([
      1,
      ["routes/manifest.schema.json", "routes/preset.schema.json", "docs/reference/filters/geo-fence.md"],
    ]);
  });

  it("gen reports broken parts, and needs a project", async () => {
    const root = writeProject({ ...files, "functions/filters/geo-fence.ts": "export const spec = (" });
    const { code, err } = await postern(["gen", "--root", root]);
    expect([code, err]).toEqual([1, expect.stringContaining("functions/filters/geo-fence.ts:1:21  part-broken")]);
    const nowhere = await postern(["gen", "--root", path.join(root, "functions")]);
    expect([nowhere.code, nowhere.err]).toEqual([3, expect.stringContaining("there is no folder routes/")]);
  });

  it.each([
    ["filter", "quota", []],
    ["filter", "partner", ["--identity"]],
    ["upstream", "two-words", []],
  ] as const)("new %s %s writes a part that is valid", async (kind, name, flags) => {
    const root = writeProject(files);
    const { code, out } = await postern(["new", kind, name, ...flags, "--root", root, "--json"]);
    expect([code, JSON.parse(out).written]).toEqual([0, [`functions/${kind}s/${name}.ts`]]);
    const text = read(root, `functions/${kind}s/${name}.ts`);
    expect([...text.matchAll(/ from "([^"]+)"/g)].map(([, from]) => from)).toEqual(["zod", "postern/filter"]);
    const { own } = await useProject(root);
    expect([own.problems, own.parts.map((it) => it.name)]).toEqual([[], expect.arrayContaining([name])]);
    expect((await postern(["gen", "--root", root, "--check"])).code).toBe(0);
  });

  it.each([
    ["jwt", "Postern has a filter"],
    ["geo-fence", "there is a filter"],
    ["Geo", "is not a valid name"],
    ["mode", "is a reserved key"],
  ])("new filter %s is refused: %s", async (name, message) => {
    const { code, err } = await postern(["new", "filter", name, "--root", writeProject(files)]);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});
