/** Runs the project's wrangler, unmodified, one process per call. */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import type { Target } from "./target.ts";
import { failureIn } from "./wrangler-failure.ts";

/** A failed wrangler call: the cause as its message, and what to do. */
export class WranglerError extends Error {
  override readonly name = "WranglerError";
  /** All that it printed. */
  readonly output: string;
  readonly remedy: string | undefined;
  /** The platform's error code, if there is one. */
  readonly code: number | undefined;
  constructor(command: string, output: string) {
    const { cause, remedy, code } = failureIn(output);
    super(`wrangler ${command}: ${cause}`);
    this.output = output;
    this.remedy = remedy;
    this.code = code;
  }
}

/** An upload over a slow line, with the platform's own checks. */
const defaultTimeoutMs = 180_000;
/** Time between SIGTERM and SIGKILL. */
const killDelayMs = 5000;
const maxOutputBytes = 16 * 1024 * 1024;

/**
 * Not `bin/wrangler.js`: that is another process around this one, and exits with 0 where this one is killed, be it by a signal
 * or by the system for want of memory.
 */
const script = createRequire(import.meta.url).resolve("wrangler");

/**
 * @param input passed through a pipe, because other processes can read a command line
 * @param timeoutMs after which the process is killed
 * @returns its output
 * @throws WranglerError, without the input
 */
export const wrangler = (
  { variables, wrangler: runWrangler }: Target,
  args: readonly string[],
  input?: string,
  timeoutMs = defaultTimeoutMs,
): Promise<string> => (runWrangler ? runWrangler(args, input) : ownProcess(variables, args, input, timeoutMs));

const ownProcess = (
  variables: Target["variables"],
  args: readonly string[],
  input: string | undefined,
  timeoutMs: number,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = {
      // Caches compiled code, which halves the CPU time of a call. It is Node's own folder, since a package may be read-only.
      NODE_COMPILE_CACHE: path.join(os.tmpdir(), "node-compile-cache"),
      ...process.env,
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_LOG_SANITIZE: "true",
      NO_COLOR: "1",
      FORCE_COLOR: "0",
      CI: "1",
      ...variables,
    };
    const options = { env, maxBuffer: maxOutputBytes };
    const timers: NodeJS.Timeout[] = [];
    let late = false;
    const child = execFile(process.execPath, ["--no-warnings", script, ...args], options, (error, out, err) => {
      timers.forEach(clearTimeout);
      // After a signal wrangler exits with 0, so the timeout is tracked here.
      if (!error && !late) return resolve(out);
      const output = cleanOutput(`${err}\n${out}`).replaceAll(input || "\0", "…");
      const why = late ? `it did not end within ${timeoutMs / 1000} s, and was killed` : (error?.signal ?? "");
      return reject(new WranglerError(commandOf(args), [why, output].filter(Boolean).join("\n")));
    });
    const end = () => {
      late = true;
      child.kill("SIGTERM");
      timers.push(setTimeout(() => child.kill("SIGKILL"), killDelayMs));
    };
    timers.push(setTimeout(end, timeoutMs));
    child.stdin?.on("error", () => {
      // It ended without reading its input; its output says why.
    });
    child.stdin?.end(input ?? "");
  });

const commandOf = (args: readonly string[]): string => {
  const [command = "", sub = ""] = args;
  return sub.startsWith("-") ? command : `${command} ${sub}`;
};

/** Removes colors and wrangler's closing remarks. */
const cleanOutput = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
    .replaceAll(/\u001b\[[\d;]*m/g, "")
    .split("\n")
    .filter((line) => !/If you think this is a bug|Logs were written to/.test(line))
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();

/** Runs wrangler and parses its output as JSON. @throws if the output is not JSON */
export const wranglerJson = async <T>(target: Target, args: readonly string[]): Promise<T> =>
  JSON.parse(await wrangler(target, args)) as T;
