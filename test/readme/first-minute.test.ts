/** Runs the README's first minute as it stands there: the dev loop, then each line of its console in one shell. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { home } from "../../infra/gen/generated.ts";

const readme = fs.readFileSync(path.join(home, "README.md"), "utf8");
const [, console = ""] = /```console\n([\s\S]*?)```/.exec(readme) ?? [];
const steps = console
  .split(/^\$ /m)
  .slice(1)
  .map((step) => {
    const [command = "", ...output] = step.trimEnd().split("\n");
    return { command, output: output.join("\n") };
  });

/** What differs from run to run. */
const plain = (text: string): string =>
  text
    .trim()
    .replaceAll("\r", "")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
    .replaceAll(/"id":"[0-9a-f]{8}"/g, '"id":"<id>"');

// What an earlier run has counted is none of this one's business.
fs.rmSync(path.join(home, ".state"), { recursive: true, force: true });
const loop = spawn("npm", ["run", "dev"], { cwd: home, detached: true, stdio: ["ignore", "pipe", "inherit"] });
const shell = spawn("bash", [], { cwd: home, stdio: ["pipe", "pipe", "inherit"] });

beforeAll(async () => {
  await new Promise<void>((ready, failed) => {
    let said = "";
    loop.stdout.on("data", (part) => {
      said += part;
      if (/ready in/.test(said)) ready();
    });
    loop.once("exit", () => failed(new Error(`the dev loop ended: ${said}`)));
  });
}, 60_000);

afterAll(() => {
  shell.kill();
  fs.rmSync(path.join(home, "refund.curl"), { force: true });
  if (loop.pid !== undefined) process.kill(-loop.pid, "SIGTERM");
});

const run = (command: string): Promise<string> =>
  new Promise((done) => {
    const end = "--- end of this step ---";
    let heard = "";
    const listen = (part: Buffer) => {
      heard += part;
      if (!heard.includes(end)) return;
      shell.stdout.off("data", listen);
      done(heard.slice(0, heard.indexOf(end)));
    };
    shell.stdout.on("data", listen);
    shell.stdin.write(`${command}\necho; echo "${end}"\n`);
  });

it("has lines to run", () => {
  expect(steps.length).toBeGreaterThanOrEqual(9);
});

it.each(steps)("$command", async ({ command, output }) => {
  expect(plain(await run(command))).toBe(plain(output));
});

it("shows every status that it promises", () => {
  const promised = [401, 403, 404, 405, 413, 429, 504];
  expect(promised.filter((status) => !console.includes(`"status":${status}`))).toEqual([]);
});

it("pastes the lines that the dev loop prints", () => {
  const { dev } = parse(fs.readFileSync(path.join(home, "routes/environments/local.yaml"), "utf8"));
  const shown = steps.map(({ command }) => command);
  for (const { run: line } of dev.try) expect(shown.some((command) => command.startsWith(line))).toBe(true);
});
