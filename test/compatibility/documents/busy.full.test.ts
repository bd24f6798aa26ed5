/** An import beside processes that take all the time they get. */
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { rows } from "./rows.ts";
import { written } from "./written.ts";

const cli = path.join(codeRoot, "infra/cli.ts");
const run = promisify(execFile);

it("is the same, byte for byte", async () => {
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
