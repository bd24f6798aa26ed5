/**
 * Runs the tutorial from its first line to its last: a new project, the dev loop, a filter, a cloud, releases. `npm create` and
 * `npm install` are this repository's own init and a link to it; `test/package` has those of npm.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { startCommand } from "../e2e/command.ts";
import { type Step, shell, stepsOf } from "./console.ts";

const page = "docs/tutorial.md";
const bin = path.join(codeRoot, "node_modules/.bin");

const prelude = `
export PATH='${bin}':"$PATH"
npm() {
  case $1 in
    create) node '${codeRoot}/infra/postern.js' init "$3" ;;
    install) mkdir -p node_modules/.bin && ln -s '${codeRoot}' node_modules/postern && ln -s ../postern/infra/postern.js node_modules/.bin/postern ;;
    *) command npm "$@" ;;
  esac
}`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-tutorial-"));
const root = path.join(folder, "my-gateway");
const { run, end } = shell(folder, prelude);
const running: { readonly stop: () => Promise<void> }[] = [];

/** Starts what the reader starts in another shell. */
const start = async (command: string): Promise<void> =>
  void running.push(await startCommand(`${prelude}\n${command}`, /ready in/, root));

afterAll(async () => {
  end();
  for (const it of running.reverse()) await it.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Without what differs from run to run: ids, times and counts, widths, and which of two Workers ended first. */
const plain = (text: string): string =>
  text
    .trim()
    .replaceAll("\r", "")
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
    .replaceAll(/\b(?:[0-9a-f]{12}|[0-9a-f]{8})\b/g, "<id>")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "<time>")
    .replaceAll(/\b\d+(?:\.\d+)? m?s\b/g, "<duration>")
    .replaceAll(/^ *\d+ (?=x-release: two$)/gm, "<requests> ")
    .replaceAll(/^(wrote \d+ files into ).*/gm, "$1<folder>")
    .replaceAll(/ {2,}/g, "  ")
    .split("\n")
    .map((line) => line.trimEnd())
    .sort()
    .join("\n");

/** A rollout, without its figures, and without what depends on which of the criteria was sure first. */
const plainRollout = (text: string): string =>
  plain(
    text
      .split("\n")
      .filter(
        (line) =>
          !/^(?:pass|fail|hold|not enough|latency,|(?:stable|canary) \||\d\d:\d\d:\d\d| {2}(?!npx)\S| {7,}\S)/.test(
            line,
          ),
      )
      .map((line) =>
        line
          .replace(/^\d+ requests served by/, "<n> requests served by")
          .replace(/started by alice .* UTC$/, "started by alice")
          .replace(/^ROLLED BACK .*/, "ROLLED BACK"),
      )
      .join("\n"),
  );

const check = async ({ command, output }: Step): Promise<void> => {
  const compared = command.includes("rollout start") ? plainRollout : plain;
  const expected = compared(output);
  let shown = compared(await run(command));
  // An edit is live within seconds, and a reader sees that in the loop's shell.
  const until = Date.now() + 30_000;
  while (shown !== expected && isRead(command) && Date.now() < until) {
    await new Promise((done) => setTimeout(done, 500));
    shown = compared(await run(command));
  }
  expect(shown).toBe(expected);
};

/** Whether a command may be repeated. */
const isRead = (command: string): boolean => command.startsWith("curl ") && !command.includes(" -d ");

const section = (heading: string, command?: string) =>
  describe(heading, () => {
    if (command !== undefined) beforeAll(() => start(command), 60_000);
    it.each(stepsOf(page, heading))("$command", { timeout: 120_000 }, check);
  });

section("A project");
section("A request", "npm run dev");
section("A route of your own");
section("A case");
section("A filter of your own");
section("A deployment", "npx postern cloud");
section("A gray release");
section("A bad release that comes back by itself");
section("A rollback");

it("runs every console of the page", () => {
  const headings = [...fs.readFileSync(path.join(codeRoot, page), "utf8").matchAll(/^## (.*)$/gm)];
  const steps = headings.flatMap(([, heading]) => stepsOf(page, heading));
  expect(steps.length).toBeGreaterThan(30);
  expect(steps).toEqual(stepsOf(page));
});
