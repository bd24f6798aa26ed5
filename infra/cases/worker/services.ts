/** The services behind the gate: they write down what they see, and reply as they are told. */

import type { Plan } from "../../../functions/gateway/core/plan.ts";
import type { Deps } from "../../../functions/gateway/core/types.ts";
import type { Parts } from "../../../functions/gateway/part.ts";
import { withCopies } from "../../explain/copies.ts";
import type { Reply, Seen, Step } from "../input/batch.ts";
import type { Clock } from "./clock.ts";

/** Of what one send brings about; more calls are counted, not kept. */
const mostSeen = 20;
const longestBody = 64 * 1024;

export interface Services {
  /** What upstreams reply from now on. */
  readonly tell: (replies: Step["replies"]) => void;
  /** Whether bodies come to an end from now on; nobody hurries for one that does not. */
  readonly hurry: (ends: boolean) => void;
  /** What was seen since the last time. */
  readonly seen: () => { readonly seen: Seen[]; readonly calls: Record<string, number> };
  /** All that was sent beside the answer has arrived, or was given up. */
  readonly settled: () => Promise<unknown>;
  /** The parts, with each upstream's own network in place of the real one. */
  readonly around: (parts: Parts, plan: Plan) => Parts;
}

/**
 * @param bindings of upstreams that are other Workers
 * @param copying kinds of filters that send copies to a service of their own
 */
export const services = (
  clock: Clock,
  bindings: Readonly<Record<string, string>>,
  copying: readonly string[],
): Services => {
  let underWay: Promise<unknown>[] = [];
  let replies: Step["replies"] = {};
  let asked: Record<string, number> = {};
  let seen: Seen[] = [];
  let calls: Record<string, number> = {};
  let ends = true;

  const serve = async (upstream: string, request: Request): Promise<Response> => {
    const url = new URL(request.url);
    // Read to its end before anything is answered, as a service would that stores it.
    const read = request.text();
    const body = (await (ends ? clock.busy(read) : read)).slice(0, longestBody);
    calls[upstream] = (calls[upstream] ?? 0) + 1;
    if (seen.length < mostSeen)
      seen.push({
        upstream,
        method: request.method,
        target: url.pathname + url.search,
        headers: Object.fromEntries(request.headers),
        body,
      });
    const list = replies[upstream] ?? [];
    const turn = asked[upstream] ?? 0;
    asked[upstream] = turn + 1;
    return replied(list[Math.min(turn, list.length - 1)], upstream, request, clock);
  };

  const network =
    (upstream: string): Deps["fetch"] =>
    (input, init) => {
      const request = new Request(input, init);
      const signal = init?.signal;
      if (!signal) return serve(upstream, request);
      const aborted = new Promise<never>((_, reject) => {
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener("abort", () => reject(signal.reason));
      });
      return Promise.race([serve(upstream, request), aborted]);
    };

  return {
    tell: (next) => {
      replies = next;
      asked = {};
    },
    hurry: (value) => {
      ends = value;
    },
    seen: () => {
      const all = { seen, calls };
      seen = [];
      calls = {};
      return all;
    },
    settled: async () => {
      const all = underWay;
      underWay = [];
      await Promise.allSettled(all);
    },
    around: (parts, plan) => {
      // A part is not told which upstream it is; its configuration says so, since each has its own.
      const names = new Map(Object.entries(plan.upstreams).map(([name, it]) => [it.with, name]));
      const upstreams = Object.entries(parts.upstreams).map(([use, make]) => [
        use,
        (config: unknown, deps: Deps) => {
          const fetch = network(names.get(config) ?? use);
          const binding = bindings[names.get(config) ?? ""];
          const env = binding === undefined ? deps.env : { ...deps.env, [binding]: { fetch } };
          return make(config, { ...deps, fetch, env });
        },
      ]);
      const filters = withCopies(parts.filters, copying, { network, underWay: (work) => void underWay.push(work) });
      return { ...parts, filters, upstreams: Object.fromEntries(upstreams) };
    },
  };
};

const replied = async (
  reply: Reply | undefined,
  upstream: string,
  request: Request,
  clock: Clock,
): Promise<Response> => {
  if (reply === undefined)
    return request.headers.has("upgrade") ? switched({}) : Response.json({ upstream }, { status: 200 });
  if ("unreachable" in reply) throw new Error("connection refused");
  if (reply.afterMs > 0) await clock.sleep(reply.afterMs);
  const { status, headers, body } = reply;
  return status === 101 ? switched(headers) : new Response(body, { status, headers });
};

/** A WebSocket that says nothing. */
const switched = (headers: Readonly<Record<string, string>>): Response => {
  const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
  server.accept();
  return new Response(null, { status: 101, headers, webSocket: client });
};
