/**
 * `postern upgrade`: what another version of Postern changes for this project. It installs that version beside the project,
 * and the new version compares: it knows more of the two.
 */
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { environmentNames } from "../../compiler/check/shared-files.ts";
import { codeRoot } from "../../project/generated-files.ts";
import { version as ownVersion } from "../../project/version.ts";
import type { ExitCode } from "../../terminal/contract.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { openStages } from "../../terminal/stages.ts";
import { compareSnapshots } from "../../upgrade/compare.ts";
import { installVersion } from "../../upgrade/install.ts";
import { renderUpgrade, type Upgrade } from "../../upgrade/render.ts";
import { snapshot } from "../../upgrade/snapshot.ts";

interface UpgradeOptions {
  readonly root: string;
  readonly env?: string | undefined;
  readonly json?: true | undefined;
  readonly from?: string | undefined;
}

export const upgrade = async (wanted: string, options: UpgradeOptions): Promise<Outcome> =>
  options.from === undefined
    ? delegate(wanted, options)
    : compareFrom(path.resolve(options.root, options.from), options);

/** Lets the new version compare. */
const delegate = async (wanted: string, { root, env, json }: UpgradeOptions): Promise<Outcome> => {
  const stages = openStages({ quiet: json });
  stages.begin(`install postern ${wanted} into .build/upgrade`);
  const { folder, dispose } = await installVersion(root, wanted);
  try {
    stages.begin("build every environment with both versions");
    const environment = env === undefined ? [] : ["--env", env];
    const args = ["upgrade", "--from", codeRoot, "--root", root, ...environment, ...(json ? ["--json"] : [])];
    const { code, stdout, stderr } = await runPostern(folder, root, args);
    stages.end();
    const data: unknown = json && stdout !== "" ? JSON.parse(stdout) : { error: stderr };
    return { exitCode: code, text: stdout === "" ? stderr : stdout, data };
  } finally {
    dispose();
  }
};

const timeoutMs = 600_000;
const maxOutputBytes = 64 * 1024 * 1024;

const runPostern = (folder: string, cwd: string, args: readonly string[]) =>
  new Promise<{ readonly code: ExitCode; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const program = path.join(folder, "infra/postern.js");
    const options = { cwd, timeout: timeoutMs, maxBuffer: maxOutputBytes };
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) =>
      resolve({ code: exitCodeOf(error), stdout: stdout.trimEnd(), stderr: stderr.trimEnd() }),
    );
  });

const exitCodeOf = (error: { readonly code?: unknown } | null): ExitCode => {
  if (error === null) return 0;
  return error.code === 1 || error.code === 2 ? error.code : 3;
};

const compareFrom = async (before: string, { root, env }: UpgradeOptions): Promise<Outcome> => {
  const names = environmentNames(root).filter((it) => env === undefined || it === env);
  if (names.length === 0)
    throw new Error(env === undefined ? `${root} has no environments` : `there is no environment "${env}"`);
  const environments = [];
  for (const name of names) {
    const after = await snapshot(codeRoot, root, name);
    // Last, so that `.build` is left as the installed version builds it.
    environments.push(compareSnapshots(name, await snapshot(before, root, name), after));
  }
  const old = manifestOf(before);
  const result: Upgrade = { before: old.version, after: ownVersion, dependencies: changedTools(old), environments };
  const isBroken = environments.some(({ problems, brokenAlready }) => problems.length + brokenAlready > 0);
  return { exitCode: isBroken ? 1 : 0, text: renderUpgrade(result), data: result };
};

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;

/** What uploads and runs Workers: another version of it can change more than code of Postern does. */
const tools = ["wrangler", "miniflare", "workerd", "esbuild"] as const;

const changedTools = (before: Manifest): Upgrade["dependencies"] => {
  const after = manifestOf(codeRoot);
  return Object.fromEntries(
    tools.flatMap((name): [string, [string, string]][] => {
      const [a, b] = [before.dependencies[name] ?? "none", after.dependencies[name] ?? "none"];
      return a === b ? [] : [[name, [a, b]]];
    }),
  );
};
