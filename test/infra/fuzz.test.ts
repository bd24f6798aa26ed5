/** The fuzzer itself: it finds what is there, makes it small, and its seed finds it again. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compile } from "../../infra/compiler/compile.ts";
import { home } from "../../infra/gen/generated.ts";
import { importGatewayApi } from "../../infra/review/import/gateway-api/import.ts";
import { importOpenApi } from "../../infra/review/import/openapi/openapi.ts";
import { project } from "../e2e/city.ts";
import * as samples from "../fuzz/samples.ts";
import { search } from "../fuzz/search.ts";
import { targets } from "../fuzz/targets.ts";
import { each } from "../fuzz/tried.ts";

const noSeven = each(fc.array(fc.nat(9), { maxLength: 20 }), (all) => {
  if (all.includes(7)) throw new Error("a seven");
});

it("says the smallest input, and the path that leads there again", async () => {
  const { found } = await search({ property: noSeven }, { seed: 1, ms: 60_000 });
  expect(found).toMatchObject({ seed: 1, input: "[[7]]", why: expect.stringContaining("a seven") });
  const again = await search({ property: noSeven }, { seed: 1, ms: 60_000, path: found?.path });
  expect(again.found?.input).toBe("[[7]]");
});

it("ends with its budget where there is nothing to find", async () => {
  const { found, inputs } = await search({ property: each(fc.nat(), () => {}) }, { seed: 1, ms: 100 });
  expect([found, inputs > 0]).toEqual([undefined, true]);
});

it("the files that are changed are sound as they stand: otherwise a change would be of something that is refused anyway", () => {
  const root = project({ "routes/environments/local.yaml": "values: { x: http://service.example }\n" });
  const compiled = (files: readonly { readonly file: string; readonly text: string }[]) => {
    expect(files.length).toBeGreaterThan(0);
    for (const { file, text } of files) {
      fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      fs.writeFileSync(path.join(root, file), text);
    }
    expect(compile(root, "local").problems).toEqual([]);
    for (const { file } of files) fs.rmSync(path.join(root, file));
  };
  compiled([{ file: "routes/t.yaml", text: samples.manifest }]);
  fs.writeFileSync(path.join(root, "d.yaml"), samples.document);
  const into = { tier: "d", host: "api.acme.example", upstream: "https://service.example" };
  compiled(importOpenApi(path.join(root, "d.yaml"), root, into).files);
  const { files, values } = importGatewayApi([{ file: "g.yaml", text: samples.cluster }], { host: [into.host] });
  const named = Object.keys(values).map((name) => [name, "http://service.example"]);
  const environment = JSON.stringify({ values: Object.fromEntries(named) });
  compiled([{ file: "routes/environments/local.yaml", text: environment }, ...files]);
});

it("each target has a name of its own, and some need no mesh", () => {
  expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length);
});

it("a run prints its seed and counts, and ends with 0; what it does not know ends with 2", () => {
  const run = (...options: string[]) =>
    spawnSync(process.execPath, [path.join(home, "test/fuzz/fuzz.ts"), ...options], { encoding: "utf8" });
  const { status, stdout } = run("--only", "reports,feed", "--seconds", "2", "--seed", "5");
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(/^seed 5; 2 targets[\s\S]*inputs, 0 finds; first seed 5\n$/),
  ]);
  expect(run("--only", "nothing").status).toBe(2);
});
