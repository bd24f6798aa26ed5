/** Reads the consoles of the tutorial and the README, and runs their lines one after the other in one shell. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../../infra/project/generated-files.ts";

export interface Step {
  readonly command: string;
  readonly output: string;
}

/** The console under a heading of a page. */
export const stepsUnder = (heading: string, page = "docs/tutorial.md"): Step[] => {
  const text = fs.readFileSync(path.join(codeRoot, page), "utf8");
  const [, console = ""] = /```console\n([\s\S]*?)```/.exec(text.slice(text.indexOf(`## ${heading}\n`))) ?? [];
  return console
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = "", ...output] = step.trimEnd().split("\n");
      return { command, output: output.join("\n") };
    });
};

export const shell = () => {
  const child = spawn("bash", [], { cwd: codeRoot, detached: true, stdio: ["pipe", "pipe", "inherit"] });
  const run = (command: string): Promise<string> =>
    new Promise((done) => {
      const end = "--- end of this step ---";
      let output = "";
      const listen = (part: Buffer) => {
        output += part;
        if (!output.includes(end)) return;
        child.stdout.off("data", listen);
        done(output.slice(0, output.indexOf(end)));
      };
      child.stdout.on("data", listen);
      child.stdin.write(`${command}\necho; echo "${end}"\n`);
    });
  // What it left in the background ends with it: users who go on would use up the next console's limits.
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  };
  return { run, end };
};
