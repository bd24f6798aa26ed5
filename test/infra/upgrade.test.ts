/** What `postern upgrade` says of two builds of one project. `test/package/upgrade.test.ts` runs it on installed packages. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { compareSnapshots, differentKeys } from "../../infra/upgrade/compare.ts";
import { installVersion } from "../../infra/upgrade/install.ts";
import { renderUpgrade } from "../../infra/upgrade/render.ts";
import type { BuiltWorker, Snapshot } from "../../infra/upgrade/snapshot.ts";

const worker = (edits: Partial<BuiltWorker> = {}): BuiltWorker => ({
  kind: "gate",
  digest: "a",
  bytes: 100,
  plan: { routes: { list: { path: "/orders" } } },
  configuration: { compatibility_date: "2026-11-01" },
  ...edits,
});
const problem = { code: "unknown-key", file: "routes/shop.yaml", line: 3, message: 'there is no key "x"' };
const built = (workers: Snapshot["workers"], problems: Snapshot["problems"] = []): Snapshot => ({ workers, problems });
const says = (before: Snapshot, after: Snapshot) =>
  renderUpgrade({
    before: "0.1.0",
    after: "0.2.0",
    dependencies: {},
    environments: [compareSnapshots("production", before, after)],
  });

describe("differences of plans", () => {
  it("are named by their keys, in lists too", () => {
    expect(differentKeys({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { b: 2, c: [1, 3] }, e: 1 })).toEqual([
      "a.b",
      "a.c.1",
      "d",
      "e",
    ]);
    expect(differentKeys(undefined, { a: 1 })).toEqual([""]);
    expect(differentKeys({ a: [] }, { a: [] })).toEqual([]);
  });

  it("are bounded", () => {
    const plan = (value: number) => Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, value]));
    expect(differentKeys(plan(1), plan(2))).toHaveLength(20);
  });
});

describe("an upgrade", () => {
  it("that changes nothing says so", () => {
    const text = says(built({ gate: worker() }), built({ gate: worker() }));
    expect(text).toContain("production: no Worker gets a new version, and no plan differs (1 Worker)");
    expect(text).toContain("state: no migration of Durable Objects");
    expect(text).toContain("npm install --save-dev --save-exact postern@0.2.0");
  });

  it("names Workers that are new, gone or changed, and why", () => {
    const before = built({ "gate-a": worker(), "gate-b": worker(), old: worker() });
    const after = built({
      "gate-a": worker({ digest: "b", bytes: 120 }),
      "gate-b": worker({ digest: "b", plan: { routes: { list: { path: "/all" } } } }),
      fresh: worker(),
    });
    const text = says(before, after);
    expect(text).toMatch(/^fresh +added/m);
    expect(text).toMatch(/^old +removed/m);
    expect(text).toMatch(/^gate-a +new version +code \(100 → 120 bytes\)$/m);
    expect(text).toMatch(/^gate-b +new version +plan: routes\.list\.path; code$/m);
  });

  it("tells of a migration, across which no rollback is possible", () => {
    const configuration = { migrations: [{ tag: "v1" }] };
    const text = says(
      built({ state: worker({ configuration }) }),
      built({ state: worker({ digest: "b", configuration: { migrations: [{ tag: "v1" }, { tag: "v2" }] } }) }),
    );
    expect(text).toContain("cannot be rolled back: state (production)");
  });

  it("reports problems that are new, and none that were there before", () => {
    const text = says(built({}, [problem]), built({}, [problem, { ...problem, line: 9, remedy: "remove it" }]));
    expect(text).toContain("the new version reports 1 more problem");
    expect(text).toContain('routes/shop.yaml:9  unknown-key  there is no key "x"; remove it (production)');
    expect(text).not.toContain("shop.yaml:3");
    expect(text).toContain("1 problem with both versions; mend them first");
    expect(says(built({}), built({}))).toContain("the new version takes all of them");
  });
});

it("installs only what names a version", async () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const wanted of ["--registry=x", "../other", "a b", "", "https://a.example/b.tgz", "none.tgz/"])
    await expect(installVersion(root, wanted)).rejects.toThrow("is no version, no tag and no tarball of postern");
  expect(fs.existsSync(path.join(root, ".build"))).toBe(false);
});
