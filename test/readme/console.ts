/** Runs the consoles of the tutorial and the README, line by line in one shell. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../../infra/project/generated-files.ts";

export interface Step {
  readonly command: string;
  readonly output: string;
}

/** The consoles of a page, or those under one heading. A line after a command that begins with `>` belongs to it. */
export const stepsOf = (page: string, heading?: string): Step[] => {
  const text = fs.readFileSync(path.join(codeRoot, page), "utf8");
  const section =
    heading === undefined ? text : (text.split(/^## /m).find((it) => it.startsWith(`${heading}\n`)) ?? "");
  return [...section.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, console = ""]) =>
    console
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const lines = step.trimEnd().split("\n");
        const end = lines.findIndex((line, index) => index > 0 && !/^>(?: |$)/.test(line));
        const command = lines.slice(0, end === -1 ? undefined : end);
        const [first = "", ...more] = command;
        return {
          command: [first, ...more.map((line) => line.slice(2))].join("\n"),
          output: lines.slice(command.length).join("\n"),
        };
      }),
  );
};

/**
 * @param cwd the folder that it starts in
 * @param prelude what it runs first
 */
export const shell = (cwd = codeRoot, prelude = "") => {
  const child = spawn("bash", [], { cwd, detached: true, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.write(`${prelude}\n`);
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
