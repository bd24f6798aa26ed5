/** Writes a document into a project, beside the files that it refers to. */
import fs from "node:fs";
import path from "node:path";
import { writeProject } from "../../e2e/project.ts";
import type { DocumentRow } from "./rows.ts";

const environments = { "routes/environments/local.yaml": 'kv: { consumers: "00000000000000000000000000000001" }\n' };

export const written = (files: DocumentRow["files"]) => {
  const root = writeProject(environments);
  for (const [name, content] of Object.entries(files)) {
    const whole = path.join(root, "docs", name);
    fs.mkdirSync(path.dirname(whole), { recursive: true });
    fs.writeFileSync(whole, typeof content === "string" ? content : Buffer.from(content.base64, "base64"));
  }
  return { root, file: path.join(root, "docs", Object.keys(files)[0] ?? "") };
};
