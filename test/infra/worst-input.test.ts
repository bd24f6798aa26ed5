/** Verbs on what nobody would write by intent: each ends with a code and a sentence, and one tier's broken file is no other's. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { check } from "../../infra/commands/authoring/check.ts";
import { staged } from "../../infra/commands/authoring/staged.ts";
import { diff } from "../../infra/commands/review/diff.ts";
import { test } from "../../infra/commands/review/test.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { renderProblems } from "../../infra/diagnostics/report.ts";
import { ensureExplainKey } from "../../infra/explain/keys.ts";
import { copyWithin, listFilesWithin } from "../../infra/project/files.ts";
import { secretsOf } from "../../infra/release/secrets.ts";
import { manifest, writeProject } from "../e2e/project.ts";

const limit = "filters: [{ rate-limit: { limit: 20/s, by: ip } }]\n";
const body = 'upstreams: { it: { http: "https://it.example" } }\nroutes: { a: { match: GET /a, to: it } }\n';
const good = manifest("t", limit + body);

describe("files that cannot be read", () => {
  it.each([
    ["a link to itself", (file: string) => fs.symlinkSync(path.basename(file), file), /circular link/],
    ["a link to nowhere", (file: string) => fs.symlinkSync("nowhere.yaml", file), /broken link/],
    ["a link out of the project", (file: string) => fs.symlinkSync("/etc/passwd", file), /link out of the project/],
    ["a link to an endless device", (file: string) => fs.symlinkSync("/dev/zero", file), /link out of the project/],
    [
      "a pipe that nobody writes to",
      (file: string) => void execFileSync("mkfifo", [file]),
      /device, a socket or a pipe/,
    ],
  ])("%s is a problem of its own, and the other tiers stay valid", async (_, make, says) => {
    const root = writeProject({ "routes/t.yaml": good });
    make(path.join(root, "routes/bad.yaml"));
    const { problems, tiers } = compile(root, "local");
    expect(problems.map(({ file, code, message }) => [file, code, message])).toEqual([
      ["routes/bad.yaml", "unreadable", expect.stringMatching(says)],
    ]);
    expect(tiers.length).toBe(1);
    expect(check({ root }).exitCode).toBe(1);
  });
  it("an environment and a file of cases, likewise", async () => {
    const root = writeProject({ "routes/t.yaml": good });
    fs.mkdirSync(path.join(root, "routes/t.test.yaml"));
    fs.symlinkSync("it.yaml", path.join(root, "routes/environments/it.yaml"));
    expect((await test([], { root, env: "local" })).text).toMatch(
      /t\.test\.yaml:1:1 {2}unreadable {2}this is a folder/,
    );
    expect(check({ root }).text).toMatch(/environments\/it\.yaml:1:1 {2}unreadable/);
  });
  it("a folder that is called like a manifest is none, and a loop of folders is not walked", () => {
    const root = writeProject({ "routes/t.yaml": good });
    fs.mkdirSync(path.join(root, "routes/folder.yaml"));
    fs.symlinkSync("..", path.join(root, "routes/up"));
    expect(check({ root }).exitCode).toBe(0);
    expect(diff(root, undefined, { root }).exitCode).toBe(0);
  });
  it("folders that lead to themselves in several ways are walked once, and copied once", () => {
    const root = writeProject({ "routes/t.yaml": good, "routes/openapi/d.json": "{}" });
    for (const name of ["a", "b", "c"]) fs.symlinkSync(".", path.join(root, "routes/openapi", name));
    fs.symlinkSync("..", path.join(root, "routes/up"));
    expect(check({ root }).exitCode).toBe(0);
    expect(diff(root, undefined, { root }).exitCode).toBe(0);
    const copy = writeProject({});
    copyWithin(root, "routes", copy);
    expect(listFilesWithin(copy, "routes")).toEqual(["environments/local.yaml", "openapi/d.json", "t.yaml"]);
  });
  it("reports too many paths of folders that link to each other", () => {
    const root = writeProject({ "routes/t.yaml": good });
    for (let depth = 0; depth < 20; depth++) {
      fs.mkdirSync(path.join(root, `routes/schemas/${depth}`), { recursive: true });
      if (depth > 0)
        for (const name of ["a", "b"])
          fs.symlinkSync(`../${depth - 1}`, path.join(root, `routes/schemas/${depth}`, name));
    }
    expect(() => check({ root })).toThrow("routes/schemas holds more than 10000 files and folders");
  });
});

describe("links out of the project", () => {
  /** What stands outside: a secret that no report shows. */
  const outside = () =>
    writeProject({ "secret.yaml": "routes: { secret-of-somebody-else: 1 }\n", "secret.json": "{}" });
  const linked = (from: string, to = "secret.yaml", files: Readonly<Record<string, string>> = {}) => {
    const elsewhere = outside();
    const root = writeProject({ "routes/t.yaml": good, ...files });
    const link = path.join(root, from);
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.rmSync(link, { force: true });
    fs.symlinkSync(path.join(elsewhere, to), link);
    return { root, elsewhere: path.join(elsewhere, to) };
  };
  const withPreset = { "routes/t.yaml": good.replace("filters:", "preset: p\nfilters:") };
  const withDocument = { "routes/t.yaml": good.replace("filters: [", "filters: [{ validate: openapi/d.yaml }, ") };
  it.each([
    ["routes/other.yaml", {}],
    ["routes/environments/local.yaml", {}],
    ["routes/consumers.yaml", {}],
    ["routes/presets/p.yaml", withPreset],
    ["routes/openapi/d.yaml", withDocument],
  ])("%s is not read", (file, files) => {
    const { root } = linked(file, "secret.yaml", files);
    const { exitCode, text } = check({ root });
    expect([exitCode, text]).toEqual([1, expect.stringContaining("a link out of the project")]);
    expect(text).not.toContain("somebody-else");
    diff(root, undefined, { root });
  });
  it("cases and snapshots are neither read nor written", async () => {
    const { root } = linked("routes/t.test.yaml");
    expect((await test([], { root, env: "local" })).text).toContain("a link out of the project");
    const one = "- { it: is there, send: GET /t/a, expect: snapshot }\n";
    const { root: other, elsewhere } = linked("routes/t.test.snap", "secret.json", { "routes/t.test.yaml": one });
    // CI writes no snapshots at all.
    const isCi = process.env.CI;
    delete process.env.CI;
    onTestFinished(() => {
      if (isCi !== undefined) process.env.CI = isCi;
    });
    await expect(test([], { root: other, env: "local", update: true })).rejects.toThrow("out of the project");
    expect(fs.readFileSync(elsewhere, "utf8")).toBe("{}");
  });
  it("a folder of documents, of schemas or of all is not walked", () => {
    const elsewhere = writeProject({ "openapi/secret.yaml": "a: b\n", "openapi/deeper/secret.json": "{}" });
    const root = writeProject({ "routes/t.yaml": good });
    fs.symlinkSync("/", path.join(root, "routes/schemas"));
    fs.symlinkSync(path.join(elsewhere, "openapi"), path.join(root, "routes/openapi"));
    expect(listFilesWithin(root, "routes")).toEqual(["environments/local.yaml", "t.yaml"]);
    expect(listFilesWithin(root, "routes/schemas")).toEqual([]);
    expect(check({ root }).exitCode).toBe(0);
    expect(diff(root, undefined, { root }).exitCode).toBe(0);
  });
  it.each([
    ["one that is there", "secret.json"],
    ["one that is not there yet", "new.json"],
    ["a device", "/dev/zero"],
  ])("a key and values of secrets are neither read nor written: %s", async (_, to) => {
    const root = writeProject({ "routes/t.yaml": good });
    const elsewhere = outside();
    fs.mkdirSync(path.join(root, ".secrets"));
    for (const file of ["explain-local.json", "local.json"])
      fs.symlinkSync(path.resolve(elsewhere, to), path.join(root, ".secrets", file));
    const { set, names } = secretsOf(root, "local", {}, { name: "local" } as never);
    expect(() => ensureExplainKey(root, "local")).toThrow(/link out of|broken link/);
    await expect(names("w")).rejects.toThrow(/link out of|broken link/);
    await expect(set("w", "A", "b")).rejects.toThrow(/link out of|broken link/);
    expect(fs.readdirSync(elsewhere).sort()).toEqual(["routes", "secret.json", "secret.yaml"]);
    expect(fs.readFileSync(path.join(elsewhere, "secret.json"), "utf8")).toBe("{}");
  });
  it.each([
    ["a device", (file: string) => fs.symlinkSync("/dev/zero", file), "a link out of the project"],
    ["a pipe", (file: string) => void execFileSync("mkfifo", [file]), "this is a device, a socket or a pipe"],
    ["a folder", (file: string) => fs.mkdirSync(file), "this is a folder, not a file"],
    ["nothing", () => {}, "there is no file routes/openapi/d.yaml"],
  ])("%s in place of a document is reported as what it is", (_, make, says) => {
    const root = writeProject({ ...withDocument, "routes/openapi/other.yaml": "" });
    make(path.join(root, "routes/openapi/d.yaml"));
    expect(check({ root }).text).toContain(says);
  });
  it("nothing is written into a folder of secrets that is elsewhere", async () => {
    const { root, elsewhere } = linked(".secrets", "folder");
    fs.mkdirSync(elsewhere);
    const { set } = secretsOf(root, "local", {}, { name: "local" } as never);
    expect(() => ensureExplainKey(root, "local")).toThrow("a link out of the project");
    await expect(set("w", "A", "b")).rejects.toThrow("a link out of the project");
    expect(fs.readdirSync(elsewhere)).toEqual([]);
  });
  it("one within the project is read as ever", () => {
    const root = writeProject({ "shared/t.yaml": good });
    fs.symlinkSync("../shared/t.yaml", path.join(root, "routes/t.yaml"));
    expect(check({ root }).exitCode).toBe(0);
  });
});

it("a name of a file is no line of its own in a report", () => {
  const root = writeProject({ "routes/a\nroutes/b.yaml:1:1  invalid  forged.yaml": good });
  const { problems } = compile(root, "local");
  const lines = renderProblems(problems, { read: 1, broken: 1 }).split("\n");
  expect(lines.filter((line) => line.startsWith("routes/"))).toHaveLength(problems.length);
});

describe("repositories", () => {
  const repository = (files: Readonly<Record<string, string>>) => {
    const root = writeProject(files);
    const git = (...args: readonly string[]) =>
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    const commit = (message: string) => {
      git("add", "-A");
      git("commit", "-qm", message);
    };
    git("init", "-q", "-b", "main");
    commit("one");
    return { root, git, commit };
  };
  it("a folder that has been moved is compared with where it was", () => {
    const { root, git, commit } = repository({
      "old/routes/t.yaml": good,
      "old/routes/environments/local.yaml": "values: {}\n",
    });
    git("mv", "old", "new");
    commit("moved");
    const moved = path.join(root, "new");
    expect(diff("HEAD~1", undefined, { root: moved }).text).toContain("no change");
    fs.writeFileSync(path.join(moved, "routes/t.yaml"), good.replace(limit, ""));
    expect((diff("HEAD~1", undefined, { root: moved, failOn: "high" }) as { exitCode: number }).exitCode).toBe(5);
  });
  it("two that are gone since are not guessed between", () => {
    const environment = { "environments/local.yaml": "values: {}\n" };
    const { root, git, commit } = repository({
      "a/routes/t.yaml": good,
      "b/routes/t.yaml": good,
      [`a/routes/${Object.keys(environment)[0]}`]: "values: {}\n",
      [`b/routes/${Object.keys(environment)[0]}`]: "values: {}\n",
    });
    git("mv", "a", "c");
    git("rm", "-rq", "b");
    commit("moved");
    expect(() => diff("HEAD~1", undefined, { root: path.join(root, "c") })).toThrow(/a\/routes and b\/routes are gone/);
  });
  it("a version ahead of the first manifest: all of it is new, and graded as that", () => {
    const { root } = repository({ README: "nothing yet" });
    fs.rmSync(path.join(root, ".git"), { recursive: true });
    const git = (...args: readonly string[]) => execFileSync("git", args, { cwd: root, stdio: "ignore" });
    git("init", "-q");
    git("add", "README");
    git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "zero");
    fs.writeFileSync(path.join(root, "routes/t.yaml"), manifest("t", body.replace("GET", "POST")));
    const { exitCode, text } = diff("HEAD", undefined, { root, failOn: "high" });
    expect(exitCode).toBe(5);
    expect(text).toMatch(/high +a: new route: POST \/a, without identification of callers/);
  });
  it("a clone that is shallow, branches with nothing in common, and nothing at all to compare with", () => {
    const { root, git, commit } = repository({ "routes/t.yaml": good });
    fs.writeFileSync(path.join(root, "routes/t.yaml"), good.replace("20/s", "30/s"));
    commit("two");
    const clone = path.join(root, "clone");
    execFileSync("git", ["clone", "-q", "--depth", "1", `file://${root}`, clone]);
    expect(() => diff("HEAD~1", undefined, { root: clone })).toThrow(/this clone is shallow: git fetch --unshallow/);
    git("checkout", "-q", "--orphan", "other");
    commit("three");
    expect(() => diff("main...other", undefined, { root })).toThrow("main and other have no commit in common");
    expect(() => diff("", undefined, { root })).toThrow("say what to compare");
    git("checkout", "-q", "--detach", "main");
    expect(diff("main...HEAD", undefined, { root }).text).toContain("no change");
  });
  it("no repository at all", () => {
    expect(() => staged({ root: writeProject({ "routes/t.yaml": good }) })).toThrow("is not in a git repository");
    expect(() => staged({ root: "/nowhere" })).toThrow("is not in a git repository");
  });
});
