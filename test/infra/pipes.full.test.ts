/** Verbs whose input never ends, and whose reader leaves. */
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { manifest, writeProject } from "../e2e/project.ts";

it("what comes in without an end is refused", () => {
  const zero = fs.openSync("/dev/zero", "r");
  onTestFinished(() => fs.closeSync(zero));
  const said = spawnSync(process.execPath, [path.join(codeRoot, "infra/cli.ts"), "import", "gateway-api", "-"], {
    stdio: [zero, "pipe", "pipe"],
    encoding: "utf8",
  });
  expect([said.status, said.stderr]).toEqual([3, expect.stringContaining("-: the file is too large")]);
});

it("a closed pipe is no error", async () => {
  const routes = Array.from({ length: 3000 }, (_, n) => `  r${n}: { match: GET /p${n}, to: it }\n`);
  const root = writeProject({
    "routes/t.yaml": manifest("t", `upstreams: { it: { http: "https://it.example" } }\nroutes:\n${routes.join("")}`),
  });
  const child = spawn(process.execPath, [
    path.join(codeRoot, "infra/cli.ts"),
    "routes",
    "--env",
    "local",
    "--root",
    root,
  ]);
  onTestFinished(() => void child.kill());
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  child.stdout.once("data", () => child.stdout.destroy());
  const code = await new Promise((done) => child.on("close", done));
  expect([code, said]).toEqual([0, ""]);
});
