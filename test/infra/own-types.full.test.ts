/** What people write against `postern/filter`, `postern/testing` and `postern/config` type-checks, strictly: scaffolds too. */
import fs from "node:fs";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { useProject } from "../../infra/project/project.ts";
import { postern } from "../command-line.ts";
import { writeProject } from "../e2e/project.ts";
import { run } from "./clone.ts";
import { ownParts } from "./own-filter.ts";

afterAll(() => useProject(codeRoot));

const tsconfig = {
  compilerOptions: {
    target: "es2024",
    module: "preserve",
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noUnusedLocals: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    lib: ["es2024"],
    types: ["@cloudflare/workers-types"],
    // As the package's `exports` do.
    paths: {
      "postern/filter": [path.join(codeRoot, "functions/authoring.ts")],
      "postern/testing": [path.join(codeRoot, "functions/testing.ts")],
      "postern/config": [path.join(codeRoot, "infra/project/config.ts")],
    },
  },
  include: ["functions/**/*.ts", "postern.config.ts"],
};

it("a project with parts of its own, a configuration, and each scaffold with its test", async () => {
  const root = writeProject({
    ...ownParts("https://service.acme.example"),
    "postern.config.ts": `import { defineConfig } from "postern/config";
export default defineConfig({ targets: { lab: { url: "http://127.0.0.1:9999" } } });
`,
    "functions/laws.ts": `import { laws } from "postern/testing";
import * as geoFence from "./filters/geo-fence.ts";
for (const { name, run } of laws("geo-fence", geoFence)) await Promise.resolve(run()).catch(() => name);
`,
    "tsconfig.json": JSON.stringify(tsconfig),
    "package.json": "{}",
  });
  // vitest is there, so tests are written.
  fs.symlinkSync(path.join(codeRoot, "node_modules"), path.join(root, "node_modules"));
  for (const args of [
    ["filter", "quota"],
    ["filter", "partner", "--identity"],
    ["upstream", "two-words"],
  ]) {
    const { code, out } = await postern(["new", ...args, "--root", root, "--json"]);
    const [kind = "", name = ""] = args;
    expect([code, JSON.parse(out).written]).toEqual([
      0,
      [`functions/${kind}s/${name}.ts`, `functions/${kind}s/${name}.test.ts`],
    ]);
  }
  expect(await run(root, "tsc", ["--project", root])).toEqual({ code: 0, out: "" });

  // A mistake is found: the example does not fit the schema.
  const quota = path.join(root, "functions/filters/quota.ts");
  fs.writeFileSync(quota, fs.readFileSync(quota, "utf8").replace('example: { expect: "please" }', "example: {}"));
  expect((await run(root, "tsc", ["--project", root])).out).toMatch(/quota\.ts\(\d+,\d+\): error TS2741: .*'expect'/);
});
