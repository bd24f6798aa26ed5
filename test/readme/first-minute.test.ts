/** Runs the console of the sample tiers: the dev loop, then each command. */
import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { startCommand } from "../e2e/command.ts";
import { shell, stepsOf } from "./console.ts";

const steps = stepsOf("docs/samples.md", "The first minute");

/** What differs from run to run. */
const plain = (text: string): string =>
  text
    .trim()
    .replaceAll("\r", "")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
    .replaceAll(/"id":"[0-9a-f]{8}"/g, '"id":"<id>"');

const { run, end } = shell();
let loop: { readonly stop: () => Promise<void> };

beforeAll(async () => {
  // What an earlier run has counted is none of this one's business.
  fs.rmSync(path.join(codeRoot, ".state/local"), { recursive: true, force: true });
  loop = await startCommand("npm run dev", /ready in/);
}, 60_000);

afterAll(async () => {
  end();
  fs.rmSync(path.join(codeRoot, "refund.curl"), { force: true });
  await loop.stop();
});

it("has lines to run", () => {
  expect(steps.length).toBeGreaterThanOrEqual(9);
});

it.each(steps)("$command", async ({ command, output }) => {
  expect(plain(await run(command))).toBe(plain(output));
});

it("shows every status that it promises", () => {
  const shown = steps.map(({ output }) => output).join();
  const promised = [401, 403, 404, 405, 413, 429, 504];
  expect(promised.filter((status) => !shown.includes(`"status":${status}`))).toEqual([]);
});

it("pastes the lines that the dev loop prints", () => {
  const { dev } = parse(fs.readFileSync(path.join(codeRoot, "routes/environments/local.yaml"), "utf8"));
  const shown = steps.map(({ command }) => command);
  for (const { run: line } of dev.try) expect(shown.some((command) => command.startsWith(line))).toBe(true);
});
