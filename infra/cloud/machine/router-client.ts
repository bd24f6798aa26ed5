/** Calls the router of a machine. */
import type { RoutingState } from "./routing-state.ts";

/** The router answers within milliseconds, and after five seconds where calls to objects are in flight. */
const maxResponseMs = 15_000;

export interface RouterClient {
  readonly ping: () => Promise<void>;
  readonly update: (state: RoutingState) => Promise<void>;
  /** Resolves when no call to this Worker's objects is in flight. */
  readonly whenObjectsIdle: (worker: string) => Promise<void>;
  /**
   * The runtime's KV, in its own protocol.
   * @param target key and query: `/<key>?urlencoded=true`
   */
  readonly kv: (namespace: string, target: string, init?: RequestInit) => Promise<Response>;
}

/**
 * @param id of the machine
 * @param secret keeps out whoever finds the port
 */
export const routerClient = (id: string, url: URL, secret: string): RouterClient => {
  const post = async (path: string, body: string | null = null): Promise<void> => {
    const response = await fetch(new URL(path, url), {
      method: "POST",
      headers: { authorization: secret },
      body,
      signal: AbortSignal.timeout(maxResponseMs),
    });
    if (!response.ok) throw new Error(`the router of machine ${id} answers ${response.status}`);
    await response.arrayBuffer();
  };
  return {
    ping: () => post("/quiet/"),
    update: (state) => post("/table", JSON.stringify(state)),
    whenObjectsIdle: (worker) => post(`/quiet/${encodeURIComponent(worker)}`),
    kv: (namespace, target, init) =>
      fetch(new URL(`/kv/${namespace}${target}`, url), {
        ...init,
        headers: { ...(init?.headers as Record<string, string>), authorization: secret },
      }),
  };
};
