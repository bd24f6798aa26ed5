/** A copy of the project's own sources, for tests that add to them. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";

/** With its packages; gone with the test. */
export const clone = (): string => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const name of fs.readdirSync(codeRoot))
    if (!["node_modules", ".git", ".build", ".state", ".wrangler"].includes(name))
      fs.cpSync(path.join(codeRoot, name), path.join(root, name), { recursive: true });
  fs.symlinkSync(path.join(codeRoot, "node_modules"), path.join(root, "node_modules"));
  return root;
};

/** Every file with its text. */
export const filesIn = (root: string): Map<string, string> =>
  new Map(
    fs
      .readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((file) => !file.startsWith("node_modules") && fs.statSync(path.join(root, file)).isFile())
      .map((file) => [file, fs.readFileSync(path.join(root, file), "utf8")]),
  );

/** A program of the packages. */
export const run = (root: string, program: string, args: readonly string[]) =>
  new Promise<{ code: number; out: string }>((done) => {
    const bin = path.join(codeRoot, "node_modules/.bin");
    const env = { ...process.env, NO_COLOR: "1", PATH: `${bin}${path.delimiter}${process.env.PATH}` };
    execFile(path.join(bin, program), args, { cwd: root, env }, (error, out, err) =>
      done({ code: Number(error?.code ?? 0), out: out + err }),
    );
  });
