/** CODEOWNERS and schema lines: what is written, what people wrote that stays, and what a hook says of a commit. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { repo } from "../../../infra/commands/authoring/repo.ts";
import { staged } from "../../../infra/commands/authoring/staged.ts";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { manifest } from "../../e2e/project.ts";
import { repository } from "./repository.ts";

const tier = (name: string, owner?: string) =>
  manifest(name, `${owner === undefined ? "" : `owner: "${owner}"\n`}routes: { a: { match: GET /a, respond: {} } }\n`);
const line = "# yaml-language-server: $schema=./manifest.schema.json\n";
const owners = (root: string, file = ".github/CODEOWNERS") => fs.readFileSync(path.join(root, file), "utf8");
const rules = (text: string) => text.split("\n").filter((it) => it !== "" && !it.startsWith("#"));

it("this repository's own are fresh", () => {
  expect(repo({ root: codeRoot, check: true })).toMatchObject({ exitCode: 0, data: { problems: [], unowned: [] } });
});

describe("CODEOWNERS", () => {
  it("names the owner of each manifest and its tests, and lists manifests without one", () => {
    const { root } = repository({
      "routes/a.yaml": tier("a", "@acme/a"),
      "routes/b.yaml": tier("b", "@one @two ops@acme.example"),
      "routes/c.yaml": tier("c"),
      "routes/d.yaml": tier("d", "the people of d\\n* @evil"),
    });
    const { text } = repo({ root });
    expect(rules(owners(root))).toEqual([
      "/routes/a.test.yaml @acme/a",
      "/routes/a.yaml @acme/a",
      "/routes/b.test.yaml @one @two ops@acme.example",
      "/routes/b.yaml @one @two ops@acme.example",
    ]);
    expect(text).toContain("routes/c.yaml:2  has no owner");
    expect(text).toMatch(/routes\/d\.yaml:5 {2}"the people of d.*" is not a user, team or address of GitHub/);
  });
  it("keeps what people wrote, ahead of its block and behind it, in the file that GitHub looks at first", () => {
    const { root, write } = repository({
      "routes/a.yaml": tier("a", "@acme/a"),
      CODEOWNERS: "* @acme/platform\n",
    });
    repo({ root });
    write("CODEOWNERS", `${owners(root, "CODEOWNERS")}/routes/presets/ @acme/security\n`);
    write("routes/a.yaml", tier("a", "@acme/b"));
    expect(repo({ root, check: true })).toMatchObject({
      exitCode: 1,
      text: expect.stringContaining("CODEOWNERS  does not match the manifests' owners"),
    });
    repo({ root });
    expect(rules(owners(root, "CODEOWNERS"))).toEqual([
      "* @acme/platform",
      "/routes/a.test.yaml @acme/b",
      "/routes/a.yaml @acme/b",
      "/routes/presets/ @acme/security",
    ]);
    expect(repo({ root, check: true }).exitCode).toBe(0);
    expect(fs.existsSync(path.join(root, ".github"))).toBe(false);
  });
  it("of a project beneath the top of its repository has the whole path", () => {
    const { root } = repository({
      "gateway/routes/a.yaml": tier("a", "@acme/a"),
      "gateway/routes/environments/local.yaml": "values: {}\n",
    });
    repo({ root: path.join(root, "gateway") });
    expect(rules(owners(root))).toEqual(["/gateway/routes/a.test.yaml @acme/a", "/gateway/routes/a.yaml @acme/a"]);
  });
  it("is not written where a manifest does not hold: its owner would be lost", () => {
    const { root } = repository({ "routes/a.yaml": tier("a", "@acme/a"), "routes/b.yaml": "oops: 1\n" });
    expect(repo({ root })).toMatchObject({
      exitCode: 1,
      text: expect.stringContaining("routes/b.yaml:1:1  unknown-key"),
    });
    expect(fs.existsSync(path.join(root, ".github"))).toBe(false);
  });
});

describe("the line that tells editors the schema", () => {
  const files = {
    "routes/manifest.schema.json": "{}",
    "routes/environment.schema.json": "{}",
    "routes/a.yaml": tier("a", "@acme/a"),
    "routes/b.yaml": `# yaml-language-server: $schema=https://schemas.acme.example/manifest.json\n${tier("b", "@acme/b")}`,
    "routes/c.yaml": tier("c", "@acme/c").replaceAll("\n", "\r\n"),
  };
  it("is added if it is missing, and a different one is kept", () => {
    const { root } = repository(files);
    const read = (name: string) => fs.readFileSync(path.join(root, `routes/${name}.yaml`), "utf8");
    const { exitCode, text } = repo({ root, check: true });
    expect([exitCode, text.match(/^routes.*editors$/gm)]).toEqual([
      1,
      ["a", "c", "environments/local"].map(
        (it) => `routes/${it}.yaml:1  lacks the line that names its schema for editors`,
      ),
    ]);
    repo({ root });
    expect(read("a")).toBe(line + files["routes/a.yaml"]);
    expect(read("b")).toBe(files["routes/b.yaml"]);
    expect(read("c")).toBe(line.replace("\n", "\r\n") + files["routes/c.yaml"]);
    expect(read("environments/local")).toMatch(/^# yaml-language-server: \$schema=\.\.\/environment\.schema\.json\n/);
    expect(repo({ root, check: true }).exitCode).toBe(0);
  });
});

describe("a hook", () => {
  const good = `${line}${tier("a", "@acme/a")}`;
  it("reports problems of staged files only, as staged", () => {
    const { root, git, write } = repository({ "routes/a.yaml": good, "routes/old.yaml": "oops: 1\n" });
    expect(staged({ root })).toMatchObject({ exitCode: 0, text: "no manifest is staged\n" });
    write("routes/a.yaml", good.replace("GET /a", "FETCH /a"));
    git("add", "routes/a.yaml");
    write("routes/a.yaml", good);
    const { exitCode, text } = staged({ root });
    expect([exitCode, text.match(/^routes.*/gm)]).toEqual([
      1,
      [expect.stringMatching(/^routes\/a\.yaml:7:\d+ {2}wrong-format/)],
    ]);
    git("add", "routes/a.yaml");
    expect(staged({ root }).exitCode).toBe(0);
    write("routes/a.yaml", `${good}log: { sample: 10% }\n`);
    git("add", "routes/a.yaml");
    write("routes/a.yaml", "broken since");
    expect(staged({ root })).toMatchObject({ exitCode: 0, text: "1 file staged, and all of them are valid\n" });
  });
  it("says of a shared file what it breaks elsewhere, and that a manifest lacks its line", () => {
    const { root, git, write } = repository({
      "routes/manifest.schema.json": "{}",
      "routes/environments/local.yaml": "values: { who: '@acme/a' }\n",
      "routes/a.yaml": `${line}${tier("a", `$${"{who}"}`)}`,
    });
    write("routes/environments/local.yaml", "values: {}\n");
    git("add", "-A");
    expect(staged({ root })).toMatchObject({ exitCode: 1, text: expect.stringContaining("unknown-variable") });
    git("restore", "-q", "--staged", "--worktree", ".");
    write("routes/b.yaml", tier("b", "@acme/b"));
    git("add", "-A");
    expect(staged({ root })).toMatchObject({
      exitCode: 1,
      text: expect.stringContaining("routes/b.yaml:1  lacks the line that names its schema for editors"),
    });
  });
});
