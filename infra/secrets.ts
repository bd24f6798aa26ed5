/** Where the values of secrets are: for the dev loop in a file that git ignores, elsewhere with the platform. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

export interface Secrets {
  /** Names of those that are set for a Worker. */
  readonly names: (worker: string) => Promise<readonly string[]>;
  readonly set: (worker: string, name: string, value: string) => Promise<void>;
}

/** The environment of the dev loop. */
const local = "local";

/** @param samples what the dev loop uses where nothing has been set */
export const secretsOf = (root: string, environment: string, samples: Values): Secrets =>
  environment === local ? inFile(root, samples) : withPlatform();

type Values = Readonly<Record<string, string>>;

const fileOf = (root: string): string => path.join(root, ".secrets", `${local}.json`);

/**
 * The values that the dev loop hands to gates; none for other environments.
 * @throws where the file is no map of texts; it says nothing of what is in it
 */
export const localSecrets = (root: string, environment: string, samples: Values): Values =>
  environment === local ? { ...samples, ...valuesIn(fileOf(root), root) } : {};

const valuesIn = (file: string, root: string): Values => {
  if (!fs.existsSync(file)) return {};
  const value = parsed(fs.readFileSync(file, "utf8"));
  if (typeof value !== "object" || value === null || Object.values(value).some((it) => typeof it !== "string"))
    throw new Error(`${path.relative(root, file)} is no JSON map of texts; remove it and set the secrets again`);
  return value as Values;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const inFile = (root: string, samples: Values): Secrets => ({
  names: async () => Object.keys(localSecrets(root, local, samples)),
  set: async (_, name, value) => {
    const file = fileOf(root);
    const all = { ...valuesIn(file, root), [name]: value };
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    // Written beside and renamed, so that nobody reads half of it.
    fs.writeFileSync(`${file}.new`, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);
  },
});

const withPlatform = (): Secrets => ({
  names: async (worker) => {
    const list = parsed(await wrangler(["secret", "list", "--name", worker, "--format", "json"]));
    return Array.isArray(list) ? list.map((it: { readonly name: string }) => it.name) : [];
  },
  set: async (worker, name, value) => void (await wrangler(["secret", "put", name, "--name", worker], value)),
});

const patienceMs = 60_000;

/** The value goes through a pipe: a command line is there for every process to read. */
const wrangler = (args: readonly string[], input?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const script = path.join(
      path.dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
      "bin/wrangler.js",
    );
    const env = { ...process.env, WRANGLER_HIDE_BANNER: "true", WRANGLER_LOG_SANITIZE: "true", CI: "1" };
    const child = execFile(process.execPath, [script, ...args], { env, timeout: patienceMs }, (error, out, err) => {
      if (!error) return resolve(out);
      const said = `${err}\n${out}`.replaceAll(input || "\0", "…").trim();
      return reject(new Error(`wrangler ${args.slice(0, 2).join(" ")} failed:\n${said}`));
    });
    child.stdin?.end(input ?? "");
  });
