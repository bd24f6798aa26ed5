/** The filter `signature`: signed requests, modified requests, replays and failures. */
import fc from "fast-check";
import { type ComponentDescriptor, createSignature } from "http-message-sig";
import { describe, expect, it } from "vitest";
import { make as bodyLimit } from "../../../functions/filters/body-limit.ts";
import { make, spec } from "../../../functions/filters/signature.ts";
import type { State } from "../../../functions/gateway/core/ports/state.ts";
import { fakeDeps, type GateOptions, gateHarness, stateOf } from "../gate-harness.ts";

const secrets = { SHOP_KEY: "a-key-of-the-coffee-shop-1", SHOP_KEY_NEXT: "a-key-of-the-coffee-shop-2" };
const keys = {
  "shop-1": { secret: "SHOP_KEY", consumer: "coffee-shop" },
  "shop-2": { secret: "SHOP_KEY_NEXT", consumer: "coffee-shop" },
};
const now = Date.UTC(2026, 10, 1) / 1000;

const gate = (more = {}, setting: GateOptions = {}, state: State = stateOf()) => {
  const config = spec().schema.parse({ keys, ...more });
  return gateHarness(
    { "body-limit": () => bodyLimit({ max: "1KiB" }), signature: (deps) => make(config, deps) },
    { fakeDeps: fakeDeps({ env: secrets, state }), ...setting },
  );
};

type SignatureComponent = string | ComponentDescriptor;

interface SignedRequest {
  readonly method?: string;
  readonly url?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly components?: readonly SignatureComponent[];
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly secret?: string;
  readonly algorithm?: string;
}

const sha256 = async (text: string) => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha-256=:${btoa(String.fromCharCode(...new Uint8Array(digest)))}:`;
};

let nonces = 0;

/** A request signed by the library as a client does. */
const signed = async ({
  method = "POST",
  url = "/pay?a=1&b=2",
  body,
  headers = {},
  parameters = {},
  ...input
}: SignedRequest = {}) => {
  const all: Record<string, string> = {
    ...headers,
    ...(body !== undefined && { "content-digest": await sha256(body) }),
  };
  const components = input.components ?? [
    "@method",
    "@authority",
    "@path",
    "@query",
    ...(body === undefined ? [] : ["content-digest"]),
  ];
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(input.secret ?? secrets.SHOP_KEY),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const request = new Request(`https://gate.example${url}`, {
    method,
    headers: all,
    ...(body !== undefined && { body }),
  });
  const fields = await createSignature(request, {
    label: "sig",
    components,
    parameters: { created: now, keyid: "shop-1", nonce: `nonce-${++nonces}`, ...parameters },
    signer: {
      algorithm: input.algorithm ?? "hmac-sha256",
      sign: async (data) => new Uint8Array(await crypto.subtle.sign("HMAC", key, data as BufferSource)),
    },
  });
  const init = {
    headers: { ...all, signature: fields.signature, "signature-input": fields.signatureInput },
    ...(body !== undefined && { body }),
  };
  return { line: `${method} ${url}`, init };
};

const invalid = { status: 401, code: "signature-invalid", upstream: [] };

describe("a signed request", () => {
  it("is accepted and sets the consumer, and the service gets the whole body", async () => {
    const { line, init } = await signed({ body: '{"amount":12}' });
    const received = await gate().send(line, init);
    expect(received).toMatchObject({ status: 200, line: { consumer: "coffee-shop" } });
    expect(received.upstream[0]?.body).toBe('{"amount":12}');
  });

  it.each(["GET", "DELETE", "POST"])("is accepted without a body: %s", async (method) => {
    const { line, init } = await signed({ method });
    expect((await gate().send(line, init)).status).toBe(200);
  });

  it("is accepted once", async () => {
    const { send } = gate();
    const { line, init } = await signed({ body: "x" });
    expect((await send(line, init)).status).toBe(200);
    for (let tries = 0; tries < 3; tries++)
      expect(await send(line, init)).toMatchObject({ status: 401, code: "signature-replayed", upstream: [] });
  });

  it("is accepted once of a hundred at once, on any isolate", async () => {
    const state = stateOf();
    const isolates = Array.from({ length: 8 }, () => gate({}, {}, state).send);
    const { line, init } = await signed();
    const all = await Promise.all(Array.from({ length: 100 }, (_, index) => isolates[index % 8]?.(line, init)));
    expect(all.filter((it) => it?.status === 200)).toHaveLength(1);
  });

  it("keeps nonces of different keys separate", async () => {
    const { send } = gate();
    const first = await signed({ parameters: { nonce: "same" } });
    const other = await signed({ parameters: { nonce: "same", keyid: "shop-2" }, secret: secrets.SHOP_KEY_NEXT });
    expect((await send(first.line, first.init)).status).toBe(200);
    expect((await send(other.line, other.init)).status).toBe(200);
  });

  it("covers the headers that the manifest names", async () => {
    const { send } = gate({ covers: ["content-type"] });
    const headers = { "content-type": "text/plain" };
    const without = await signed({ headers });
    expect(await send(without.line, without.init)).toMatchObject(invalid);
    const { line, init } = await signed({
      headers,
      components: ["@method", "@authority", "@path", "@query", "content-type"],
    });
    expect((await send(line, init)).status).toBe(200);
  });
});

describe("refuses a modified request", () => {
  const changes: Readonly<
    Record<string, (request: Awaited<ReturnType<typeof signed>>) => { line: string; init: RequestInit }>
  > = {
    method: ({ init }) => ({ line: "PUT /pay?a=1&b=2", init }),
    path: ({ init }) => ({ line: "POST /pay/all?a=1&b=2", init }),
    query: ({ init }) => ({ line: "POST /pay?a=1&b=3", init }),
    "order of the query": ({ init }) => ({ line: "POST /pay?b=2&a=1", init }),
    "a query that was dropped": ({ init }) => ({ line: "POST /pay", init }),
    host: ({ init }) => ({ line: "POST https://other.example/pay?a=1&b=2", init }),
    body: ({ line, init }) => ({ line, init: { ...init, body: '{"amount":99}' } }),
    "a body that was dropped": ({ line, init: { headers } }) => ({ line, init: { headers } }),
    "a digest that fits another body": ({ line, init }) => ({
      line,
      init: { headers: { ...init.headers, "content-digest": "sha-256=:AAAA:" }, body: "x" },
    }),
    "the digest's field": ({ line, init: { headers, body } }) => ({
      line,
      init: { headers: { ...headers, "content-digest": "x".repeat(5000) }, ...(body && { body }) },
    }),
    "one byte of the signature": ({ line, init }) => {
      const { signature } = init.headers;
      const flipped = signature.replace(/:(.)/, (_, first: string) => `:${first === "A" ? "B" : "A"}`);
      return { line, init: { ...init, headers: { ...init.headers, signature: flipped } } };
    },
    "its age": ({ line, init }) => ({
      line,
      init: {
        ...init,
        headers: {
          ...init.headers,
          "signature-input": init.headers["signature-input"].replace(String(now), String(now + 1)),
        },
      },
    }),
    nonce: ({ line, init }) => ({
      line,
      init: {
        ...init,
        headers: { ...init.headers, "signature-input": init.headers["signature-input"].replace("nonce-", "nance-") },
      },
    }),
  };
  it.each(Object.entries(changes))("%s", async (_, change) => {
    const { line, init } = change(await signed({ body: '{"amount":12}' }));
    const { send } = gate({}, { hosts: ["gate.example", "other.example"] });
    expect(await send(line, init)).toMatchObject(invalid);
  });
});

describe("refuses a signature that covers too little", () => {
  const all = ["@method", "@authority", "@path", "@query"];
  it.each(all)("%s not covered", async (left) => {
    const { line, init } = await signed({ components: all.filter((it) => it !== left) });
    expect(await gate().send(line, init)).toMatchObject(invalid);
  });

  it("a body not covered", async () => {
    const { line, init } = await signed({ body: "x", components: all });
    expect(await gate().send(line, init)).toMatchObject(invalid);
  });

  it.each(["created", "keyid", "nonce"])("without %s", async (parameter) => {
    const { line, init } = await signed({ parameters: { [parameter]: undefined } });
    expect(await gate().send(line, init)).toMatchObject(invalid);
  });

  it.each([
    ["a key that nobody has", { parameters: { keyid: "nobody" } }],
    ["a key's id with another key", { secret: "a-key-that-was-guessed" }],
    ["one consumer's id with another key", { parameters: { keyid: "shop-2" } }],
    ["another algorithm", { parameters: { alg: "rsa-pss-sha512" }, algorithm: "rsa-pss-sha512" }],
    ["a nonce of no length", { parameters: { nonce: "" } }],
    ["a nonce without end", { parameters: { nonce: "n".repeat(200) } }],
  ])("%s", async (_, input) => {
    const { line, init } = await signed(input as SignedRequest);
    expect(await gate().send(line, init)).toMatchObject(invalid);
  });

  it("a digest of which only a part is covered", async () => {
    const part = { name: "content-digest", parameters: { key: "sha-256" } };
    const { line, init } = await signed({ body: "x", components: [...all, part] });
    expect(await gate().send(line, init)).toMatchObject(invalid);
  });

  it("the decoy key for unknown ids verifies nothing", async () => {
    const { line, init } = await signed({ parameters: { keyid: "nobody" }, secret: "a key that nobody signs with" });
    expect(await gate().send(line, init)).toMatchObject(invalid);
  });

  it("tells a request without signature what to cover", async () => {
    const received = await gate({ covers: ["content-type"] }).send("GET /");
    expect(received).toMatchObject({ status: 401, code: "signature-missing", upstream: [] });
    expect(received.headers["accept-signature"]).toBe(
      'sig=("@method" "@authority" "@path" "@query" "content-type");created;nonce;keyid;alg="hmac-sha256"',
    );
  });

  it("refuses two signatures", async () => {
    const { line, init } = await signed();
    const twice = {
      ...init.headers,
      signature: `${init.headers.signature}, other=:AAAA:`,
      "signature-input": `${init.headers["signature-input"]}, other=("@method")`,
    };
    expect(await gate().send(line, { headers: twice })).toMatchObject(invalid);
  });
});

describe("time", () => {
  it.each([
    ["an hour old", -3600, "signature-stale"],
    ["just too old", -300, "signature-stale"],
    ["old, but not too old", -299, undefined],
    ["ahead by as much as clocks may be", 30, undefined],
    ["from the future", 31, "signature-stale"],
  ] as const)("%s", async (_, age, code) => {
    const { line, init } = await signed({ parameters: { created: now + age } });
    expect((await gate().send(line, init)).code).toBe(code);
  });

  it("respects the client's expires", async () => {
    const { line, init } = await signed({ parameters: { created: now - 10, expires: now - 5 } });
    expect((await gate().send(line, init)).code).toBe("signature-stale");
  });

  it("reveals nothing of the age of a wrong signature", async () => {
    const { line, init } = await signed({ parameters: { created: now - 3600 }, secret: "a-key-that-was-guessed" });
    expect(await gate().send(line, init)).toMatchObject(invalid);
  });

  it("remembers a nonce as long as its request could be replayed", async () => {
    const lifetimes: number[] = [];
    const state: State = { ...stateOf(), once: async (_, forMs) => lifetimes.push(forMs) > 0 };
    const { line, init } = await signed({ parameters: { created: now + 20 } });
    await gate({ window: "2m" }, {}, state).send(line, init);
    expect(lifetimes).toEqual([(20 + 120) * 1000]);
  });
});

describe("fails closed", () => {
  it.each([
    ["gone", () => Promise.reject(new Error("gone"))],
    ["lying", () => Promise.reject(new Error("state did not say whether it is the first time"))],
  ])("when state is %s", async (_, once) => {
    const { line, init } = await signed();
    const { send } = gate({}, {}, { ...stateOf(), once });
    expect(await send(line, init)).toMatchObject({
      status: 503,
      code: "replay-unchecked",
      upstream: [],
      line: { verdict: "failed", by: "signature" },
    });
  });

  it("when state is slow", async () => {
    const time = fakeDeps({ env: secrets, state: { ...stateOf(), once: () => new Promise(() => {}) } });
    const { line, init } = await signed();
    const answer = gate({}, { fakeDeps: time }).send(line, init);
    for (let turns = 0; turns < 20; turns++) await time.advance(100);
    expect((await answer).code).toBe("replay-unchecked");
  });

  it("and uses up no nonce without the key", async () => {
    const { send } = gate();
    const guessed = await signed({ parameters: { nonce: "precious" }, secret: "a-key-that-was-guessed" });
    expect(await send(guessed.line, guessed.init)).toMatchObject(invalid);
    const { line, init } = await signed({ parameters: { nonce: "precious" } });
    expect((await send(line, init)).status).toBe(200);
  });
});

describe("bodies", () => {
  it("above the limit are refused, announced or not", async () => {
    const { line, init } = await signed({ body: "x".repeat(1025) });
    expect(await gate().send(line, init)).toMatchObject({ status: 413, code: "body-too-large", upstream: [] });
    const { readable, writable } = new TransformStream();
    void new Blob(["x".repeat(1025)])
      .stream()
      .pipeTo(writable)
      .catch(() => {});
    expect(await gate().send(line, { ...init, body: readable })).toMatchObject({ status: 413, upstream: [] });
  });

  it("that break off are refused", async () => {
    const { line, init } = await signed({ body: "whole" });
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode("wh"));
        controller.error(new Error("reset"));
      },
    });
    expect(await gate().send(line, { ...init, body })).toMatchObject({
      status: 400,
      code: "body-incomplete",
      upstream: [],
    });
  });

  it("reach the service when the filter is shadowed", async () => {
    const received = await gate({}, { filters: { signature: { mode: "shadow" } } }).send("POST /pay", {
      body: "unsigned",
    });
    expect(received.status).toBe(200);
    const { line, init } = await signed({ body: "signed" });
    const other = await gate({}, { filters: { signature: { mode: "shadow" } } }).send(line, init);
    expect([other.status, other.upstream[0]?.body]).toEqual([200, "signed"]);
  });
});

it("rotates keys without refusing a request", async () => {
  const [{ "shop-1": old, "shop-2": next }] = [keys];
  const stages = [{ "shop-1": old }, { "shop-1": old, "shop-2": next }, { "shop-2": next }];
  const state = stateOf();
  const by = async (keyid: "shop-1" | "shop-2") =>
    signed({ parameters: { keyid }, secret: keyid === "shop-1" ? secrets.SHOP_KEY : secrets.SHOP_KEY_NEXT });
  const answers: number[] = [];
  for (const [index, stage] of stages.entries()) {
    const { send } = gate({ keys: stage }, {}, state);
    for (const keyid of index === 0
      ? (["shop-1"] as const)
      : index === 1
        ? (["shop-1", "shop-2"] as const)
        : (["shop-2"] as const)) {
      const { line, init } = await by(keyid);
      answers.push((await send(line, init)).status);
    }
  }
  expect(answers).toEqual([200, 200, 200, 200]);
  const { line, init } = await by("shop-1");
  expect(await gate({ keys: { "shop-2": next } }, {}, state).send(line, init)).toMatchObject(invalid);
});

it("is not linked with a guessable key, and does not reveal it", () => {
  const config = spec().schema.parse({ keys: { a: { secret: "SHOP_KEY", consumer: "x" } } });
  expect(() => make(config, fakeDeps({ env: { SHOP_KEY: "short" } }))).toThrow(
    /the secret SHOP_KEY is shorter than 16/,
  );
});

it("whatever the fields say, the answer is a refusal and comes at once", async () => {
  const { send } = gate();
  const piece = fc.oneof(
    fc.constantFrom(
      'sig=("@method")',
      ";created=1",
      ';keyid="shop-1"',
      ";nonce",
      '("@query-param";name="a")',
      "=:",
      ":AAAA:",
      ",",
      "(",
      ")",
      '"',
      "\\",
      ";",
      "sig",
    ),
    fc.string({ unit: fc.constantFrom(..."abc=:;,()\"'@ -0123456789".split("")), maxLength: 30 }),
  );
  const field = fc.array(piece, { maxLength: 80 }).map((pieces) => pieces.join(""));
  await fc.assert(
    fc.asyncProperty(field, field, field, async (signature, input, digest) => {
      const received = await send("POST /pay", {
        headers: { signature, "signature-input": input, "content-digest": digest },
        body: "x",
      });
      expect([received.status, received.upstream.length]).toEqual([401, 0]);
    }),
    { numRuns: Number(process.env.POSTERN_RUNS ?? 300), seed: 5 },
  );
});
