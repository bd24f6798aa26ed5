/** What is in the tarballs, how large they are, and what the field's own linters say of them. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { importsOf, packageOf } from "../../infra/package/modules.ts";
import type { Packed } from "../../infra/package/stage.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { installPackage } from "../install-package.ts";
import { packed } from "./packed.ts";

/** In bytes. `docs/versions.md` names them. */
const budgets = { tarball: 1_200_000, unpacked: 4_000_000 };

let postern: Packed;
let create: Packed;
const folderOf = ({ name }: Packed): string => path.join(codeRoot, ".build/package", name);
const textOf = (it: Packed, file: string): string => fs.readFileSync(path.join(folderOf(it), file), "utf8");

beforeAll(() => {
  ({ postern, create } = packed());
});

/** A program of another package. */
const run = (name: string, version: string, bin: string, ...args: readonly string[]): string =>
  execFileSync(process.execPath, [path.join(installPackage(name, version), bin), ...args], { encoding: "utf8" });

describe("postern's tarball", () => {
  it("holds every file that was staged: npm leaves some names out", () => {
    const staged = fs
      .readdirSync(folderOf(postern), { recursive: true, withFileTypes: true })
      .filter((it) => it.isFile())
      .map((it) => path.relative(folderOf(postern), path.join(it.parentPath, it.name)));
    expect(postern.files).toEqual(staged.sort());
  });

  it("holds JavaScript, declarations of what people import, pages and templates, and nothing else", () => {
    const kinds = Object.entries(Object.groupBy(postern.files, (it) => /^[^/]+/.exec(it)?.[0] ?? "")).map(
      ([top, files = []]) => [top, [...new Set(files.map((it) => path.extname(it)))].sort().join(" ")],
    );
    expect(kinds).toEqual([
      [".github", " .mjs .yml"],
      ["CHANGELOG.md", ".md"],
      ["LICENSE", ""],
      ["README.md", ".md"],
      ["SECURITY.md", ".md"],
      ["docs", ".md .svg"],
      ["functions", ".js .ts"],
      ["infra", ".js .json .md .sh .ts .txt .yaml"],
      ["package.json", ".json"],
      ["routes", ".yaml"],
    ]);
    const typescript = postern.files.filter((it) => it.endsWith(".ts") && !it.startsWith("infra/init/templates/"));
    expect(typescript.filter((it) => !it.endsWith(".d.ts"))).toEqual([]);
  });

  it("imports exactly its dependencies, and in itself only files that it holds", () => {
    const modules = postern.files.filter(
      (it) => /\.(?:js|d\.ts)$/.test(it) && !/^infra\/init\/templates\/|^\.github/.test(it),
    );
    const imports = modules.flatMap((from) => importsOf(textOf(postern, from)).map((to) => ({ from, to })));
    const { dependencies } = JSON.parse(textOf(postern, "package.json"));
    const used = new Set(imports.flatMap(({ to }) => packageOf(to) ?? []).filter((it) => it !== postern.name));
    expect([...used].filter((it) => dependencies[it] === undefined)).toEqual([]);
    // Types of the runtime, and peers of those that it imports.
    const unimported = ["@cloudflare/workers-types", "@upstash/redis", "commander"];
    expect(Object.keys(dependencies).filter((it) => !used.has(it))).toEqual(unimported);
    const held = new Set(postern.files);
    const target = (from: string, to: string) =>
      path.posix.join(path.posix.dirname(from), from.endsWith(".d.ts") ? to.replace(/\.js$/, ".d.ts") : to);
    const lost = imports.filter(({ from, to }) => /^\.{1,2}\/[^$]*\.js$/.test(to) && !held.has(target(from, to)));
    // Modules that the compiler writes beside an entry.
    expect(lost.filter(({ to }) => !/^\.\/(?:plan|validators|router)\.js$/.test(to))).toEqual([]);
  });

  it("stays within its budgets", () => {
    expect(postern.size).toBeLessThan(budgets.tarball);
    expect(postern.unpackedSize).toBeLessThan(budgets.unpacked);
  });

  it("keeps shell scripts executable, and the first comment of a part", () => {
    expect(fs.statSync(path.join(folderOf(postern), "infra/terminal/workerd.sh")).mode & 0o111).toBe(0o111);
    expect(textOf(postern, "functions/filters/jwt.js")).toMatch(/^\/\*\* Authenticates callers by a bearer token/);
  });
});

describe("create-postern's tarball", () => {
  it("is one program, which needs postern of the same version", () => {
    expect(create.files).toEqual(["LICENSE", "create-postern.js", "package.json"]);
    expect(JSON.parse(textOf(create, "package.json"))).toMatchObject({
      version: postern.version,
      dependencies: { postern: postern.version },
      bin: { "create-postern": "create-postern.js" },
    });
  });
});

describe("linters of packages", () => {
  it("publint finds nothing", () => {
    for (const it of [postern, create])
      expect(run("publint", "0.3.25", "src/cli.js", "run", folderOf(it), "--strict", "--pack", "false")).toContain(
        "All good!",
      );
  });

  it("@arethetypeswrong/cli finds nothing: the package is ESM alone", () => {
    // It exits with 1 where it finds something.
    const output = run("@arethetypeswrong/cli", "0.18.5", "dist/index.js", postern.file, "--profile", "esm-only");
    expect(output).toContain('"postern/package.json"');
  });

  it("npm pack --dry-run warns of nothing", () => {
    for (const it of [postern, create]) {
      const output = execFileSync("sh", ["-c", "npm pack --dry-run 2>&1"], { cwd: folderOf(it), encoding: "utf8" });
      expect(output).not.toMatch(/npm (?:warn|error)/i);
    }
  });
});
