/** The target of wrangler's calls: Cloudflare, or a local cloud by variables that wrangler reads. */
import { accountId, localToken } from "../cloud/account/access.ts";
import { type Compiled, compile } from "../compiler/compile.ts";
import { stateWorkers } from "../compiler/emit/state-workers.ts";
import { listGates } from "../compiler/lower/gates.ts";
import { workerName } from "../compiler/lower/platform.ts";
import { existing } from "../diagnostics/schema-issues.ts";
import { project } from "../project/project.ts";

export interface Target {
  readonly name: "cloudflare" | "local";
  /** Environment variables for wrangler, in addition to the shell's. */
  readonly variables: Readonly<Record<string, string>>;
  /** Where no `--env` is given, if the project's configuration says so. */
  readonly environment?: string | undefined;
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
 * @param given `cloudflare`, `local`, the local cloud's URL, or a name of the project's configuration; or a target, which stays as it is
 * @throws for any other text
 */
export const targetOf = (input: string | Target): Target => {
  if (typeof input !== "string") return input;
  if (input === "cloudflare") return { name: "cloudflare", variables: {} };
  const configured = configuredTarget(input);
  if (configured) return configured;
  const url = input === "local" ? defaultApi : input;
  if (!/^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]):\d+$/.test(url))
    throw new Error(
      `--target takes cloudflare, local, ${configuredNames()}or a local cloud's URL such as ${defaultApi}, not "${input}"`,
    );
  return { name: "local", variables: variablesOf(url, localToken) };
};

/** A target of `postern.config.ts`. */
const configuredTarget = (name: string): Target | undefined => {
  const { targets } = project();
  const found = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (!found) return undefined;
  const { url, account, environment } = found;
  return url === undefined
    ? { name: "cloudflare", variables: account === undefined ? {} : { CLOUDFLARE_ACCOUNT_ID: account }, environment }
    : { name: "local", variables: variablesOf(url, localToken), environment };
};

const configuredNames = (): string =>
  Object.keys(project().targets)
    .map((it) => `${it}, `)
    .join("");

/** The environment for a target; a local cloud defaults to the dev loop's, whose sample services it runs. */
export const environmentFor = ({ name, environment }: Target, explicit: string | undefined): string =>
  explicit ?? environment ?? (name === "local" ? "local" : "production");

/** What a command that is printed needs in order to reach the same target, with a blank ahead of it. */
export const flagOf = ({ name, variables: { CLOUDFLARE_API_BASE_URL: url } }: Target): string =>
  name === "local" ? ` --target ${url === undefined || url === defaultApi ? "local" : url}` : "";

/** As `flagOf`, and the environment where the target does not imply it. */
export const flagsOf = (target: Target, environment: string): string => {
  const isImplied = environment === environmentFor({ ...target, environment: undefined }, undefined);
  return `${flagOf(target)}${isImplied ? "" : ` --env ${environment}`}`;
};

/**
 * The Workers that serve a tier, its main gate first; the Worker of `front`, `control`, `feed`, `actuator`, `tail`, or of a
 * state such as `state-shared`.
 * @throws if there is no such tier
 */
export const workersOf = (root: string, env: string, tier: string): string[] => {
  const compiled = compile(root, env);
  const { tiers } = compiled;
  const gates = listGates(tiers).filter(({ serves }) => serves.some(({ plan }) => plan.tier === tier));
  if (gates.length === 0) {
    const others = otherWorkers(compiled);
    if (Object.hasOwn(others, tier)) return [others[tier] as string];
    const known = [...tiers.map(({ checked }) => checked.manifest.tier), ...Object.keys(others)];
    throw new Error(`there is no tier "${tier}"; ${existing(tier, known, "npx postern routes lists them")}`);
  }
  return gates.map(({ name }) => workerName(name, env));
};

/** The Workers that serve no tier of their own, by the name that commands take. */
const otherWorkers = ({ tiers, environment: { name, value } }: Compiled): Readonly<Record<string, string>> => {
  const plane = value.control ? ["control", "feed", "actuator", "tail"] : [];
  const states = stateWorkers(
    tiers.map(({ checked }) => checked),
    name,
  );
  return {
    ...Object.fromEntries(["front", ...plane].map((it) => [it, workerName(`postern-${it}`, name)])),
    ...Object.fromEntries(states.map((worker) => [stateName(worker, name), worker])),
  };
};

/** Without the environment's name. */
export const stateName = (worker: string, environment: string): string =>
  worker.endsWith(`-${environment}`) ? worker.slice(0, -environment.length - 1) : worker;
