import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { it, onTestFinished } from "vitest";
import { watch } from "../../infra/dev/watch.ts";
import { until } from "../until.ts";

const watched = () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  const seen: string[] = [];
  const file = path.join(root, "a.yaml");
  const { stop } = watch(
    [root],
    async () => void seen.push(fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "gone"),
  );
  onTestFinished(async () => {
    await stop();
    fs.rmSync(root, { recursive: true, force: true });
  });
  return { root, file, seen };
};

it("sees each save, also by editors that write beside and rename", async () => {
  const { root, file, seen } = watched();
  for (const text of ["one", "two", "three"]) {
    fs.writeFileSync(path.join(root, ".a.swp"), text);
    fs.renameSync(path.join(root, ".a.swp"), file);
    await until(() => seen.at(-1) === text, `"${text}" is seen`);
  }
  fs.rmSync(file);
  await until(() => seen.at(-1) === "gone", "the file's end is seen");
  fs.writeFileSync(file, "again");
  await until(() => seen.at(-1) === "again", "the file's return is seen");
});

it("sees files of folders that came later, and of those that went and came back", async () => {
  const { root, seen } = watched();
  const folder = path.join(root, "presets");
  for (let round = 0; round < 2; round++) {
    fs.mkdirSync(folder);
    const before = seen.length;
    await until(() => seen.length > before, "the folder is seen");
    const then = seen.length;
    fs.writeFileSync(path.join(folder, "b.yaml"), "x");
    await until(() => seen.length > then, "its file is seen");
    const last = seen.length;
    fs.rmSync(folder, { recursive: true });
    await until(() => seen.length > last, "its end is seen");
  }
});
