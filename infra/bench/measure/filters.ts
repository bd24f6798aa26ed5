/** What each filter takes of a request in the runtime, and what a gate takes to be linked, by the clock. */
import { createHmac, randomUUID } from "node:crypto";
import path from "node:path";
import { createSignature } from "http-message-sig";
import { filters } from "../../../functions/filters/registry.gen.ts";
import { startPlain } from "../runtime/workerd-process.ts";
import { scratch } from "../runtime/scratch.ts";
import { bundled, layOut } from "../runtime/workerd.ts";
import { planOf } from "../subjects/gates.ts";
import type { Given, Probe } from "../workers/filter-pieces.ts";
import type { Caller } from "../workers/jobs.ts";

export interface Piece {
  readonly name: string;
  /** One time, in nanoseconds, in the median of some rounds. */
  readonly ns: number;
}

const rounds = 5;
/** Tokens that nobody has seen yet: so many in each round. */
const fresh = 200;

export const filtersOf = async (caller: Caller): Promise<readonly Piece[]> => {
  const given = await givenFor(caller);
  const worker = await bundled(
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
    { "given.js": `export default ${JSON.stringify(given)};` },
  );
  const runtime = await startPlain(layOut(path.join(scratch(), "filters"), [worker]));
  const ask = async (piece: string, times: number): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${runtime.port}/${encodeURIComponent(piece)}/${times}`);
    const text = await response.text();
    if (!response.ok || !/^\d+$/.test(text)) throw new Error(`${piece}: ${text.slice(0, 200)}`);
    return (Number(text) / times) * 1e6;
  };
  try {
    const eachOf = async (piece: string, times: number): Promise<number> => {
      // So that the JIT settles.
      await ask(piece, times);
      const told: number[] = [];
      for (let round = 0; round < rounds; round++) told.push(await ask(piece, times));
      return told.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
    };
    const nothing = await eachOf("nothing", timesOf("nothing"));
    const all: Piece[] = [];
    for (const name of Object.keys(given.probes))
      all.push({ name, ns: Math.max(0, (await eachOf(name, timesOf(name))) - nothing) });
    all.push({ name: "link of a gate with five filters", ns: await eachOf("link", 500) });
    return all.toSorted((a, b) => a.ns - b.ns);
  } finally {
    runtime.stop();
  }
};

const timesOf = (name: string): number =>
  name === freshToken ? fresh : name === "signature" || name === "api-key" ? 2000 : 50_000;

const freshToken = "jwt, a new token each time";
const secret = "a key for signatures of the bench";

const givenFor = async ({ jobs, headers, freshTokens }: Caller): Promise<Given> => {
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
  const tokens = await freshTokens(fresh * (rounds + 1));
  return {
    probes: {
      ...Object.fromEntries(
        Object.entries(plain).map(([use, config]) => [use, probe(use, config, [withKey(headers)])]),
      ),
      "jwt, a token that is known": probe("jwt", jwt),
      [freshToken]: probe(
        "jwt",
        jwt,
        tokens.map((token) => ({ ...headers, authorization: `Bearer ${token}` })),
      ),
      signature: probe("signature", { keys: { shop: { secret: "KEY", consumer: "shop" } } }, [await signed(headers)]),
    },
    env: { KEY: secret },
    plan: await planOf(path.join(scratch(), "plan"), "http://localhost", { jobs }),
  };
};

const withKey = (headers: Readonly<Record<string, string>>) => ({ ...headers, "x-api-key": "demo" });

const signed = async (headers: Readonly<Record<string, string>>) => {
  const { signature, signatureInput } = await createSignature(new Request("https://gate.example/v1/users/7/orders"), {
    label: "postern",
    components: ["@method", "@authority", "@path", "@query"],
    parameters: { created: Math.floor(Date.now() / 1000), keyid: "shop", nonce: randomUUID() },
    signer: { algorithm: "hmac-sha256", sign: (base) => createHmac("sha256", secret).update(base).digest() },
  });
  return { ...headers, "signature-input": signatureInput, signature };
};
