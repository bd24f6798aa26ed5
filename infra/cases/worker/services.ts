/** Fake services behind the gate: they record requests and reply as the case says. */

import type { Plan } from "../../../functions/gateway/core/plan.ts";
import type { Deps } from "../../../functions/gateway/core/types.ts";
import type { Parts } from "../../../functions/gateway/part.ts";
import { withCopies } from "../../explain/copies.ts";
import type { Reply, Step, UpstreamCall } from "../input/batch.ts";
import type { Clock } from "./clock.ts";

/** Recorded calls of one send; further ones are only counted. */
const maxSeen = 20;
const maxBodyLength = 64 * 1024;

export interface FakeServices {
  /** Sets the replies of upstreams. */
  readonly setReplies: (replies: Step["replies"]) => void;
  /** Sets whether request bodies end. The clock must not wait for one that does not. */
  readonly setBodiesEnd: (bodiesEnd: boolean) => void;
  /** Returns and resets the recorded calls. */
  readonly seen: () => { readonly seen: UpstreamCall[]; readonly calls: Record<string, number> };
  /** Resolves when all mirrored requests have settled. */
  readonly settled: () => Promise<unknown>;
  /** Returns the parts with fake networks for upstreams and mirrors. */
  readonly withUpstreams: (parts: Parts, plan: Plan) => Parts;
}

/** Replies of the upstream to a request. */
type Serve = (upstream: string, request: Request) => Promise<Response>;

/**
 * @param bindings of upstreams that are other Workers
 * @param copyingFilters kinds of filters that send copies to a service of their own
 */
export const createServices = (
  clock: Clock,
  bindings: Readonly<Record<string, string>>,
  copyingFilters: readonly string[],
): FakeServices => {
  let pending: Promise<unknown>[] = [];
  let replies: Step["replies"] = {};
  let replyIndex: Record<string, number> = {};
  let seen: UpstreamCall[] = [];
  let calls: Record<string, number> = {};
  let bodiesEnd = true;

  const serve: Serve = async (upstream, request) => {
    const url = new URL(request.url);
    // Reads the whole body before replying, as a storing service does.
    const read = request.text();
    const body = (await (bodiesEnd ? clock.track(read) : read)).slice(0, maxBodyLength);
    calls[upstream] = (calls[upstream] ?? 0) + 1;
    if (seen.length < maxSeen)
      seen.push({
        upstream,
        method: request.method,
        target: url.pathname + url.search,
        headers: Object.fromEntries(request.headers),
        body,
      });
    const replyList = replies[upstream] ?? [];
    const index = replyIndex[upstream] ?? 0;
    replyIndex[upstream] = index + 1;
    return respond(replyList[Math.min(index, replyList.length - 1)], upstream, request, clock);
  };

  return {
    setReplies: (next) => {
      replies = next;
      replyIndex = {};
    },
    setBodiesEnd: (value) => {
      bodiesEnd = value;
    },
    seen: () => {
      const all = { seen, calls };
      seen = [];
      calls = {};
      return all;
    },
    settled: async () => {
      const all = pending;
      pending = [];
      await Promise.allSettled(all);
    },
    withUpstreams: (parts, plan) => {
      const network = (upstream: string) => networkOf(serve, upstream);
      const upstreams = fakeUpstreams(parts, plan, bindings, network);
      const filters = withCopies(parts.filters, copyingFilters, { network, onCopy: (work) => void pending.push(work) });
      return { ...parts, filters, upstreams };
    },
  };
};

/** A network that reaches one upstream, whatever the URL. */
const networkOf =
  (serve: Serve, upstream: string): Deps["fetch"] =>
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

const fakeUpstreams = (
  parts: Parts,
  plan: Plan,
  bindings: Readonly<Record<string, string>>,
  network: (upstream: string) => Deps["fetch"],
): Parts["upstreams"] => {
  // A part does not know its upstream's name; its configuration object identifies it.
  const names = new Map(Object.entries(plan.upstreams).map(([name, it]) => [it.with, name]));
  return Object.fromEntries(
    Object.entries(parts.upstreams).map(([use, make]) => [
      use,
      (config: unknown, deps: Deps) => {
        const fetch = network(names.get(config) ?? use);
        const binding = bindings[names.get(config) ?? ""];
        const env = binding === undefined ? deps.env : { ...deps.env, [binding]: { fetch } };
        return make(config, { ...deps, fetch, env });
      },
    ]),
  );
};

const respond = async (
  reply: Reply | undefined,
  upstream: string,
  request: Request,
  clock: Clock,
): Promise<Response> => {
  if (reply === undefined)
    return request.headers.has("upgrade") ? switchProtocols({}) : Response.json({ upstream }, { status: 200 });
  if ("unreachable" in reply) throw new Error("connection refused");
  if (reply.afterMs > 0) await clock.sleep(reply.afterMs);
  const { status, headers, body } = reply;
  return status === 101 ? switchProtocols(headers) : new Response(body, { status, headers });
};

/** An accepted WebSocket that stays silent. */
const switchProtocols = (headers: Readonly<Record<string, string>>): Response => {
  const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
  server.accept();
  return new Response(null, { status: 101, headers, webSocket: client });
};
