/** The cache of bundles: entries are used while their input files are unchanged, bounded in number, and never read half-written. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { bundleCache } from "../../infra/project/bundle-cache.ts";
import { writeProject } from "../e2e/project.ts";

const start = () => {
  const base = writeProject({ "a.ts": "a1", "b.ts": "b1" });
  const old = new Date(Date.now() - 60_000);
  const edit = (file: string, text: string, at = old) => {
    fs.writeFileSync(path.join(base, file), text);
    fs.utimesSync(path.join(base, file), at, at);
  };
  edit("a.ts", "a1");
  edit("b.ts", "b1");
  const folder = path.join(base, ".build/bundles");
  const cache = bundleCache(folder, base);
  const made: string[] = [];
  const get = (about: string, inputs: readonly string[] = ["a.ts", "b.ts"]) =>
    cache.get([about], async () => {
      made.push(about);
      return { text: inputs.map((it) => fs.readFileSync(path.join(base, it), "utf8")).join(), inputs };
    });
  return { base, folder, edit, made, get };
};

it("bundles once for concurrent callers, and again when a file or the key changes", async () => {
  const { base, folder, edit, made, get } = start();
  expect([await get("x"), await get("x"), made.length]).toEqual(["a1,b1", "a1,b1", 1]);
  expect(await bundleCache(folder, base).get(["x"], () => Promise.reject(new Error("made")))).toBe("a1,b1");
  edit("b.ts", "b2");
  expect([await get("x"), await get("x"), made.length]).toEqual(["a1,b2", "a1,b2", 2]);
  expect([await get("y"), made.length]).toEqual(["a1,b2", 3]);
  fs.rmSync(path.join(base, "b.ts"));
  await expect(get("x")).rejects.toThrow(/ENOENT/);
});

it("is not kept where a file was edited while it was made", async () => {
  const { edit, made, get } = start();
  edit("b.ts", "b2", new Date(Date.now() + 1000));
  await get("x");
  await get("x");
  expect(made).toHaveLength(2);
});

it("keeps no more than its bound, and nothing half", async () => {
  const { folder, made, get } = start();
  await Promise.all(Array.from({ length: 230 }, (_, index) => get(`${index % 210}`)));
  const kept = fs.readdirSync(folder);
  expect(kept.length).toBeLessThanOrEqual(200);
  for (const name of kept) expect(name).toMatch(/^[0-9a-f]{64}\.json$/);
  fs.writeFileSync(path.join(folder, kept[0] ?? ""), '{"inputs":');
  const before = made.length;
  for (let index = 0; index < 210; index++) expect(await get(`${index}`)).toBe("a1,b1");
  expect(made.length).toBeGreaterThan(before);
});

it.each(["null", "{}", '{"inputs":{"a.ts":1}}', '{"inputs":null,"text":"x"}'])(
  "bundles again when an entry is damaged: %s",
  async (damaged) => {
    const { folder, made, get } = start();
    await get("x");
    for (const name of fs.readdirSync(folder)) fs.writeFileSync(path.join(folder, name), damaged);
    expect(await get("x")).toBe("a1,b1");
    expect(made).toHaveLength(2);
  },
);

it("does without, where nothing can be written", async () => {
  const { folder, made, get } = start();
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  fs.writeFileSync(folder, "a file");
  expect([await get("x"), await get("x"), made.length]).toEqual(["a1,b1", "a1,b1", 2]);
});
