/** What a subject has to show before it is measured, so that nothing broken looks fast. */
import type { IncomingHttpHeaders } from "node:http";
import type { Caller } from "../workers/jobs.ts";
import { type Ask, answered, type Client, type Reply } from "./traffic.ts";

export interface Probe {
  readonly say: string;
  /** On top of the caller's own headers. */
  readonly ask: Ask;
  /** @param seen headers that the service saw last */
  readonly holds: (reply: Reply, seen: IncomingHttpHeaders) => boolean;
}

/** @throws where a probe does not hold */
export const prove = async (
  probes: readonly Probe[],
  client: Client,
  headers: Caller["headers"],
  seen: () => IncomingHttpHeaders,
): Promise<void> => {
  for (const { say, ask, holds } of probes) {
    const reply = await client.ask({ ...ask, headers: { ...headers, ...ask.headers } });
    if (!holds(reply, seen()))
      throw new Error(
        `it does not do its work: ${say}; it answered ${reply.status} ${JSON.stringify(reply.headers)} ${reply.body}, and the service saw ${JSON.stringify(seen())}`,
      );
  }
};

export const passes: Probe = {
  say: "the service's answer comes back",
  ask: {},
  holds: ({ status, body }) => status === 200 && body === answered,
};

export const copies: Probe = {
  say: "both messages carry an edit",
  ask: {},
  holds: ({ headers }, seen) => headers["x-gateway"] === "1" && seen["x-gateway"] === "1",
};

export const refuses = (what: string, ask: Ask, expected: number): Probe => ({
  say: `${what} is refused with ${expected}`,
  ask,
  holds: ({ status }) => status === expected,
});

export const runsAllFive = ({ jobs, customer, forgedToken }: Caller): readonly Probe[] => [
  passes,
  {
    say: "the page's origin may read the response, and no other",
    ask: {},
    holds: ({ headers }) =>
      headers["access-control-allow-origin"] === jobs.origin &&
      headers["access-control-expose-headers"] === jobs.exposed &&
      headers.vary?.toLowerCase() === "origin",
  },
  {
    say: "another origin may not read the response",
    ask: { headers: { origin: "https://elsewhere.example" } },
    holds: ({ status, headers }) => status === 200 && headers["access-control-allow-origin"] === undefined,
  },
  {
    say: "the service sees the customer, and neither token nor cookie",
    ask: {},
    holds: (_, seen) =>
      seen[jobs.customerHeader] === customer && jobs.removedFromRequest.every((name) => seen[name] === undefined),
  },
  {
    say: "headers of the response are set and removed",
    ask: {},
    holds: ({ headers }) =>
      headers[jobs.setInResponse[0]] === jobs.setInResponse[1] && headers[jobs.removedFromResponse] === undefined,
  },
  refuses("a request without a token", { headers: { authorization: "" } }, 401),
  refuses("a forged token", { headers: { authorization: `Bearer ${forgedToken}` } }, 401),
  {
    say: "the customer is told what is left of the limit",
    ask: {},
    holds: ({ headers }) => {
      const left = Number(/r=(\d+)/.exec(String(headers.ratelimit))?.[1]);
      return left > 0 && left < jobs.requestsAnHour - 1;
    },
  },
];
