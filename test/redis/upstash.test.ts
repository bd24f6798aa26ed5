/** Rate limits in a real Redis, through a gate in workerd. */
import { Ratelimit } from "@upstash/ratelimit/dist/index.mjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runScript } from "../../functions/gateway/limits/algorithms.ts";
import { manifest, runProject, runService } from "../e2e/project.ts";
import { type Bridge, startBridge } from "./bridge.ts";

let bridge: Bridge;
beforeAll(async () => {
  bridge = await startBridge();
});
afterAll(() => bridge.stop());

const limited = (tier: string, settings: string, upstream: string) => ({
  [`routes/${tier}.yaml`]: manifest(
    tier,
    `filters: [{ rate-limit: { by: tier, ${settings} } }]
upstreams: { it: { http: "${upstream}" } }
routes: { all: { match: "ANY /{rest*}", to: it } }
`,
  ),
});

const count = async (url: string, requests: number) => {
  const all = await Promise.all(Array.from({ length: requests }, () => fetch(url).then(({ status }) => status)));
  return Object.fromEntries([...Map.groupBy(all, String)].map(([status, them]) => [status, them.length]));
};

const stored = () => `store: { upstash: "${bridge.url}", token: { secret: REDIS_TOKEN } }`;

describe.each(["fixed-window", "sliding-window", "token-bucket"])("%s", (algorithm) => {
  it("admits exactly the limit of 200 clients at once", async () => {
    const upstream = await runService((_, response) => response.end("ok"));
    const files = limited(
      `exact-${algorithm}`,
      `limit: 60/day, algorithm: ${algorithm}, count: exact, timeout: 20s, ${stored()}`,
      upstream.url,
    );
    const { url, lines } = await runProject(files, { secrets: { REDIS_TOKEN: bridge.token } });
    expect(await count(`${url}/exact-${algorithm}/x`, 200)).toEqual({ 200: 60, 429: 140 });
    expect(lines.filter((line) => line.includes("degraded"))).toEqual([]);
    expect(lines.join()).not.toContain(bridge.token);
  });

  it("leased admits no more than the limit either, and asks less often", async () => {
    const upstream = await runService((_, response) => response.end("ok"));
    const files = limited(
      `leased-${algorithm}`,
      `limit: 100/day, algorithm: ${algorithm}, share: 10%, hold: 1h, timeout: 20s, ${stored()}`,
      upstream.url,
    );
    const { url } = await runProject(files, { secrets: { REDIS_TOKEN: bridge.token } });
    const before = bridge.commands.length;
    const answers: number[] = [];
    for (let index = 0; index < 130; index++) answers.push((await fetch(`${url}/leased-${algorithm}/x`)).status);
    const admitted = answers.filter((status) => status === 200).length;
    expect(admitted).toBeLessThanOrEqual(100);
    expect(admitted).toBeGreaterThanOrEqual(90);
    expect(bridge.commands.length - before).toBeLessThan(60);
  });
});

it("a wrong token is a store that fails: the isolate counts, and the line says so", async () => {
  const upstream = await runService((_, response) => response.end("ok"));
  const files = limited("wrong", `limit: 3/day, count: exact, ${stored()}`, upstream.url);
  const { url, lines } = await runProject(files, { secrets: { REDIS_TOKEN: "wrong-token-value" } });
  const all: number[] = [];
  for (let index = 0; index < 5; index++) all.push((await fetch(`${url}/wrong/x`)).status);
  expect(all).toEqual([200, 200, 200, 429, 429]);
  expect(lines.filter((line) => line.includes("WRONGPASS")).length).toBeGreaterThan(0);
  expect(lines.join()).not.toContain("wrong-token-value");
});

it("the native scripts count as Redis does, over random weights", async () => {
  const token = bridge.token;
  const command = async (...parts: unknown[]) => {
    const response = await fetch(bridge.url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(parts),
    });
    const { result, error } = (await response.json()) as { result?: unknown; error?: string };
    if (error) throw new Error(error);
    return result;
  };
  const cells = new Map<string, { value: string; ends: number | null }>();
  const both = {
    evalsha: async (sha: string, keys: string[], args: unknown[]) =>
      command("EVALSHA", sha, keys.length, ...keys, ...args),
    eval: async (script: string, keys: string[], args: unknown[]) =>
      command("EVAL", script, keys.length, ...keys, ...args),
  };
  let compared = 0;
  const redis = {
    evalsha: async (sha: string, keys: string[], args: unknown[]) => {
      const theirs = await both.evalsha(sha, keys, args).catch((error: Error) => error);
      if (theirs instanceof Error) throw theirs;
      const ours = runScript(
        { get: (key) => cells.get(key), put: (key, cell) => void cells.set(key, cell) },
        { sha, keys, args: args.map(Number) },
        Date.now(),
      );
      expect(ours).toEqual(theirs);
      compared++;
      return theirs;
    },
    eval: both.eval,
  };
  let seed = 42;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  for (const [name, limiter] of Object.entries({
    fixed: Ratelimit.fixedWindow(40, "1 d"),
    sliding: Ratelimit.slidingWindow(40, "1 d"),
    bucket: Ratelimit.tokenBucket(7, "1 d", 40),
  })) {
    const library = new Ratelimit({
      redis: redis as never,
      limiter,
      prefix: `differential-${name}`,
      timeout: 0,
      ephemeralCache: false,
    });
    // The first call teaches Redis the script, and is not compared; its count is, from then on.
    await library.limit("warm-up");
    for (let index = 0; index < 60; index++) await library.limit(`k${next(3)}`, { rate: next(6) - 1 || 1 });
  }
  expect(compared).toBeGreaterThanOrEqual(180);
});
