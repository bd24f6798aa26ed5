/** Runs the tutorial's gray release: a local cloud, a deploy, a change, a split, and the rollback. */
import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { startCommand } from "../e2e/command.ts";
import { shell, stepsUnder } from "./console.ts";

const steps = stepsUnder("A gray release in two minutes");

/**
 * Without what differs from run to run: ids, digests, times, and how many of the users have the new version; two Workers of one
 * stage may end in either order.
 */
const plain = (text: string): string =>
  text
    .trim()
    .replaceAll("\r", "")
    .replaceAll(/\b[0-9a-f]{8}\b/g, "<version>")
    .replaceAll(/\b[0-9a-f]{12}\b/g, "<digest>")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "<time>")
    .replaceAll(/\d+\.\d s$/gm, "<duration>")
    .replaceAll(/^ *\d+ (?=x-release: two$)/gm, "<users> ")
    .split("\n")
    .sort()
    .join("\n");

const manifest = path.join(codeRoot, "routes/open.yaml");
const before = fs.readFileSync(manifest);
const { run, end } = shell();
let cloud: { readonly stop: () => Promise<void> };

beforeAll(async () => {
  fs.rmSync(path.join(codeRoot, ".state/cloud"), { recursive: true, force: true });
  cloud = await startCommand("npx postern cloud", /ready in/);
}, 60_000);

afterAll(async () => {
  end();
  fs.writeFileSync(manifest, before);
  fs.rmSync(`${manifest}.bak`, { force: true });
  await cloud.stop();
});

it("has lines to run", () => {
  expect(steps.length).toBeGreaterThanOrEqual(9);
});

it.each(steps)("$command", { timeout: 90_000 }, async ({ command, output }) => {
  expect(plain(await run(command))).toBe(plain(output));
});
