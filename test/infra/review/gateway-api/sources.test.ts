/** What is read of a folder: files of all folders in it, and no more than an import takes. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readFolder } from "../../../../infra/review/import/gateway-api/resources/sources.ts";

const folder = (...files: readonly string[]): string => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const file of files) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), "");
  }
  return root;
};

const namesIn = (root: string) => {
  const { files, gaps } = readFolder(root);
  const within = (file: string) => path.relative(root, file);
  return { read: files.map(({ file }) => within(file)), left: gaps.map(({ where, what }) => [within(where), what]) };
};

it("reads .yaml, .yml and .json in the order of their names, and nothing of tools", () => {
  const root = folder(
    "b/x.json",
    "a.yaml",
    "b/c/d.YML",
    "readme.md",
    ".git/x.yaml",
    "node_modules/a/x.json",
    ".hidden/x.yaml",
  );
  expect(namesIn(root)).toEqual({ read: [".hidden/x.yaml", "a.yaml", "b/c/d.YML", "b/x.json"], left: [] });
});

it("follows a link within the folder, once, and lists one that leads out of it or nowhere", () => {
  const root = folder("real/a.yaml");
  const outside = folder("secret.yaml", "more/x.yaml");
  const link = (name: string, to: string) => fs.symlinkSync(to, path.join(root, name));
  link("again.yaml", path.join(root, "real/a.yaml"));
  link("circle", root);
  link("gone.yaml", path.join(root, "nothing.yaml"));
  link("out.yaml", path.join(outside, "secret.yaml"));
  link("outside", path.join(outside, "more"));
  link("readme", path.join(outside, "secret.yaml"));
  expect(namesIn(root)).toEqual({
    read: ["again.yaml"],
    left: [
      ["gone.yaml", "it is a link to nothing"],
      ["out.yaml", "it is a link to outside of the folder"],
      ["outside", "it is a link to outside of the folder"],
    ],
  });
});

it("lists folders that are deeper than anybody's, and refuses more files than it takes", () => {
  const deep = Array.from({ length: 17 }, () => "d").join("/");
  expect(namesIn(folder(`${deep}/x.yaml`)).left).toEqual([[Array(16).fill("d").join("/"), "folders are read 16 deep"]]);
  const many = folder(...Array.from({ length: 5001 }, (_, index) => `${index}.yaml`));
  expect(() => readFolder(many)).toThrow(/more than 5000 files; import it in parts/);
});

it("lists a file that is larger than any cluster's, and reads the others", () => {
  const root = folder("a.yaml");
  fs.writeFileSync(path.join(root, "dump.json"), Buffer.alloc(16 * 1024 * 1024 + 1, " "));
  expect(namesIn(root)).toEqual({
    read: ["a.yaml"],
    left: [["dump.json", "it has 16777217 bytes, and 16777216 are read of one file"]],
  });
});
