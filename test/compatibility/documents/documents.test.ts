/** Imports real-world OpenAPI documents, checks the results, and compares them with what is right. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { importOpenApiFile } from "../../../infra/commands/review/import.ts";
import type { Gap } from "../../../infra/review/import/imported.ts";
import { postern } from "../../command-line.ts";
import { table } from "../row.ts";
import { rows } from "./rows.ts";
import { written } from "./written.ts";

interface Landed {
  readonly problems: readonly unknown[];
  readonly gaps: readonly Gap[];
}

const routesIn = (manifest: string): string[] =>
  [...manifest.matchAll(/^ {4}match: (.+)\n(?: {4}(?!match).+\n)*/gm)].map(([block, match = ""]) => {
    const [, without = ""] = /without: \[(.+)\]/.exec(block) ?? [];
    return match.replaceAll('"', "") + (without === "" ? "" : ` -${without}`);
  });

table(rows, ({ files, routes = [], listed, refused }) => {
  const { root, file } = written(files);
  const options = { root, tier: "shop", host: "api.acme.example", upstream: "https://shop.internal", json: undefined };
  const place = path.join(root, "routes/shop.yaml");
  if (refused) {
    const [message, remedy] = refused;
    expect(() => importOpenApiFile(file, options)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), remedy: expect.stringContaining(remedy) }),
    );
    expect(fs.existsSync(place)).toBe(false);
    return;
  }
  const { data } = importOpenApiFile(file, options);
  const { problems, gaps } = data as Landed;
  const lines = gaps.map(({ where, what }) => `${where}: ${what}`);
  expect(problems).toEqual([]);
  expect(routesIn(fs.readFileSync(place, "utf8"))).toEqual(routes);
  for (const part of listed ?? []) expect(lines).toContainEqual(expect.stringContaining(part));
  if (listed?.length === 0) expect(lines).toEqual([]);
});

it("what is wrong with a document is printed with what to do", async () => {
  const { root, file } = written({ "shop.yaml": "swagger: '2.0'\n" });
  expect(await postern(["import", "openapi", file, "--root", root])).toMatchObject({
    code: 3,
    err: expect.stringMatching(/is a Swagger 2.0 document\n +convert it to OpenAPI 3 first: npx swagger2openapi/),
  });
});
