/** A public API's own document, as its package ships it: imported, compiled, served, and checked by. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { importOpenApiFile } from "../../../infra/commands/review/import.ts";
import { compile } from "../../../infra/compiler/compile.ts";
import { runProject, runService, writeProject } from "../../e2e/project.ts";
import { file, operationsIn, shipped } from "./large.ts";

const filesOf = (root: string): Record<string, string> =>
  Object.fromEntries(
    fs
      .readdirSync(path.join(root, "routes"), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(?:ya?ml|json)$/.test(name))
      .map((name) => [`routes/${name}`, fs.readFileSync(path.join(root, "routes", name), "utf8")]),
  );

it("no operation is lost, and all of them hold", () => {
  const root = writeProject({});
  const { exitCode, data } = importOpenApiFile(file, { root, tier: "large", upstream: "https://service.internal" });
  // Its keys come in a header that no filter takes, so nobody is identified: that has to be noticed.
  expect([exitCode, data]).toMatchObject([1, { leftOut: true }]);
  const operations = operationsIn(fs.readFileSync(file, "utf8"));
  expect(operations.length).toBeGreaterThan(100);
  expect(data).toMatchObject({ routes: operations.length, problems: [] });
  const [tier] = compile(root, "local").tiers;
  expect(tier?.checked.routes.length).toBe(operations.length);
  const methods = Object.values([...(tier?.checked.validations.values() ?? [])][0]?.plans ?? {}).flatMap(Object.keys);
  expect(methods.length).toBe(operations.length);
});

it.skipIf(file !== shipped)("serves, and refuses what the document does not allow", async () => {
  const { url: upstream } = await runService((request, response) => response.end(`${request.method} ${request.url}`));
  const root = writeProject({});
  importOpenApiFile(file, { root, tier: "chain", host: "localhost", upstream });
  const { url } = await runProject(filesOf(root));
  const ask = async (line: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}/api/v0${line}`, init);
    const text = await response.text();
    return [response.status, response.ok ? text : (JSON.parse(text).errors?.[0] ?? JSON.parse(text).code)];
  };
  expect(await ask("/blocks/latest/txs?count=5&order=desc")).toEqual([
    200,
    "GET /blocks/latest/txs?count=5&order=desc",
  ]);
  expect(await ask("/blocks/latest/txs?count=500")).toEqual([
    400,
    { in: "query", name: "count", detail: "must be <= 100" },
  ]);
  expect(await ask("/blocks/latest/txs?order=up")).toMatchObject([400, { name: "order" }]);
  expect(await ask("/epochs/many")).toEqual([400, { in: "path", name: "number", detail: "must be integer" }]);
  const evaluate = (body: string, type: string) =>
    ask("/utils/txs/evaluate/utxos", { method: "POST", body, headers: { "content-type": type } });
  expect(await evaluate("{}", "application/json")).toMatchObject([422, { pointer: "#" }]);
  expect(await evaluate('{"cbor":"84a3"}', "application/json")).toEqual([200, "POST /utils/txs/evaluate/utxos"]);
  expect(await evaluate("x", "text/plain")).toEqual([415, "content-type-unsupported"]);
});
