/** What one version of Postern makes of a project: it builds every environment in a process of its own. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

export interface BuiltWorker {
  readonly kind: string;
  /** Of code, plan, bindings and dates: an equal one is not uploaded. */
  readonly digest: string;
  readonly bytes: number;
  /** Undefined for a Worker without a plan. */
  readonly plan: unknown;
  /** `wrangler.json`. */
  readonly configuration: unknown;
}

export interface FoundProblem {
  readonly code: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
  readonly remedy?: string;
}

export interface Snapshot {
  readonly workers: Readonly<Record<string, BuiltWorker>>;
  readonly problems: readonly FoundProblem[];
}

/** What `postern build --json` prints, as far as it is read here. Every version prints it. */
interface Built {
  readonly workers: readonly {
    readonly worker: string;
    readonly kind: string;
    readonly folder: string;
    readonly digest: string;
    readonly bytes: number;
  }[];
  readonly problems: readonly FoundProblem[];
}

const buildTimeoutMs = 120_000;
const maxOutputBytes = 64 * 1024 * 1024;

/**
 * @param code the folder of a version of Postern
 * @throws if that version cannot build the project at all
 */
export const snapshot = async (code: string, root: string, environment: string): Promise<Snapshot> => {
  const { workers, problems } = await buildWith(code, root, environment);
  const built = await Promise.all(
    workers.map(async ({ worker, kind, folder, digest, bytes }) => {
      const full = path.resolve(root, folder);
      const configuration: unknown = JSON.parse(fs.readFileSync(path.join(full, "wrangler.json"), "utf8"));
      return [worker, { kind, digest, bytes, plan: await planIn(full), configuration }] as const;
    }),
  );
  return { workers: Object.fromEntries(built), problems };
};

const buildWith = (code: string, root: string, environment: string): Promise<Built> =>
  new Promise((resolve, reject) => {
    const args = [path.join(code, "infra/postern.js"), "build", "--env", environment, "--root", root, "--json"];
    const options = { cwd: root, timeout: buildTimeoutMs, maxBuffer: maxOutputBytes, encoding: "utf8" } as const;
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      // With problems it exits with 1, and builds what it can.
      if (error && error.code !== 1) reject(new Error(`the build for ${environment} failed: ${stderr.trim()}`));
      else
        try {
          resolve(JSON.parse(stdout) as Built);
        } catch {
          reject(
            new Error(`the build for ${environment} printed something else than its result: ${stdout.slice(0, 200)}`),
          );
        }
    });
  });

/** The next build writes the same file with other content, so each import has a name of its own. */
const planIn = async (folder: string): Promise<unknown> => {
  const file = path.join(folder, "plan.js");
  if (!fs.existsSync(file)) return undefined;
  return ((await import(`${pathToFileURL(file).href}?${randomUUID()}`)) as { readonly default: unknown }).default;
};
