import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { writeProject } from "../../e2e/project.ts";
import { until } from "../../until.ts";
import { files } from "./run-cases.ts";

it("postern test --watch runs again after each save of a manifest or its cases, and ends at a signal", async () => {
  const cases = "- { it: answers, send: GET /t/one, expect: { status: 200 } }\n";
  const root = writeProject(files("routes: { one: { match: GET /one, to: it } }\n", cases));
  const args = [path.join(codeRoot, "infra/cli.ts"), "test", "--watch", "--root", root];
  const child = spawn(process.execPath, args, { env: { ...process.env, NO_COLOR: "1" } });
  onTestFinished(() => void child.kill("SIGKILL"));
  let out = "";
  child.stdout.on("data", (it) => {
    out += it;
  });
  const ended = new Promise<number | null>((done) => child.on("exit", done));
  await until(() => out.includes("1 case holds"), "the case holds");
  fs.writeFileSync(path.join(root, "routes/t.test.yaml"), cases.replace("200", "201"));
  await until(() => out.includes("1 of 1 case failed"), "an edit of the case is tried");
  fs.writeFileSync(path.join(root, "routes/t.yaml"), "oops\n");
  await until(() => out.includes("routes/t.yaml:1:1"), "a broken manifest is reported");
  child.kill("SIGINT");
  expect(await ended).toBe(0);
});
