/** `postern init`: what it writes, what it leaves, and what it refuses. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { allowScripts } from "../../../infra/init/package-json.ts";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { postern } from "../../command-line.ts";
import { manifest, writeProject } from "../../e2e/project.ts";

const version = JSON.parse(fs.readFileSync(path.join(codeRoot, "package.json"), "utf8")).version;
const ownTier = manifest(
  "t",
  'filters: [{ rate-limit: { limit: 20/s, by: ip } }]\nupstreams: { it: { http: "https://it.example" } }\nroutes: { a: { match: GET /a, to: it } }\n',
);

/** A folder with these files and nothing else. */
const folderWith = (files: Readonly<Record<string, string>> = {}): string => {
  const root = writeProject(files);
  if (files["routes/environments/local.yaml"] === undefined)
    fs.rmSync(path.join(root, "routes/environments"), { recursive: true });
  if (fs.readdirSync(path.join(root, "routes")).length === 0) fs.rmdirSync(path.join(root, "routes"));
  return root;
};

const read = (root: string, file: string) => fs.readFileSync(path.join(root, file), "utf8");
const exists = (root: string, file: string) => fs.existsSync(path.join(root, file));
const init = async (root: string, ...args: readonly string[]) => {
  const { code, out, err } = await postern(["init", root, "--yes", "--json", ...args]);
  return { code, err, data: out === "" ? undefined : JSON.parse(out) };
};
const git = (root: string, ...args: readonly string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" });

describe.each([
  { template: "minimal", tiers: 1 },
  { template: "mobile", tiers: 1 },
])("the template $template", ({ template, tiers }) => {
  it("holds in each environment, and its cases try the whole policy", async () => {
    const root = folderWith();
    expect(await init(root, "--template", template)).toMatchObject({
      code: 0,
      data: { problems: [], kept: [], gaps: [] },
    });
    const { code, out } = await postern(["check", "--root", root, "--fail-on", "low"]);
    expect([code, out]).toEqual([0, `${tiers} tier with 3 routes: no problems in local, production and staging\n`]);
    const cases = await postern(["test", "--root", root, "--fail-under", "100", "--json"]);
    expect([cases.code, JSON.parse(cases.out)]).toEqual([0, expect.objectContaining({ failed: 0, coverage: 100 })]);
    expect((await postern(["repo", "--check", "--root", root])).code).toBe(0);
    expect((await postern(["gen", "--check", "--root", root])).code).toBe(0);
  });
});

it("a project without the samples and without presets of its own is served by every command", async () => {
  const root = folderWith();
  await init(root);
  const commands = [
    ["build"],
    ["routes"],
    ["effective", "shop/list"],
    ["export", "openapi", "-o", path.join(root, "o.json")],
  ];
  for (const command of commands) {
    const { code } = await postern([...command, "--env", "local", "--root", root]);
    expect([command, code]).toEqual([command, 0]);
  }
  const wrong = read(root, "routes/shop.yaml").replace("secure-headers: {}", "secure-header: {}");
  fs.writeFileSync(path.join(root, "routes/shop.yaml"), wrong);
  expect((await postern(["check", "--root", root])).code).toBe(1);
});

it("the template samples is made of this repository's own tiers, with their services", async () => {
  const root = folderWith();
  const { code, data } = await init(root, "--template", "samples");
  expect([code, data.problems]).toEqual([0, []]);
  for (const file of ["routes/wallet.yaml", "routes/pay.test.yaml", "routes/presets/finance.yaml"])
    expect(read(root, file)).toBe(read(codeRoot, file));
  const local = read(root, "routes/environments/local.yaml");
  expect(local).not.toContain("infra/");
  for (const [service] of local.matchAll(/services\/\w+\.ts/g)) expect(exists(root, service)).toBe(true);
  expect(Object.keys(JSON.parse(read(root, "package.json")).devDependencies)).toEqual(["jose", "postern", "ws"]);
  expect((await postern(["check", "--root", root])).code).toBe(0);
});

describe("in an empty folder", () => {
  it("writes all that a repository needs, and says what to type next", async () => {
    const root = path.join(folderWith(), "My Gateway");
    const { code, out } = await postern(["init", "My Gateway"], { cwd: path.dirname(root) });
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/Next:\n\n {2}cd "My Gateway"\n {2}npm install\n {2}npm run dev\n$/),
    ]);
    const files = [
      "package.json",
      ".gitignore",
      "README.md",
      "tsconfig.json",
      ".vscode/settings.json",
      ".github/CODEOWNERS",
    ];
    for (const file of [...files, ".github/workflows/pull-request.yml", "routes/manifest.schema.json"])
      expect([file, exists(root, file)]).toEqual([file, true]);
    expect(JSON.parse(read(root, "package.json"))).toMatchObject({
      name: "my-gateway",
      private: true,
      scripts: { dev: "postern dev", test: "postern test" },
      devDependencies: { postern: version },
    });
    expect([read(root, "README.md").split("\n")[0], exists(root, "services/package.json")]).toEqual([
      "# my-gateway",
      false,
    ]);
    expect(read(root, ".github/workflows/pull-request.yml")).toContain('pull-request "$BASE" --fail-under 100\n');
    expect(read(root, ".github/workflows/release.yml")).toContain(
      'paths: ["routes/**", "functions/**", "package-lock.json"]\n',
    );
    expect(fs.statSync(path.join(root, ".github/scripts/release")).mode & 0o111).toBe(0o111);
  });

  it("writes the same again without a change", async () => {
    const root = folderWith();
    await init(root);
    expect((await init(root)).data).toMatchObject({ written: [], kept: [], notes: [] });
    expect((await init(root, "--template", "minimal")).code).toBe(0);
  });

  it("knows the project's own parts", async () => {
    const root = folderWith();
    await init(root);
    await postern(["new", "filter", "geo-fence", "--root", root]);
    fs.appendFileSync(path.join(root, "routes/shop.yaml"), "    filters: [{ geo-fence: { expect: CH } }]\n");
    expect(await init(root)).toMatchObject({
      code: 0,
      data: { written: [], kept: ["routes/shop.yaml"], problems: [] },
    });
  });

  it("keeps secrets and generated files out of git", async () => {
    const root = folderWith({ ".secrets/keys-local.json": "{}", ".build/x": "", ".state/y": "" });
    await init(root);
    git(root, "init", "-q");
    git(root, "add", "-A");
    expect(git(root, "ls-files")).not.toMatch(/^\.(?:secrets|build|state)/m);
  });
});

describe("in an existing repository", () => {
  const before = {
    "package.json":
      '{\n\t"name": "shop",\n\t"scripts": { "test": "vitest" },\n\t"devDependencies": { "zz": "1.0.0" }\n}\n',
    ".gitignore": "/node_modules\ndist",
    "README.md": "ours\n",
  };

  it("merges package.json and .gitignore, and leaves every other file", async () => {
    const root = folderWith(before);
    const { code, data } = await init(root);
    expect([code, data.kept, data.notes]).toEqual([
      0,
      ["README.md"],
      ['package.json has a script "test"; postern\'s is "gateway:test"'],
    ]);
    expect(read(root, "README.md")).toBe("ours\n");
    expect(read(root, ".gitignore")).toMatch(/^\/node_modules\ndist\n\.build\/\n(?:.*\n)*\.secrets\/\n/);
    expect(read(root, "package.json")).toMatch(/^\{\n\t"name"/);
    expect(JSON.parse(read(root, "package.json"))).toMatchObject({
      name: "shop",
      scripts: { test: "vitest", dev: "postern dev", "gateway:test": "postern test" },
      devDependencies: { postern: version, zz: "1.0.0" },
    });
    // The project's JavaScript is CommonJS, and the sample services are not.
    expect(read(root, "services/package.json")).toBe('{ "type": "module" }\n');
    expect((await init(root)).data.written).toEqual([]);
    expect((await init(root, "--force")).data.written).toEqual(["README.md"]);
  });

  it("takes the place of the failing test script that `npm init` writes", async () => {
    const placeholder = JSON.stringify({
      scripts: { test: 'echo "Error: no test specified" && exit 1', lint: "eslint" },
    });
    const root = folderWith({ "package.json": placeholder });
    expect((await init(root)).data.notes).toEqual([]);
    const { scripts } = JSON.parse(read(root, "package.json"));
    expect([scripts.test, scripts.lint, scripts["gateway:test"]]).toEqual(["postern test", "eslint", undefined]);
  });

  it("keeps another version of postern, and says so", async () => {
    const root = folderWith({ "package.json": '{ "dependencies": { "postern": "0.0.1" } }' });
    expect((await init(root)).data.notes).toEqual([`package.json has postern 0.0.1, and this is ${version}`]);
    expect(JSON.parse(read(root, "package.json")).devDependencies.postern).toBeUndefined();
  });

  it("adds no tier to manifests that are there", async () => {
    const root = folderWith({ "routes/t.yaml": ownTier, "routes/environments/local.yaml": "values: {}\n" });
    const { code, data } = await init(root);
    expect([code, exists(root, "routes/shop.yaml"), exists(root, "services")]).toEqual([0, false, false]);
    expect(data.written).toContain("routes/manifest.schema.json");
    expect(read(root, "routes/t.yaml")).toMatch(/^# yaml-language-server/);
    const { code: refused, data: why } = await init(root, "--template", "mobile");
    expect([refused, why.error]).toEqual([2, expect.stringContaining("routes/t.yaml is there already")]);
  });

  it("writes no workflows below the repository's root, where GitHub does not look", async () => {
    const top = folderWith();
    git(top, "init", "-q");
    const { data } = await init(path.join(top, "gateway"));
    expect(data.notes).toEqual(["the folder is not the root of its repository, so no workflows were written"]);
    expect([exists(top, "gateway/.github"), exists(top, ".github/CODEOWNERS")]).toEqual([false, true]);
  });
});

it("from an OpenAPI document: a route for each operation, cases, values for each environment, and what is left out", async () => {
  const document = `openapi: 3.1.0
info: { title: Shop, version: "1" }
servers: [{ url: https://shop.acme.example/v1 }]
components: { securitySchemes: { people: { type: http, scheme: bearer } } }
paths:
  /items: { get: { operationId: items, responses: { "200": { description: ok } } } }
  /orders: { get: { operationId: orders, security: [{ people: [] }], responses: { "200": { description: ok } } } }
`;
  const root = folderWith({ "shop.yaml": document });
  const project = path.join(root, "new");
  const { code, out, err } = await postern(["init", project, "--openapi", path.join(root, "shop.yaml")]);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(/no equivalent {2}security people: left out: no filter checks http bearer[\s\S]*Next:/);
  expect(read(project, "routes/shop.yaml")).toContain(`shop: { http: "\${shop-url}" }`);
  expect(read(project, "routes/environments/local.yaml")).toContain(
    "values:\n  api-host: localhost\n  shop-url: https://shop.acme.example\n",
  );
  // First cases do not try the whole policy, so a pull request need not either.
  expect(read(project, ".github/workflows/pull-request.yml")).toContain('pull-request "$BASE"\n');
  expect((await postern(["check", "--root", project, "--fail-on", "never"])).code).toBe(0);
  expect((await postern(["test", "--root", project])).code).toBe(0);
});

describe("in a folder that is neither empty nor a project", () => {
  /** With a terminal whose user types this. */
  const answering = async (answer: string, root: string, ...args: readonly string[]) => {
    const stdin = Object.getOwnPropertyDescriptor(process, "stdin") as PropertyDescriptor;
    const terminal = Object.assign(Readable.from([`${answer}\n`]), { isTTY: true });
    Object.defineProperty(process, "stdin", { ...stdin, get: () => terminal });
    try {
      return await postern(["init", root, ...args]);
    } finally {
      Object.defineProperty(process, "stdin", stdin);
    }
  };

  it.each([
    ["n", [], 2, false],
    ["y", [], 0, true],
    ["n", ["--yes"], 0, true],
  ] as const)("it asks in a terminal: %s %j", async (answer, args, code, isWritten) => {
    const root = folderWith({ "holiday.jpg": "" });
    expect([(await answering(answer, root, ...args)).code, exists(root, "routes")]).toEqual([code, isWritten]);
  });
});

describe("refuses", () => {
  it.each([
    [["--template", "from-openapi"], "needs a document: --openapi shop.yaml"],
    [["--template", "mobile", "--openapi", "x.yaml"], "give one of the two"],
    [["--upstream", "https://x.example"], "--upstream is the service behind a document"],
    [["--name", "Not A Name"], "is no name of a package"],
  ])("%j", async (args, why) => {
    const root = folderWith();
    const { code, data } = await init(root, ...args);
    expect([code, data.error, fs.readdirSync(root)]).toEqual([2, expect.stringContaining(why), []]);
  });

  it("a package.json that it cannot read, and writes nothing", async () => {
    const root = folderWith({ "package.json": "{ oops" });
    const { code, err } = await init(root);
    expect([code, JSON.parse(err)]).toEqual([
      3,
      { error: "package.json is no JSON object", remedy: "mend it, then run postern init again" },
    ]);
    expect(fs.readdirSync(root)).toEqual(["package.json"]);
  });
});

it("allows the install scripts that the packages have, and no others", () => {
  const { packages } = JSON.parse(read(codeRoot, "package-lock.json")) as {
    packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
  };
  const names = Object.keys(packages).filter((it) => packages[it]?.hasInstallScript);
  const withScripts = names.map((it) => it.replace(/^.*node_modules\//, "")).filter((it) => it !== "node");
  expect(Object.keys(allowScripts)).toEqual(withScripts.sort());
});
