/** What the npm package depends on, and how its files are made of this repository's. `test/package` packs and runs it. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { entryPoints, sources, verbatim } from "../../infra/package/contents.ts";
import { packageManifest } from "../../infra/package/manifest.ts";
import { importsOf, packageOf, reachable, withFirstComment, withJavaScriptPaths } from "../../infra/package/modules.ts";
import { repositoryManifest, runtimeTypes } from "../../infra/package/stage.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";

const read = (file: string) => fs.readFileSync(path.join(codeRoot, file), "utf8");
const repository = repositoryManifest();

const imported = new Set(
  sources()
    .flatMap((file) => importsOf(read(file)))
    .flatMap((name) => packageOf(name) ?? [])
    // Templates of parts name it.
    .filter((name) => name !== repository.name),
);

/** Of a package of node_modules: those without which npm warns. */
const requiredPeers = (name: string): string[] => {
  const { peerDependencies = {}, peerDependenciesMeta = {} } = JSON.parse(read(`node_modules/${name}/package.json`));
  return Object.keys(peerDependencies).filter((peer) => peerDependenciesMeta[peer]?.optional !== true);
};

const typesOf = (reference: string): string => /types="(.+)"/.exec(reference)?.[1] ?? "";

describe("dependencies", () => {
  it("are what the packaged code imports, and the peers of that", () => {
    const needed = new Set([...imported, ...[...imported].flatMap(requiredPeers), typesOf(runtimeTypes)]);
    expect(Object.keys(repository.dependencies).sort()).toEqual([...needed].sort());
  });

  it("are pinned: another wrangler, miniflare or workerd is another release of Postern", () => {
    const loose = Object.entries(repository.dependencies).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version),
    );
    expect(loose).toEqual([]);
  });
});

describe("contents", () => {
  it("import no file that is left out", () => {
    const packed = new Set<string>(sources());
    const lost = sources().flatMap((file) =>
      importsOf(read(file))
        .filter((name) => /^\.{1,2}\/.*\.ts$/.test(name) && !name.includes("$"))
        .map((name) => path.posix.join(path.posix.dirname(file), name))
        .filter((target) => !packed.has(target) && fs.existsSync(path.join(codeRoot, target)))
        .map((target) => `${file} → ${target}`),
    );
    expect(lost).toEqual([]);
    expect(packed.size).toBeGreaterThan(500);
  });

  it("hold no test, no benchmark, and no tool of the repository", () => {
    const all = [...sources(), ...verbatim()];
    expect(
      all.filter((it) => /^test\/|^infra\/(?:bench|sim|package|lock|retired)|^[^/]*\/tsconfig|\.secrets/.test(it)),
    ).toEqual([]);
    expect(all).toEqual(
      expect.arrayContaining(["infra/postern.js", "infra/terminal/workerd.sh", "LICENSE", "README.md"]),
    );
  });
});

describe("the package's package.json", () => {
  const manifest = packageManifest(repository, ["infra"]);

  it("is public, where the repository's is private", () => {
    expect(JSON.parse(read("package.json")).private).toBe(true);
    expect(manifest).toMatchObject({ publishConfig: { access: "public", provenance: true }, type: "module" });
    expect(manifest).not.toHaveProperty("private");
    expect(manifest).not.toHaveProperty("scripts");
    expect(manifest).not.toHaveProperty("devDependencies");
  });

  it("exports modules that there are, types first", () => {
    for (const source of Object.values(entryPoints)) expect(sources()).toContain(source);
    expect(manifest.exports).toMatchObject({ ".": { types: "./infra/run.d.ts", default: "./infra/run.js" } });
    expect(Object.keys((manifest.exports as Record<".", object>)["."])).toEqual(["types", "default"]);
  });
});

describe("modules", () => {
  it("of packages are found in imports, in calls, and where a path is resolved", () => {
    const text = `import a from "zod/v4/core";
import type { B } from "@hono/node-server/x";
export * from "./b.ts";
const c = await import("wrangler");
const d = createRequire(import.meta.url).resolve("swagger-ui-dist/package.json");
import "node:fs"; import { e } from "cloudflare:workers";`;
    const found = importsOf(text).flatMap((it) => packageOf(it) ?? []);
    expect(found.sort()).toEqual(["@hono/node-server", "swagger-ui-dist", "wrangler", "zod"]);
  });

  it("name JavaScript, wherever a declaration names TypeScript", () => {
    const text = 'import type { A } from "./a.ts";\nexport declare const b: import("../b/c.ts").C;\nimport "pkg/d.ts";';
    expect(withJavaScriptPaths(text)).toBe(
      'import type { A } from "./a.js";\nexport declare const b: import("../b/c.js").C;\nimport "pkg/d.ts";',
    );
  });

  it("keep the comment that they begin with, once", () => {
    const source = '/** Says what it is. */\nimport type { A } from "./a.ts";\nexport const b = 1;\n';
    const kept = "/** Says what it is. */\nexport const b = 1;\n";
    expect(withFirstComment(source, "export const b = 1;\n")).toBe(kept);
    expect(withFirstComment(source, kept)).toBe(kept);
  });

  it("that declarations reach are walked once each, in circles too", () => {
    const files: Record<string, string> = {
      "a.d.ts": 'export { b } from "./in/b.js"; import "zod";',
      "in/b.d.ts": 'import type { A } from "../a.js"; export declare const c: import("./gone.js").C;',
      "unused.d.ts": "export {};",
    };
    expect([...reachable(["a.d.ts"], (file) => files[file]).keys()]).toEqual(["a.d.ts", "in/b.d.ts"]);
  });
});
