/** Keeps the output of another program that failed in a file, since people get its cause alone. */
import fs from "node:fs";
import path from "node:path";

/** @returns the file, relative to the project; undefined if it cannot be written */
export const keepOutput = (root: string, name: string, output: string): string | undefined => {
  const file = path.join(".build", "logs", `${name.replaceAll(/[^\w-]+/g, "-")}.log`);
  try {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), `${output.trimEnd()}\n`);
    return file;
  } catch {
    return undefined;
  }
};
