/** Documents as people write them: imported, checked where they stand, and compared with what is right. */
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { openapi } from "../../../infra/commands/review/import.ts";
import { home } from "../../../infra/project/generated-files.ts";
import type { Gap } from "../../../infra/review/import/imported.ts";
import { project } from "../../e2e/city.ts";
import { table } from "../row.ts";
import { type DocumentRow, rows } from "./rows.ts";

const cli = path.join(home, "infra/cli.ts");
const environments = { "routes/environments/local.yaml": 'kv: { consumers: "00000000000000000000000000000001" }\n' };

const written = (files: DocumentRow["files"]) => {
  const root = project(environments);
  for (const [name, content] of Object.entries(files)) {
    const whole = path.join(root, "docs", name);
    fs.mkdirSync(path.dirname(whole), { recursive: true });
    fs.writeFileSync(whole, typeof content === "string" ? content : Buffer.from(content.base64, "base64"));
  }
  return { root, file: path.join(root, "docs", Object.keys(files)[0] ?? "") };
};

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
    expect(() => openapi(file, options)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), remedy: expect.stringContaining(remedy) }),
    );
    expect(fs.existsSync(place)).toBe(false);
    return;
  }
  const { data } = openapi(file, options);
  const { problems, gaps } = data as Landed;
  const lines = gaps.map(({ where, what }) => `${where}: ${what}`);
  expect(problems).toEqual([]);
  expect(routesIn(fs.readFileSync(place, "utf8"))).toEqual(routes);
  for (const part of listed ?? []) expect(lines).toContainEqual(expect.stringContaining(part));
  if (listed?.length === 0) expect(lines).toEqual([]);
});

const run = promisify(execFile);

it("an import is the same, byte for byte, beside processes that take all the time they get", async () => {
  const files = rows.find(({ it: name }) => name.startsWith("hundreds of alternatives"))?.files ?? {};
  const once = async () => {
    const { root, file } = written(files);
    const where = [
      "--root",
      root,
      "--tier",
      "shop",
      "--host",
      "api.acme.example",
      "--upstream",
      "https://shop.internal",
    ];
    const { stdout } = await run(process.execPath, [
      cli,
      "import",
      "openapi",
      file,
      ...where,
      "--accept-gaps",
      "--json",
    ]);
    return [fs.readFileSync(path.join(root, "routes/shop.yaml"), "utf8"), stdout];
  };
  const alone = await once();
  const busy = [1, 2, 3].map(() => spawn(process.execPath, ["-e", "for (;;);"]));
  try {
    expect(await once()).toEqual(alone);
  } finally {
    for (const it of busy) it.kill("SIGKILL");
  }
});

it("what is wrong with a document is printed with what to do", async () => {
  const { root, file } = written({ "shop.yaml": "swagger: '2.0'\n" });
  const failed = run(process.execPath, [cli, "import", "openapi", file, "--root", root]);
  await expect(failed).rejects.toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/is a Swagger 2.0 document\n +convert it to OpenAPI 3 first: npx swagger2openapi/),
  });
});
