/** A scaffold in a copy of the project: what it writes, and that the law suite, the types and the generated files take it. */
import path from "node:path";
import { expect, it } from "vitest";
import { clone, filesIn, run } from "./clone.ts";

/** The copy's own command line. */
const postern = (args: readonly string[], root: string) =>
  run(root, "node", [path.join(root, "infra/cli.ts"), ...args]);

const kinds = [
  ["filter", "foo", ["functions/filters/foo.ts", "test/functions/filters/foo.test.ts"]],
  ["filter", "partner", ["functions/filters/partner.ts", "test/functions/filters/partner.test.ts"], "--identity"],
  ["upstream", "two-words", ["functions/upstreams/two-words.ts", "test/functions/upstreams/two-words.test.ts"]],
] as const;

it("a new filter and a new upstream are one source file and one test file each besides generated ones, and pass the law suite untouched", {}, async () => {
  const root = clone();
  for (const [kind, name, written, ...flags] of kinds) {
    const before = filesIn(root);
    const { code, out } = await postern(["new", kind, name, ...flags], root);
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
  for (const [, name] of kinds) expect(tests.out).toMatch(new RegExp(`${name}\\.test\\.ts.*\\d tests?`));
  expect((await postern(["gen", "--check"], root)).code).toBe(0);
  expect((await run(root, "biome", ["check", "functions", "test"])).code).toBe(0);
});
