/** Why a call of wrangler failed: the cause in a sentence and what to do, out of an output of many lines. */

export interface WranglerFailure {
  readonly cause: string;
  /** Undefined if none is known. */
  readonly remedy: string | undefined;
  /** The platform's error code, if there is one. */
  readonly code: number | undefined;
}

const maxCauseChars = 300;

/** @param output wrangler's standard error and output, without colours */
export const failureIn = (output: string): WranglerFailure => {
  const lines = errorLines(output);
  const [, digits] = /\[code: (\d+)\]/.exec(output) ?? [];
  const code = digits === undefined ? undefined : Number(digits);
  const found = startFailure(lines) ?? codedLine(lines) ?? noToken(lines) ?? badAnswer(lines) ?? lines[0];
  const cause = (found ?? "it printed nothing").slice(0, maxCauseChars);
  return { cause, remedy: remedyOf(cause, code), code };
};

/** wrangler's own sentence about every failed call; the platform's reason follows. */
const generic = /^A request to the Cloudflare API \(.*\) failed\.?$/;

/** The lines of the first error that says something; those of the whole output if none is marked as one. */
const errorLines = (output: string): readonly string[] => {
  const lines = output.split("\n");
  const at = lines.findIndex((line) => line.includes("[ERROR]"));
  const after = lines.slice(at + 1);
  const end = after.findIndex((line) => /^\S/.test(line));
  const block =
    at < 0 ? lines : [lines[at]?.replace(/^.*\[ERROR\]\s*/, "") ?? "", ...after.slice(0, end < 0 ? undefined : end)];
  return block.map((line) => line.trim().replace(/^- /, "")).filter((line) => line !== "" && !generic.test(line));
};

/** A version that throws while it starts: the exception, and the first place in its stack. */
const startFailure = (lines: readonly string[]): string | undefined => {
  const at = lines.findIndex((line) => line.startsWith("Uncaught "));
  if (at < 0) return undefined;
  const [, thrown = ""] = /^Uncaught (.*?)(?: \[code: \d+\])?$/.exec(lines[at] ?? "") ?? [];
  const [, place] = /\(?([^\s()]+:\d+:\d+)\)?/.exec(lines[at + 1] ?? "") ?? [];
  return `the version throws while it starts: ${thrown}${place === undefined ? "" : ` at ${place}`}`;
};

const codedLine = (lines: readonly string[]): string | undefined => {
  const line = lines.find((it) => /\S.*\[code: \d+\]$/.test(it));
  return line?.replace(/\.?\s*\[code: (\d+)\]$/, " (code $1)");
};

/** wrangler says so in three lines, with links. */
const noToken = (lines: readonly string[]): string | undefined =>
  lines.some((line) => /not logged in|CLOUDFLARE_API_TOKEN environment variable/i.test(line))
    ? "there is no token for Cloudflare"
    : undefined;

/** An answer that is none of the platform's API. */
const badAnswer = (lines: readonly string[]): string | undefined => {
  const [, answer] = lines.map((line) => /-> (\d{3}\b.*)$/.exec(line)).find((it) => it !== null) ?? [];
  return answer === undefined ? undefined : `the platform answered ${answer}`;
};

const tokenRemedy =
  "CLOUDFLARE_API_TOKEN is not valid here, or lacks a permission: npx postern doctor says which; on a local cloud it is what `npx postern cloud` prints";
const again = "run the same command again: it continues where it stopped";

export const networkRemedy = `see whether this machine reaches it: network, proxy, DNS; then ${again}`;

/** By the platform's code. */
export const remedies: Readonly<Record<number, string>> = {
  971: `the platform limits calls: wait a minute, then ${again}`,
  9106: tokenRemedy,
  9109: tokenRemedy,
  10000: tokenRemedy,
  10013: `the platform failed: ${again}`,
  10027: "a gate holds only what its manifest uses: remove filters or schemas, or give a route `isolation: route`",
  10041: "create the KV namespace, and write its id under `kv` of the environment",
  10057: "a secret is missing: npx postern secrets list shows which",
  10143: "deploy the Worker that it is bound to first: npx postern deploy",
};

const remedyOf = (cause: string, code: number | undefined): string | undefined => {
  if (cause.startsWith("the version throws")) return "nothing was released; `npx postern dev` starts the same code";
  if (cause === "there is no token for Cloudflare") return "npx wrangler login, or set CLOUDFLARE_API_TOKEN";
  if (/fetch failed|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT/.test(cause)) return networkRemedy;
  if (/^the platform answered [45]\d\d|did not end within/.test(cause)) return again;
  return code === undefined ? undefined : remedies[code];
};
