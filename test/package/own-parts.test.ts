/**
 * A project that has installed the package, with a filter, an upstream and a configuration of its own in TypeScript: its
 * commands load them, and they type-check against the declarations of the package.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { ownParts } from "../infra/own-filter.ts";
import { installPackage } from "../install-package.ts";
import { packed } from "./packed.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "postern-own-"));
const own = path.join(codeRoot, "node_modules");

/** As npm installs it: the package as a folder, what it depends on beside it. */
beforeAll(() => {
  packed();
  const modules = path.join(scratch, "node_modules");
  fs.cpSync(path.join(codeRoot, ".build/package/postern"), path.join(modules, "postern"), { recursive: true });
  for (const name of fs.readdirSync(own))
    if (name !== "postern") fs.symlinkSync(path.join(own, name), path.join(modules, name));
  const files = {
    ...ownParts("https://service.acme.example"),
    "routes/environments/local.yaml": "values: {}\n",
    "routes/fenced.test.yaml": `- it: refuses who has no country
  send: GET /fenced/things/7
  expect: { status: 403, code: country-refused, by: geo-fence }
`,
    "postern.config.ts": `import { defineConfig } from "postern/config";
export default defineConfig({ targets: { lab: { url: "http://127.0.0.1:9999" } } });
`,
    "functions/laws.ts": `import { gateHarness, laws } from "postern/testing";
import * as geoFence from "./filters/geo-fence.ts";
for (const { run } of laws("geo-fence", geoFence)) await run();
const { send } = gateHarness({ "geo-fence": () => geoFence.make({ allow: ["CH"], unknown: "refuse" }) });
export const { status } = await send("GET /");
`,
    "package.json": '{ "type": "module" }\n',
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        target: "es2024",
        module: "preserve",
        strict: true,
        exactOptionalPropertyTypes: true,
        verbatimModuleSyntax: true,
        allowImportingTsExtensions: true,
        noEmit: true,
        lib: ["es2024"],
        types: ["@cloudflare/workers-types"],
      },
      include: ["functions/**/*.ts", "postern.config.ts"],
    }),
  };
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(scratch, file)), { recursive: true });
    fs.writeFileSync(path.join(scratch, file), text);
  }
});

afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

const node = (...args: readonly string[]): string =>
  execFileSync(path.join(own, "node/bin/node"), args, {
    cwd: scratch,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });

const postern = (...args: readonly string[]) =>
  JSON.parse(node("node_modules/postern/infra/postern.js", ...args, "--json"));

it("its commands load the parts: gates that use them have them, cases pass, laws hold, gen writes into the project", () => {
  const { problems, workers } = postern("build", "--env", "local");
  expect(problems).toEqual([]);
  expect(workers.map((it: { worker: string }) => it.worker)).toContain("gate-fenced-local");
  const gate = (tier: string) => fs.readFileSync(path.join(scratch, `.build/local/gates/${tier}/gate.js`), "utf8");
  expect(gate("fenced")).toContain("Country refused");
  expect(gate("fenced")).not.toContain("ZodObject");
  expect(gate("plain")).not.toContain("Country refused");
  const { failed, parts } = postern("test");
  expect([failed, parts.map((it: { name: string; failures: [] }) => [it.name, it.failures])]).toEqual([
    0,
    [
      ["geo-fence", []],
      ["legacy", []],
    ],
  ]);
  expect(postern("gen").written).toContain("docs/reference/filters/geo-fence.md");
  expect(postern("new", "filter", "quota").written).toContain("functions/filters/quota.ts");
  // Nothing is written into the package.
  expect(fs.existsSync(path.join(scratch, "node_modules/postern/.build"))).toBe(false);
});

it.each([
  ["5.9.3", () => path.join(installPackage("typescript", "5.9.3"), "bin/tsc")],
  ["of this repository", () => path.join(own, "typescript/bin/tsc")],
] as const)("type-checks with TypeScript %s", (_, tsc) => {
  expect(node(tsc(), "--project", scratch)).toBe("");
});
