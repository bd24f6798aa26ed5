/** Keeps the output of another program that failed in a file, since people get its cause alone. */
import fs from "node:fs";
import path from "node:path";

/**
 * A link in the place of the file or its folder, as a pull request may bring one, is not followed.
 *
 * @returns the file, relative to the project; undefined if it cannot be written
 */
export const keepOutput = (root: string, name: string, output: string): string | undefined => {
  const folder = path.join(".build", "logs");
  const file = path.join(folder, `${name.replaceAll(/[^\w-]+/g, "-")}.log`);
  const whole = path.join(root, file);
  try {
    fs.mkdirSync(path.dirname(whole), { recursive: true });
    if (fs.realpathSync(path.dirname(whole)) !== path.join(fs.realpathSync(root), folder)) return undefined;
    fs.rmSync(whole, { force: true });
    // What a platform answers is for those who deploy.
    fs.writeFileSync(whole, `${output.trimEnd()}\n`, { flag: "wx", mode: 0o600 });
    return file;
  } catch {
    return undefined;
  }
};
