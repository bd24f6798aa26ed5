/** Versions from a repository and from folders, what the verb exits with, and what an attacker could put there. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { diff } from "../../../infra/commands/review/diff.ts";
import { resolveVersions } from "../../../infra/review/versions.ts";
import { manifest, writeProject } from "../../e2e/project.ts";
import { repository } from "../repository/repository.ts";

const routes = (limit: string) => `filters: [{ rate-limit: { limit: ${limit}, by: ip } }]
upstreams: { it: { http: "https://it.example" } }
routes: { all: { match: GET /x, to: it } }
`;
const [slow, fast] = [manifest("t", routes("10/s")), manifest("t", routes("99/s"))];

const says = (root: string, base: string, head?: string) =>
  (diff(base, head, { root }).data as { changes: { says: string }[] }).changes.map((it) => it.says);

const raised = ["rate-limit: limit from 10/s to 99/s, 9.9 times as many"];

describe("versions", () => {
  it("the work tree against a commit, one commit against another, both ways", () => {
    const { root, commit, write } = repository({ "routes/t.yaml": slow });
    expect(says(root, "HEAD")).toEqual([]);
    write("routes/t.yaml", fast);
    expect(says(root, "HEAD")).toEqual(raised);
    commit("second");
    expect(says(root, "HEAD")).toEqual([]);
    expect(says(root, "HEAD~1", "HEAD")).toEqual(raised);
    expect(says(root, "HEAD", "HEAD~1")).toEqual(["rate-limit: limit from 99/s to 10/s"]);
  });

  it("main...HEAD is what a branch did, whatever main has done since", () => {
    const { root, git, commit, write } = repository({ "routes/t.yaml": slow });
    git("switch", "-q", "-c", "branch");
    write("routes/t.yaml", fast);
    commit("on the branch");
    git("switch", "-q", "main");
    write("routes/u.yaml", slow.replaceAll("t\n", "u\n").replace("/t\n", "/u\n"));
    commit("on main");
    git("switch", "-q", "branch");
    expect(says(root, "main...HEAD")).toEqual(raised);
    expect(says(root, "main...")).toEqual(raised);
    expect(says(root, "main")).toEqual(expect.arrayContaining([expect.stringContaining("is removed")]));
  });

  it("folders, and a project that is a folder of its repository", () => {
    const [a, b] = [writeProject({ "routes/t.yaml": slow }), writeProject({ "routes/t.yaml": fast })];
    expect(says(a, a, b)).toEqual(raised);
    const { root, write } = repository({
      "part/routes/t.yaml": slow,
      "part/routes/environments/local.yaml": "values: {}\n",
    });
    write("part/routes/t.yaml", fast);
    expect(says(path.join(root, "part"), "HEAD")).toEqual(raised);
  });

  it("a version before there were manifests: all is new", () => {
    const { root, commit, write } = repository({ "README.md": "nothing yet" });
    fs.rmSync(path.join(root, "routes"), { recursive: true });
    commit("none");
    fs.mkdirSync(path.join(root, "routes/environments"), { recursive: true });
    write("routes/environments/local.yaml", "values: {}\n");
    write("routes/t.yaml", slow);
    expect(says(root, "HEAD")).toEqual([
      "the environment local is new",
      "new route: GET /x, without identification of callers",
      "it is new, on localhost under /t, with all",
    ]);
  });

  it("the repository's index and its work tree stay as they are, and nothing is left behind", () => {
    const { root, git, write } = repository({ "routes/t.yaml": slow });
    write("routes/t.yaml", fast);
    write("staged.txt", "x");
    git("add", "staged.txt");
    const status = git("status", "--porcelain");
    const sides = resolveVersions(root, "HEAD", undefined);
    expect(fs.existsSync(path.join(sides.before.root, "routes/t.yaml"))).toBe(true);
    sides.dispose();
    expect(fs.existsSync(sides.before.root)).toBe(false);
    expect(git("status", "--porcelain")).toBe(status);
  });

  it.each(["nowhere", "--output=/tmp/x", "-h", "HEAD:routes", "a...b"])("no such version: %s", (name) => {
    const { root } = repository({ "routes/t.yaml": slow });
    expect(() => resolveVersions(root, name, undefined)).toThrow(
      /is neither a folder with routes\/ in it nor a commit/,
    );
  });

  it("a link in a commit leads nowhere: no file outside of it is read", () => {
    const secret = path.join(writeProject({ "secret.yaml": "password: hunter2\n" }), "secret.yaml");
    const { root, git, commit } = repository({ "routes/t.yaml": slow });
    fs.symlinkSync(secret, path.join(root, "routes/u.yaml"));
    commit("a link");
    git("switch", "-q", "-c", "main-again", "HEAD~1");
    const { text, exitCode } = diff("HEAD", "main", { root, format: "markdown" });
    expect(exitCode).toBe(1);
    expect(text).not.toContain("hunter2");
  });
});

describe("exit codes", () => {
  const root = (after: string) => {
    const { root, write } = repository({ "routes/t.yaml": slow });
    write("routes/t.yaml", after);
    return root;
  };
  it.each([
    ["0: no change, whatever the threshold", slow, "low", 0],
    ["0: a change below the threshold", fast, "high", 0],
    ["5: as risky as the threshold", fast, "medium", 5],
    [
      "5: riskier than the threshold",
      slow.replace("filters: [{ rate-limit: { limit: 10/s, by: ip } }]\n", ""),
      "medium",
      5,
    ],
    [
      "1: what does not hold is no smaller a problem for being a small change",
      fast.replace("by: ip", "by: me"),
      "high",
      1,
    ],
  ] as const)("%s", (_, after, failOn, code) => {
    expect(diff("HEAD", undefined, { root: root(after), failOn }).exitCode).toBe(code);
  });
});
