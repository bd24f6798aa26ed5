/** Handles requests of gates: version 1 of the protocol. */
import { hashPosition } from "../gateway/core/pipeline.ts";
import type { StateProps } from "../gateway/core/ports/state.ts";
import { type Counters, ShardFull } from "./counters.ts";

/** Requests hold a few keys and numbers. */
const maxRequestLength = 8192;

/** The object of a request. The tier comes from the binding, so no tier can reach another's objects. */
export const objectNameOf = (url: URL, { tier, shards }: StateProps): string =>
  `${tier}/${Math.floor(hashPosition(url.searchParams.get("key") ?? "") * shards)}`;

/** @param now milliseconds since the epoch */
export const handleRequest = async (request: Request, counters: Counters, now: () => number): Promise<Response> => {
  const { pathname } = new URL(request.url);
  const operation = operations[pathname];
  if (!operation)
    return textResponse(404, `there is no ${pathname}; this state speaks ${Object.keys(operations).join(", ")}`);
  const text = await request.text();
  if (text.length > maxRequestLength) return textResponse(413, `a question has ${maxRequestLength} characters at most`);
  try {
    return Response.json(operation(JSON.parse(text), counters, now()));
  } catch (error) {
    if (error instanceof ShardFull) return textResponse(507, error.message);
    if (error instanceof SyntaxError || error instanceof TypeError) return textResponse(400, error.message);
    throw error;
  }
};

const textResponse = (status: number, text: string): Response => new Response(text, { status });

type Operation = (body: Record<string, unknown>, counters: Counters, now: number) => object;

const operations: Readonly<Record<string, Operation>> = {
  "/v1/run": ({ sha, keys, args }, counters, now) => {
    if (typeof sha !== "string" || !areTexts(keys) || !areNumbers(args))
      throw new TypeError("a script call is { sha, keys: texts, args: numbers }");
    const reply = counters.run({ sha, keys, args }, now);
    return reply ? { reply } : {};
  },
  "/v1/once": ({ key, forMs }, counters, now) => {
    if (typeof key !== "string" || typeof forMs !== "number" || !Number.isFinite(forMs))
      throw new TypeError("a nonce call is { key, forMs }");
    return { first: counters.once(key, forMs, now) };
  },
};

const areTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((it) => typeof it === "string");

const areNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isFinite);
