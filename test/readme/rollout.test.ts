/** Runs the tutorial's rollout: users, a bad change, and the automatic rollback. */
import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { startCommand } from "../e2e/command.ts";
import { shell, stepsUnder } from "./console.ts";

const steps = stepsUnder("A bad release that comes back by itself");
const manifest = path.join(codeRoot, "routes/open.yaml");
const before = fs.readFileSync(manifest);
const { run, end } = shell();
let cloud: { readonly stop: () => Promise<void> };

/** Without what differs from run to run: ids, figures, and which of the criteria was sure first. */
const plain = (text: string): string =>
  text
    .trim()
    .replaceAll("\r", "")
    .replaceAll(/\b[0-9a-f]{8}\b/g, "<id>")
    .split("\n")
    // Latency is drawn where isolates were warm by then; how many looks there are depends on the machine.
    .filter(
      (line) =>
        !/^(?:pass|fail|hold|not enough|latency,|(?:stable|canary) \||\d\d:\d\d:\d\d| {2}(?!npx)\S| {7,}\S)/.test(line),
    )
    .map((line) =>
      line
        .replace(/^\d+ requests served by/, "<n> requests served by")
        .replace(/started by alice .* UTC$/, "started by alice")
        .replace(/^ROLLED BACK .*/, "ROLLED BACK")
        .replace(/ {2,}/g, "  "),
    )
    .join("\n");

beforeAll(async () => {
  fs.rmSync(path.join(codeRoot, ".state/cloud"), { recursive: true, force: true });
  cloud = await startCommand("npx postern cloud", /ready in/);
  await run("npx postern deploy --target local > /dev/null 2>&1");
}, 120_000);

afterAll(async () => {
  end();
  fs.writeFileSync(manifest, before);
  fs.rmSync(`${manifest}.bak`, { force: true });
  await cloud.stop();
});

it("has lines to run", () => {
  expect(steps.length).toBe(5);
});

it.each(steps)("$command", { timeout: 120_000 }, async ({ command, output }) => {
  expect(plain(await run(command))).toBe(plain(output));
});
