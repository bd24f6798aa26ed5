/** A Redis over Upstash's REST API: a command is a JSON array, the response `{ result }` or `{ error }`. */

import type { ScriptStore } from "../core/ports/limits.ts";
import type { Deps } from "../core/types.ts";
import { withTimeout } from "../core/with-timeout.ts";
import { readJson } from "../http/read-stream.ts";

/** The limit library's scripts reply with less. */
const maxReplyBytes = 4096;

/**
 * Implements only the calls of the limit library. Upstash's own client would retry five times, beyond our deadline.
 * @throws Redis' errors, and when Redis is unavailable or slow
 */
export const redisRestStore = (url: string, token: string, timeoutMs: number, deps: Deps): ScriptStore => {
  const command = (...parts: unknown[]): Promise<unknown> =>
    withTimeout(timeoutMs, deps, async (signal) => {
      const response = await deps.fetch(url, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(parts),
        redirect: "manual",
        signal,
      });
      const { result, error } = (await readJson(response, maxReplyBytes)) as {
        readonly result?: unknown;
        readonly error?: unknown;
      };
      if (error !== undefined) throw new Error(String(error).slice(0, 200));
      if (!response.ok) throw new Error(`Redis answered with status ${response.status}`);
      return result;
    });
  return {
    evalsha: (sha, keys, args) => command("EVALSHA", sha, keys.length, ...keys, ...args),
    eval: (script, keys, args) => command("EVAL", script, keys.length, ...keys, ...args),
  };
};
