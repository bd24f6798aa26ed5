/** A scaffold in a copy of the project: what it writes, and that the law suite, the types and the generated files take it. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { home } from "../../infra/project/generated-files.ts";

/** The copy's own command line. */
const postern = (args: readonly string[], root: string) =>
  run(root, "node", [path.join(root, "infra/cli.ts"), ...args]);

/** A copy of the project's own sources, with its packages. */
const clone = (): string => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const name of fs.readdirSync(home))
    if (!["node_modules", ".git", ".build", ".state", ".wrangler"].includes(name))
      fs.cpSync(path.join(home, name), path.join(root, name), { recursive: true });
  fs.symlinkSync(path.join(home, "node_modules"), path.join(root, "node_modules"));
  return root;
};

const filesIn = (root: string): Map<string, string> =>
  new Map(
    fs
      .readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((file) => !file.startsWith("node_modules") && fs.statSync(path.join(root, file)).isFile())
      .map((file) => [file, fs.readFileSync(path.join(root, file), "utf8")]),
  );

const run = (root: string, program: string, args: readonly string[]) =>
  new Promise<{ code: number; out: string }>((done) => {
    const bin = path.join(home, "node_modules/.bin");
    const env = { ...process.env, NO_COLOR: "1", PATH: `${bin}${path.delimiter}${process.env.PATH}` };
    execFile(path.join(bin, program), args, { cwd: root, env }, (error, out, err) =>
      done({ code: Number(error?.code ?? 0), out: out + err }),
    );
  });

const kinds = [
  ["filter", "foo", ["functions/filters/foo.ts", "test/functions/filters/foo.test.ts"]],
  ["upstream", "two-words", ["functions/upstreams/two-words.ts", "test/functions/upstreams/two-words.test.ts"]],
] as const;

it("a new filter and a new upstream are one source file and one test file each besides generated ones, and pass the law suite untouched", {}, async () => {
  const root = clone();
  for (const [kind, name, written] of kinds) {
    const before = filesIn(root);
    const { code, out } = await postern(["new", kind, name], root);
    expect([code, out]).toEqual([0, expect.stringContaining(`wrote functions/${kind}s/${name}.ts`)]);

    const changed = [...filesIn(root)].filter(([file, text]) => before.get(file) !== text).map(([file]) => file);
    const generated = changed.filter((file) => /\.gen\.ts$|\.schema\.json$|^docs\/reference\//.test(file));
    expect(changed.filter((file) => !generated.includes(file)).sort()).toEqual([...written]);
    expect(generated.sort()).toEqual([
      "docs/reference/README.md",
      // What a change of it would be, in review.
      ...(kind === "filter" ? ["docs/reference/changes.md"] : []),
      `docs/reference/${kind}s/${name}.md`,
      `functions/${kind}s/registry.gen.ts`,
      "routes/manifest.schema.json",
      ...(kind === "filter" ? ["routes/preset.schema.json"] : []),
    ]);
  }
  const types = await run(root, "tsc", ["--build"]);
  expect(types.out).toBe("");
  const tests = await run(root, "vitest", [
    "run",
    "--project",
    "edge",
    "laws",
    ...kinds.map(([, name]) => `${name}.test`),
  ]);
  expect(tests.code, tests.out).toBe(0);
  for (const [, name] of kinds) expect(tests.out).toMatch(new RegExp(`${name}\\.test\\.ts.*[12] tests?`));
  expect((await postern(["gen", "--check"], root)).code).toBe(0);
  expect((await run(root, "biome", ["check", "functions", "test"])).code).toBe(0);
});
