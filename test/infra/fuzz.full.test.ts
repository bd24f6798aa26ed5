/** The fuzzer itself: it finds what is there, makes it small, and its seed finds it again. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../infra/compiler/compile.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { importGatewayApi } from "../../infra/review/import/gateway-api/import.ts";
import { importOpenApi } from "../../infra/review/import/openapi/openapi.ts";
import { writeProject } from "../e2e/project.ts";
import { each } from "../fuzz/announced-property.ts";
import * as samples from "../fuzz/samples.ts";
import { search } from "../fuzz/search.ts";
import { targets } from "../fuzz/targets.ts";

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

describe("the inputs are valid before they are mutated, so that tools see the mutation", () => {
  const service = "http://service.example";
  const into = { tier: "d", host: "api.acme.example", upstream: service };
  const problemsOf = (files: readonly { readonly file: string; readonly text: string }[], values: object) => {
    expect(files.length).toBeGreaterThan(0);
    const written = Object.fromEntries(files.map(({ file, text }) => [file, text]));
    const environment = { "routes/environments/local.yaml": JSON.stringify({ values }) };
    return compile(writeProject({ ...written, ...environment }), "local").problems;
  };

  it("the manifest", () => {
    expect(problemsOf([{ file: "routes/t.yaml", text: samples.manifest }], { x: service })).toEqual([]);
  });

  it("the OpenAPI document", () => {
    const root = writeProject({ "d.yaml": samples.document });
    expect(problemsOf(importOpenApi(path.join(root, "d.yaml"), root, into).files, {})).toEqual([]);
  });

  it("the files of the Gateway API", () => {
    const given = [{ file: "g.yaml", text: samples.cluster }];
    const { files, values } = importGatewayApi(given, { host: [into.host] });
    expect(problemsOf(files, Object.fromEntries(Object.keys(values).map((name) => [name, service])))).toEqual([]);
  });
});

it("each target has a name of its own, and some need no mesh", () => {
  expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length);
});

it("a run prints its seed and counts, and ends with 0; what it does not know ends with 2", () => {
  const run = (...options: string[]) =>
    spawnSync(process.execPath, [path.join(codeRoot, "test/fuzz/fuzz.ts"), ...options], { encoding: "utf8" });
  const { status, stdout } = run("--only", "reports,feed", "--seconds", "2", "--seed", "5");
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(/^seed 5; 2 targets[\s\S]*inputs, 0 finds; first seed 5\n$/),
  ]);
  expect(run("--only", "nothing").status).toBe(2);
});
