/** Probes that a subject must pass before it is measured, so that a broken one does not look fast. */
import type { IncomingHttpHeaders } from "node:http";
import type { Caller } from "../workers/jobs.ts";
import { type BenchClient, type BenchReply, type BenchRequest, expectedBody } from "./traffic.ts";

export interface Probe {
  readonly claim: string;
  /** Added to the client's own headers. */
  readonly request: BenchRequest;
  /** @param seen headers that the service received last */
  readonly holds: (reply: BenchReply, seen: IncomingHttpHeaders) => boolean;
}

/** @throws where a probe fails */
export const checkProbes = async (
  probes: readonly Probe[],
  client: BenchClient,
  headers: Caller["headers"],
  seen: () => IncomingHttpHeaders,
): Promise<void> => {
  for (const { claim, request, holds } of probes) {
    const reply = await client.request({ ...request, headers: { ...headers, ...request.headers } });
    if (!holds(reply, seen()))
      throw new Error(
        `it does not do its work: ${claim}; it answered ${reply.status} ${JSON.stringify(reply.headers)} ${reply.body}, and the service saw ${JSON.stringify(seen())}`,
      );
  }
};

export const passesThrough: Probe = {
  claim: "the service's answer comes back",
  request: {},
  holds: ({ status, body }) => status === 200 && body === expectedBody,
};

export const editsMessages: Probe = {
  claim: "both messages carry an edit",
  request: {},
  holds: ({ headers }, seen) => headers["x-gateway"] === "1" && seen["x-gateway"] === "1",
};

export const refusesWith = (what: string, request: BenchRequest, expected: number): Probe => ({
  claim: `${what} is refused with ${expected}`,
  request,
  holds: ({ status }) => status === expected,
});

export const doesAllFiveJobs = ({ jobs, customer, forgedToken }: Caller): readonly Probe[] => [
  passesThrough,
  {
    claim: "the page's origin may read the response, and no other",
    request: {},
    holds: ({ headers }) =>
      headers["access-control-allow-origin"] === jobs.origin &&
      headers["access-control-expose-headers"] === jobs.exposed &&
      headers.vary?.toLowerCase() === "origin",
  },
  {
    claim: "another origin may not read the response",
    request: { headers: { origin: "https://elsewhere.example" } },
    holds: ({ status, headers }) => status === 200 && headers["access-control-allow-origin"] === undefined,
  },
  {
    claim: "the service sees the customer, and neither token nor cookie",
    request: {},
    holds: (_, seen) =>
      seen[jobs.customerHeader] === customer && jobs.removedFromRequest.every((name) => seen[name] === undefined),
  },
  {
    claim: "headers of the response are set and removed",
    request: {},
    holds: ({ headers }) =>
      headers[jobs.setInResponse[0]] === jobs.setInResponse[1] && headers[jobs.removedFromResponse] === undefined,
  },
  refusesWith("a request without a token", { headers: { authorization: "" } }, 401),
  refusesWith("a forged token", { headers: { authorization: `Bearer ${forgedToken}` } }, 401),
  {
    claim: "the customer receives what is left of the limit",
    request: {},
    holds: ({ headers }) => {
      const left = Number(/r=(\d+)/.exec(String(headers.ratelimit))?.[1]);
      return left > 0 && left < jobs.requestsAnHour - 1;
    },
  },
];
