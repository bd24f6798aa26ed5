/** A command line in process, and what a process of it loads. */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { listen } from "../../infra/cloud/ingress/listen.ts";
import { refusal } from "../../infra/cloud/ingress/refusals.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { run } from "../../infra/run.ts";
import { bank } from "../fixtures/bank.ts";

/** Runs a command line in this process, its streams a pipe or a terminal of so many columns. */
const ranAt = async (columns: number | undefined, ...argv: readonly string[]) => {
  const written = { stdout: "", stderr: "" };
  const into = (stream: keyof typeof written) => ({
    ...(columns !== undefined && { isTTY: true, columns }),
    write: (text: string) => {
      written[stream] += text;
    },
  });
  const code = await run(argv, { stdout: into("stdout"), stderr: into("stderr") });
  return { code, ...written };
};
const ran = (...argv: readonly string[]) => ranAt(undefined, ...argv);

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
    expect([json.code, json.stdout, Object.keys(JSON.parse(json.stderr))]).toEqual([3, "", ["error", "remedy"]]);
    expect([help.code, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toMatch(/^Usage: postern check/);
  });

  it("shows control characters of an argument, and does not write them", async () => {
    const { stderr } = await ran("ch\u001b[2Jek");
    expect(stderr).toContain("unknown command 'ch\\x1b[2Jek'");
  });
});

describe("output fits the terminal", () => {
  const longest = (text: string) => Math.max(...text.split("\n").map(({ length }) => length));

  it.each([
    ["routes", "--env", "local"],
    ["effective", "wallet/balance", "--env", "local"],
    ["explain", "GET", "http://localhost:8787/wallet/v1/accounts/7/balance"],
    ["secrets", "list", "--env", "local", "--target", "local"],
    ["--help"],
    ["diff", "--help"],
  ])("%s %s", async (...argv) => {
    const { code, stdout } = await ranAt(100, ...argv, ...(argv.includes("--help") ? [] : ["--root", bank]));
    expect([code, longest(stdout) <= 100]).toEqual([0, true]);
    expect(stdout.split("\n").length).toBeGreaterThan(5);
  });

  it("a pipe has a value of `effective` and its origin on one line", async () => {
    const { stdout } = await ran("effective", "wallet/balance", "--env", "local", "--root", bank);
    expect(stdout).toMatch(/^ {2}to: accounts {2,}routes\/wallet\.yaml:\d+$/m);
  });
});

it("prints the remedy below the error, or as a JSON field, if nothing answers", async () => {
  // A port of no service, in the form of a local cloud's.
  const args = ["releases", "wallet", "--target", "http://127.0.0.1:9", "--root", bank];
  const { code, stderr } = await ran(...args);
  expect([code, stderr]).toEqual([
    3,
    expect.stringMatching(
      /^postern: http:\/\/127\.0\.0\.1:9 does not answer .*\n {9}start the local cloud: npx postern cloud\n$/,
    ),
  ]);
  expect(JSON.parse((await ran(...args, "--json")).stderr)).toEqual({
    error: expect.stringContaining("does not answer"),
    remedy: "start the local cloud: npx postern cloud",
  });
});

it("an edge that has no control says what to deploy; control itself is quoted", async () => {
  let answer = refusal("address-unrouted", "nothing is routed at control.localhost/v1/wave");
  const server = http.createServer((_, response) =>
    response.writeHead(answer.status, [...answer.fields]).end(answer.text),
  );
  await listen(server, 0, "localhost", "--edge-port");
  onTestFinished(() => void server.close());
  const front = `http://localhost:${(server.address() as AddressInfo).port}`;
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  fs.cpSync(path.join(bank, "routes"), path.join(root, "routes"), { recursive: true });
  const local = path.join(root, "routes/environments/local.yaml");
  fs.writeFileSync(local, fs.readFileSync(local, "utf8").replaceAll("http://localhost:8800", front));
  const status = () => ran("wave", "status", "--target", "local", "--root", root);
  expect(await status()).toMatchObject({
    code: 3,
    stderr: `postern: ${front} answered 404: is control deployed? npx postern deploy control\n`,
  });
  answer = {
    ...answer,
    status: 500,
    text: JSON.stringify({ code: "internal", detail: "the log of control says why" }),
  };
  expect(await status()).toMatchObject({ code: 3, stderr: "postern: the log of control says why\n" });
});

/** The modules that a process loads, by package or by file of the project. */
const loadedBy = (...args: readonly string[]): string[] => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  const list = path.join(folder, "loaded");
  execFileSync(
    process.execPath,
    ["--import", path.join(import.meta.dirname, "loaded.ts"), path.join(codeRoot, "infra/cli.ts"), ...args],
    { env: { ...process.env, POSTERN_LOADED: list }, stdio: "ignore" },
  );
  const names = fs
    .readFileSync(list, "utf8")
    .trim()
    .split("\n")
    .map((url) => url.replace(`file://${codeRoot}/`, ""))
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
        /^infra\/(?:cli|run|program|terminal|terminal\/\w+|commands\/\w+\/cli-\w+|review\/core\/risks|project\/version|commands\/options)\.ts$/;
      const levels = "functions/control/model/wave.ts";
      expect(
        loaded.filter(
          (it) => !declaration.test(it) && !["commander", "@commander-js/extra-typings", levels].includes(it),
        ),
      ).toEqual([]);
    },
  );
});

describe("an older Node", () => {
  const { engines } = JSON.parse(fs.readFileSync(path.join(codeRoot, "package.json"), "utf8"));

  /** The launcher under a Node of this version, as far as it can see. */
  const launched = (version: string) => {
    const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
    const args = ["--import", `data:text/javascript,${older}`, path.join(codeRoot, "infra/postern.js"), "--version"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    return { status, stdout, stderr };
  };

  it.each(["20.20.2", "22.17.1"])("%s gets a message with the requirement and the remedy", (version) => {
    expect(launched(version)).toEqual({
      status: 3,
      stdout: "",
      stderr: expect.stringMatching(
        new RegExp(
          `^postern: this is Node ${version}, and postern needs ${engines.node.slice(2)} or newer\\n.*npm run --silent postern --`,
        ),
      ),
    });
  });

  it.each(["22.18.0", "24.21.0"])("%s runs it", (version) => {
    expect(launched(version)).toEqual({ status: 0, stdout: "0.1.0\n", stderr: "" });
  });
});

it("a project without its packages says how to get them", () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const name of ["package.json", "infra", "functions"])
    fs.cpSync(path.join(codeRoot, name), path.join(root, name), { recursive: true });
  const { status, stderr } = spawnSync(process.execPath, [path.join(root, "infra/postern.js"), "dev"], {
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([
    3,
    expect.stringMatching(
      /^postern: the project's packages are not there \(Cannot find package '.*'\)\n {9}npm ci installs them\n$/,
    ),
  ]);
});
