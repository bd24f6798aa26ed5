/** The target of wrangler's calls: Cloudflare, or a local cloud by variables that wrangler reads. */
import { accountId, localToken } from "../cloud/account/access.ts";
import { compile } from "../compiler/compile.ts";
import { listGates } from "../compiler/lower/gates.ts";
import { workerName } from "../compiler/lower/platform.ts";
import { existing } from "../diagnostics/schema-issues.ts";

export interface Target {
  readonly name: "cloudflare" | "local";
  /** Environment variables for wrangler, in addition to the shell's. */
  readonly variables: Readonly<Record<string, string>>;
  /** Runs the commands; by default the project's own wrangler, in a process for each. */
  readonly wrangler?: Wrangler;
}

/**
 * Carries out one command of wrangler.
 * @param input what is piped into it
 * @returns what it prints
 * @throws WranglerError
 */
export type Wrangler = (args: readonly string[], input?: string) => Promise<string>;

export const variablesOf = (api: string, token: string): Record<string, string> => ({
  CLOUDFLARE_API_BASE_URL: api,
  CLOUDFLARE_API_TOKEN: token,
  CLOUDFLARE_ACCOUNT_ID: accountId,
  WRANGLER_SEND_METRICS: "false",
});

/** The local cloud's default URL. */
export const defaultApi = "http://127.0.0.1:8799";

/**
 * @param given `cloudflare`, `local`, or the local cloud's URL; or a target, which stays as it is
 * @throws for any other text
 */
export const targetOf = (input: string | Target): Target => {
  if (typeof input !== "string") return input;
  if (input === "cloudflare") return { name: "cloudflare", variables: {} };
  const url = input === "local" ? defaultApi : input;
  if (!/^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]):\d+$/.test(url))
    throw new Error(`--target takes cloudflare, local, or a local cloud's URL such as ${defaultApi}, not "${input}"`);
  return { name: "local", variables: variablesOf(url, localToken) };
};

/** The environment for a target; a local cloud defaults to the dev loop's, whose sample services it runs. */
export const environmentFor = ({ name }: Target, explicit: string | undefined): string =>
  explicit ?? (name === "local" ? "local" : "production");

/**
 * The Workers that serve a tier, its main gate first; the front's Worker for `front`.
 * @throws if there is no such tier
 */
export const workersOf = (root: string, env: string, tier: string): string[] => {
  const { tiers } = compile(root, env);
  if (tier === "front") return [workerName("postern-front", env)];
  const gates = listGates(tiers).filter(({ serves }) => serves.some(({ plan }) => plan.tier === tier));
  if (gates.length === 0) {
    const known = [...tiers.map(({ checked }) => checked.manifest.tier), "front"];
    throw new Error(`there is no tier "${tier}"; ${existing(tier, known, "npx postern routes lists them")}`);
  }
  return gates.map(({ name }) => workerName(name, env));
};
