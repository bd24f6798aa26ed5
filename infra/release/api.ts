/** Calls of the platform's REST API for which wrangler has no command or is slow. They need a token in the shell. */
import type { Target } from "./target.ts";
import { networkRemedy, remedies } from "./wrangler-failure.ts";

export interface ApiAccess {
  readonly api: string;
  readonly token: string;
  readonly account: string;
}

/** @returns undefined without a token */
export const accessOf = ({ variables }: Target): ApiAccess | undefined => {
  const environment = { ...process.env, ...variables };
  const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: account } = environment;
  const api = environment.CLOUDFLARE_API_BASE_URL ?? "https://api.cloudflare.com/client/v4";
  return token && account ? { api, token, account } : undefined;
};

/** The platform's error codes for a missing Worker. */
export const noWorkerCodes = [10007, 10090];

/** @returns undefined if the Worker does not exist */
export const getWorkerResource = async <T>(
  { api, token, account }: ApiAccess,
  worker: string,
  resource: string,
): Promise<T | undefined> => {
  const url = `${api}/accounts/${account}/workers/scripts/${worker}/${resource}`;
  const response = await fetchApi(url, { headers: { authorization: `Bearer ${token}` } });
  const { success, result, errors } = await readAnswer<T>(response, worker);
  if (success) return result;
  if (errors.some(({ code }) => noWorkerCodes.includes(code))) return undefined;
  throw new PlatformError(worker, errors);
};

/** The platform refuses a call. */
class PlatformError extends Error {
  readonly remedy: string | undefined;
  /** @param what the call was about */
  constructor(what: string, errors: ApiResponse<unknown>["errors"]) {
    super(`${what}: ${errors.map(({ code, message }) => `${message} (code ${code})`).join("; ")}`);
    this.remedy = errors.map(({ code }) => remedies[code]).find((it) => it !== undefined);
  }
}

/** @throws if it is no answer of the API, such as a page of a proxy */
export const readAnswer = async <T>(response: Response, what: string): Promise<ApiResponse<T>> => {
  const answer = ((await response.json().catch(() => null)) ?? {}) as Partial<ApiResponse<T>>;
  const { success, result, errors = [] } = answer;
  if (success !== undefined) return { success, result: result as T, errors };
  throw Object.assign(new Error(`${what}: the platform answered ${response.status}, not as its API does`), {
    remedy: "run the same command again; is CLOUDFLARE_API_BASE_URL the address of an API?",
  });
};

/** The names of all Workers of the account. */
export const listWorkers = async ({ api, token, account }: ApiAccess): Promise<string[]> => {
  const url = `${api}/accounts/${account}/workers/scripts`;
  const response = await fetchApi(url, { headers: { authorization: `Bearer ${token}` } });
  const what = "cannot list the Workers";
  const { success, result, errors } = await readAnswer<readonly { readonly id: string }[]>(response, what);
  if (success) return result.map(({ id }) => id);
  throw new PlatformError(what, errors);
};

interface ApiResponse<T> {
  readonly success: boolean;
  readonly result: T;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
}

/** Nothing answers at a URL. */
export class NoAnswer extends Error {
  readonly remedy: string;
  constructor(url: string | URL, error: Error) {
    const { origin, hostname } = new URL(url);
    super(`${origin} does not answer (${networkReason(error)})`);
    const isLocal = hostname === "127.0.0.1" || hostname === "localhost";
    this.remedy = isLocal ? "start the local cloud: npx postern cloud" : networkRemedy;
  }
}

/** The network's error, which `fetch` hides behind "fetch failed". */
export const networkReason = ({ message, cause }: Error): string =>
  cause instanceof Error ? cause.message || ("code" in cause ? String(cause.code) : message) : message;

/** @throws NoAnswer */
export const fetchApi = async (url: string, init: RequestInit): Promise<Response> => {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw new NoAnswer(url, error as Error);
  }
};

const timeoutMs = 30_000;
