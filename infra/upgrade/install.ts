/** Installs another version of Postern into a folder of its own, without a change of the project. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

export interface Installed {
  /** The folder of the package. */
  readonly folder: string;
  readonly dispose: () => void;
}

const installTimeoutMs = 300_000;

/**
 * @param wanted a version, a tag such as `latest`, or a tarball
 * @throws if it cannot be installed
 */
export const installVersion = async (root: string, wanted: string): Promise<Installed> => {
  const tarball = path.resolve(root, wanted);
  const isTarball = wanted.endsWith(".tgz") && fs.existsSync(tarball);
  if (!isTarball && !/^[a-z0-9][\w.+-]{0,63}$/i.test(wanted))
    throw new Error(`"${wanted}" is no version, no tag and no tarball of postern`);
  const scratch = path.join(root, ".build/upgrade");
  const dispose = () => fs.rmSync(scratch, { recursive: true, force: true });
  dispose();
  fs.mkdirSync(scratch, { recursive: true });
  fs.writeFileSync(path.join(scratch, "package.json"), JSON.stringify({ private: true }));
  const settings = path.join(root, ".npmrc");
  if (fs.existsSync(settings)) fs.copyFileSync(settings, path.join(scratch, ".npmrc"));
  try {
    await npmInstall(scratch, isTarball ? tarball : `postern@${wanted}`);
    if (!fs.existsSync(path.join(scratch, "node_modules/postern/infra/upgrade/install.js")))
      throw new Error(`${wanted} holds no version of postern that can compare itself with this one`);
  } catch (error) {
    dispose();
    throw error;
  }
  return { folder: path.join(scratch, "node_modules/postern"), dispose };
};

/** Install scripts do not run: workerd and esbuild come as packages of their own for each platform. */
const npmInstall = (folder: string, what: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", what];
    execFile("npm", args, { cwd: folder, timeout: installTimeoutMs }, (error, _, stderr) => {
      if (!error) return resolve();
      const cause = /npm error (?:notarget )?(?!code|A complete)(.+)/.exec(stderr)?.[1] ?? error.message;
      return reject(
        Object.assign(new Error(`npm cannot install ${what}: ${cause}`), {
          remedy: "npm view postern versions lists what the registry has",
        }),
      );
    });
  });
