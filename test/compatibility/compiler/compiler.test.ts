/** Compiles each row's manifests, and compares all that is reported. */
import { expect } from "vitest";
import { compile } from "../../../infra/compiler/compile.ts";
import { writeProject } from "../../e2e/project.ts";
import { table } from "../row.ts";
import { frame, rows } from "./rows.ts";

table(rows, ({ files, reports }) => {
  const texts = Object.entries(files).map(([file, text]) => [
    `routes/${file}`,
    file === "t.yaml" && !text.startsWith("api") ? frame + text : text,
  ]);
  const { problems } = compile(writeProject(Object.fromEntries(texts)), "local");
  const said = problems.map(({ file, line, column, code }) => {
    const place = `${code}@${line}:${column}`;
    return file === "routes/t.yaml" ? place : `${file.replace("routes/", "")} ${place}`;
  });
  expect(said).toEqual(reports);
});
