/** Reads the platform's REST API. It knows no method but GET, so no look of the doctor changes anything. */
import pLimit from "p-limit";
import { type ApiAccess, fetchApi, readAnswer } from "../release/api.ts";

export interface Answer<T> {
  readonly status: number;
  /** Undefined where the call is refused. */
  readonly result: T | undefined;
  /** The platform's code of a refusal. */
  readonly code: number | undefined;
  readonly message: string;
}

export interface Reader {
  /** The account's id. */
  readonly account: string;
  /** @throws if nothing answers, or no API of the platform */
  readonly get: <T>(path: string) => Promise<Answer<T>>;
  /** All pages of a list. */
  readonly getAll: <T>(path: string) => Promise<Answer<readonly T[]>>;
  /** How far this computer's clock is ahead of the platform's, in seconds; undefined before the first answer with a date. */
  readonly skewSeconds: () => number | undefined;
}

/** The platform allows 1,200 calls in five minutes. */
const concurrency = 6;
const pageSize = 100;
const maxPages = 50;

export const openReader = (access: ApiAccess, now: () => number = Date.now): Reader => {
  const limit = pLimit(concurrency);
  let skew: number | undefined;
  const get = <T>(path: string): Promise<Answer<T>> =>
    limit(async () => {
      const began = now();
      const response = await fetchApi(`${access.api}${path}`, { headers: { authorization: `Bearer ${access.token}` } });
      skew ??= skewOf(response.headers.get("date"), began, now());
      const { success, result, errors } = await readAnswer<T>(response, `GET ${path}`);
      const { code, message = "" } = errors[0] ?? {};
      return {
        status: response.status,
        result: success ? result : undefined,
        code: success ? undefined : code,
        message,
      };
    });
  return {
    account: access.account,
    get,
    getAll: async <T>(path: string) => {
      const all: T[] = [];
      for (let page = 1; page <= maxPages; page++) {
        const query = `${path.includes("?") ? "&" : "?"}per_page=${pageSize}&page=${page}`;
        const answer = await get<readonly T[]>(path + query);
        if (answer.result === undefined) return answer;
        all.push(...answer.result);
        if (answer.result.length < pageSize) return { ...answer, result: all };
      }
      throw new Error(`GET ${path} has more than ${pageSize * maxPages} entries`);
    },
    skewSeconds: () => skew,
  };
};

/** The header has whole seconds. */
const skewOf = (date: string | null, began: number, ended: number): number | undefined => {
  const theirs = Date.parse(date ?? "");
  return Number.isNaN(theirs) ? undefined : ((began + ended) / 2 - (theirs + 500)) / 1000;
};

/** Refused for want of a permission. */
export const isForbidden = ({ status }: Answer<unknown>): boolean => status === 401 || status === 403;
