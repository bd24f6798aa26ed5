/** A command line in process, and what a process of it loads. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { home } from "../../infra/project/generated-files.ts";
import { run } from "../../infra/run.ts";

/** Runs a command line in this process. */
const ran = async (...argv: readonly string[]) => {
  const written = { stdout: "", stderr: "" };
  const into = (stream: keyof typeof written) => ({
    write: (text: string) => {
      written[stream] += text;
    },
  });
  const code = await run(argv, { stdout: into("stdout"), stderr: into("stderr") });
  return { code, ...written };
};

describe("run", () => {
  it("returns the exit code and leaves the process's own alone", async () => {
    expect(await ran("--version")).toEqual({ code: 0, stdout: "0.1.0\n", stderr: "" });
    expect(await ran("chek")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("unknown command"),
    });
    expect(await ran("check", "--root", os.tmpdir())).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("there is no folder routes/"),
    });
    expect(process.exitCode).toBeUndefined();
  });

  it("keeps apart what two of them write at once", async () => {
    const [json, help] = await Promise.all([ran("check", "--json", "--root", os.tmpdir()), ran("check", "--help")]);
    expect([json.code, json.stdout, Object.keys(JSON.parse(json.stderr))]).toEqual([3, "", ["error"]]);
    expect([help.code, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toMatch(/^Usage: postern check/);
  });

  it("shows control characters of an argument, and does not write them", async () => {
    const { stderr } = await ran("ch\u001b[2Jek");
    expect(stderr).toContain("unknown command 'ch\\x1b[2Jek'");
  });
});

/** The modules that a process loads, by package or by file of the project. */
const loadedBy = (...args: readonly string[]): string[] => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  const list = path.join(folder, "loaded");
  execFileSync(
    process.execPath,
    ["--import", path.join(import.meta.dirname, "loaded.ts"), path.join(home, "infra/cli.ts"), ...args],
    { env: { ...process.env, POSTERN_LOADED: list }, stdio: "ignore" },
  );
  const names = fs
    .readFileSync(list, "utf8")
    .trim()
    .split("\n")
    .map((url) => url.replace(`file://${home}/`, ""))
    .map((name) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? name);
  return [...new Set(names)].filter((name) => !name.startsWith("node:"));
};

describe("a process", () => {
  it.each([["--help"], ["--version"], ["deploy", "--help"], ["dev", "--help"]])(
    "of %s loads the declarations of the commands and nothing that a command needs",
    (...args) => {
      const loaded = loadedBy(...args);
      expect(loaded).toContain("commander");
      const declaration =
        /^infra\/(?:cli|run|program|terminal|terminal\/\w+|commands\/options|commands\/\w+\/cli-\w+|review\/core\/risks)\.ts$/;
      const levels = "functions/control/model/wave.ts";
      expect(
        loaded.filter(
          (it) => !declaration.test(it) && !["commander", "@commander-js/extra-typings", levels].includes(it),
        ),
      ).toEqual([]);
    },
  );
});
