/** Measures the time of each filter in the runtime, and the time to link a gate. */
import { createHmac, randomUUID } from "node:crypto";
import path from "node:path";
import { createSignature } from "http-message-sig";
import { filters } from "../../../functions/filters/registry.gen.ts";
import { scratchFolder } from "../runtime/scratch.ts";
import { bundleWorker, writeWorkerdConfig } from "../runtime/workerd.ts";
import { startWorkerd } from "../runtime/workerd-process.ts";
import { planOf } from "../subjects/gates.ts";
import type { FilterBenchInput, Probe } from "../workers/filter-pieces.ts";
import type { Caller } from "../workers/jobs.ts";

export interface FilterCost {
  readonly name: string;
  /** Nanoseconds of one call, median of the rounds. */
  readonly ns: number;
}

const rounds = 5;
/** Fresh tokens of each round. */
const freshTokensPerRound = 200;

export const measureFilters = async (caller: Caller): Promise<readonly FilterCost[]> => {
  const input = await inputFor(caller);
  const worker = await bundleWorker(
    `import given from "./given.js";
import { piecesOf } from "./filter-pieces.ts";
let pieces;
export default {
  fetch: async (request) => {
    pieces ??= piecesOf(given);
    const [, piece, times] = new URL(request.url).pathname.split("/");
    return new Response(String(await pieces[decodeURIComponent(piece)](Number(times))));
  },
};`,
    { "given.js": `export default ${JSON.stringify(input)};` },
  );
  const runtime = await startWorkerd(writeWorkerdConfig(path.join(scratchFolder(), "filters"), [worker]));
  const measurePiece = async (piece: string, times: number): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${runtime.port}/${encodeURIComponent(piece)}/${times}`);
    const text = await response.text();
    if (!response.ok || !/^\d+$/.test(text)) throw new Error(`${piece}: ${text.slice(0, 200)}`);
    return (Number(text) / times) * 1e6;
  };
  try {
    const medianOf = async (piece: string, times: number): Promise<number> => {
      // A warm-up for the JIT.
      await measurePiece(piece, times);
      const samples: number[] = [];
      for (let round = 0; round < rounds; round++) samples.push(await measurePiece(piece, times));
      return samples.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
    };
    const nothing = await medianOf("nothing", timesOf("nothing"));
    const all: FilterCost[] = [];
    for (const name of Object.keys(input.probes))
      all.push({ name, ns: Math.max(0, (await medianOf(name, timesOf(name))) - nothing) });
    all.push({ name: "link of a gate with five filters", ns: await medianOf("link", 500) });
    return all.toSorted((a, b) => a.ns - b.ns);
  } finally {
    runtime.stop();
  }
};

const timesOf = (name: string): number =>
  name === freshTokenName ? freshTokensPerRound : name === "signature" || name === "api-key" ? 2000 : 50_000;

const freshTokenName = "jwt, a new token each time";
const secret = "a key for signatures of the bench";

const inputFor = async ({ jobs, headers, freshTokens }: Caller): Promise<FilterBenchInput> => {
  const plain: Readonly<Record<string, object>> = {
    cors: { origins: [jobs.origin] },
    csrf: { origins: [jobs.origin] },
    ip: { allow: ["10.0.0.0/8"], deny: ["10.6.6.6"] },
    headers: { request: { set: { "x-customer": "{path.id}" }, remove: ["cookie"] }, response: { set: { "x-a": "b" } } },
    rewrite: { "strip-prefix": "/v1", query: { set: { account: "{path.id}" } } },
    "body-limit": { max: "16KiB" },
    "secure-headers": {},
    timeout: { after: "2s" },
    "rate-limit": { limit: "900000000/day", by: "ip", count: "local" },
    "api-key": {},
  };
  const probe = (use: string, config: object, some: Probe["headers"] = [headers]): Probe => ({
    use,
    config: filters[use]?.spec().schema.parse(config),
    headers: some,
  });
  const jwt = { issuer: jobs.issuer, audience: jobs.audience, algorithms: [jobs.algorithm], keys: [jobs.key] };
  const tokens = await freshTokens(freshTokensPerRound * (rounds + 1));
  return {
    probes: {
      ...Object.fromEntries(
        Object.entries(plain).map(([use, config]) => [use, probe(use, config, [withKey(headers)])]),
      ),
      "jwt, a token that is known": probe("jwt", jwt),
      [freshTokenName]: probe(
        "jwt",
        jwt,
        tokens.map((token) => ({ ...headers, authorization: `Bearer ${token}` })),
      ),
      signature: probe("signature", { keys: { shop: { secret: "KEY", consumer: "shop" } } }, [
        await signedHeaders(headers),
      ]),
    },
    env: { KEY: secret },
    plan: await planOf(path.join(scratchFolder(), "plan"), "http://localhost", { jobs }),
  };
};

const withKey = (headers: Readonly<Record<string, string>>) => ({ ...headers, "x-api-key": "demo" });

const signedHeaders = async (headers: Readonly<Record<string, string>>) => {
  const { signature, signatureInput } = await createSignature(new Request("https://gate.example/v1/users/7/orders"), {
    label: "postern",
    components: ["@method", "@authority", "@path", "@query"],
    parameters: { created: Math.floor(Date.now() / 1000), keyid: "shop", nonce: randomUUID() },
    signer: { algorithm: "hmac-sha256", sign: (base) => createHmac("sha256", secret).update(base).digest() },
  });
  return { ...headers, "signature-input": signatureInput, signature };
};
