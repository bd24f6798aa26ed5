/** Where wrangler's calls go: to Cloudflare, or to the local cloud by the variables that wrangler itself reads. */
import { accountId } from "../cloud/api/api.ts";
import { localToken } from "../cloud/cloud.ts";

export interface Target {
  readonly name: "cloudflare" | "local";
  /** Put over the shell's own. */
  readonly variables: Readonly<Record<string, string>>;
}

export const variablesOf = (api: string, token: string): Record<string, string> => ({
  CLOUDFLARE_API_BASE_URL: api,
  CLOUDFLARE_API_TOKEN: token,
  CLOUDFLARE_ACCOUNT_ID: accountId,
  WRANGLER_SEND_METRICS: "false",
});

/** The local cloud's port where none is given. */
export const defaultApi = "http://127.0.0.1:8799";

/**
 * @param text `cloudflare`, `local`, or the local cloud's URL
 * @throws where it is none of them
 */
export const targetOf = (text: string): Target => {
  if (text === "cloudflare") return { name: "cloudflare", variables: {} };
  const url = text === "local" ? defaultApi : text;
  if (!/^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]):\d+$/.test(url))
    throw new Error(`--target takes cloudflare, local, or a local cloud's URL such as ${defaultApi}, not "${text}"`);
  return { name: "local", variables: variablesOf(url, localToken) };
};
