/** Runs wrangler as a person would: the project's own, unmodified, one call a process. */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import type { Target } from "./target.ts";

/** What wrangler said when it failed. */
export class WranglerError extends Error {
  /** The platform's, where it gave one. */
  readonly code: number | undefined;
  constructor(command: string, said: string) {
    super(`wrangler ${command} failed:\n${said}`);
    const [, code] = /\[code: (\d+)\]/.exec(said) ?? [];
    this.code = code === undefined ? undefined : Number(code);
  }
}

/** An upload over a slow line, with the platform's own checks. */
const patienceMs = 180_000;
const mostOutputBytes = 16 * 1024 * 1024;

/**
 * @param input goes through a pipe: a command line is there for every process to read
 * @returns what it printed
 * @throws WranglerError, without the input
 */
export const wrangler = (target: Target, args: readonly string[], input?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const script = path.join(
      path.dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
      "bin/wrangler.js",
    );
    const env = {
      ...process.env,
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_LOG_SANITIZE: "true",
      NO_COLOR: "1",
      FORCE_COLOR: "0",
      CI: "1",
      ...target.variables,
    };
    const options = { env, timeout: patienceMs, maxBuffer: mostOutputBytes };
    const child = execFile(process.execPath, [script, ...args], options, (error, out, err) => {
      if (!error) return resolve(out);
      const said = plain(`${err}\n${out}`).replaceAll(input || "\0", "…");
      return reject(new WranglerError(args.slice(0, 2).join(" "), said));
    });
    child.stdin?.end(input ?? "");
  });

/** Without colours and wrangler's closing remarks. */
const plain = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
    .replaceAll(/\u001b\[[\d;]*m/g, "")
    .split("\n")
    .filter((line) => !/If you think this is a bug|Logs were written to/.test(line))
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();

/** @throws where wrangler printed something else before */
export const json = async <T>(target: Target, args: readonly string[]): Promise<T> =>
  JSON.parse(await wrangler(target, args)) as T;
