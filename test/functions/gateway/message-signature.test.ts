/** Requests to a signing upstream, verified by an independent library. */
import { verifySignature } from "http-message-sig";
import { describe, expect, it } from "vitest";
import { make as headers } from "../../../functions/filters/headers.ts";
import type { HeaderEdit } from "../../../functions/gateway/core/types.ts";
import { make } from "../../../functions/upstreams/http.ts";
import { caller, fakeDeps, gateHarness, type UpstreamRequest } from "../gate-harness.ts";

const key = "a-key-of-thirty-two-bytes-or-more";

/** A gate with a signing upstream and one filter with these edits. */
const signed = (edits: readonly HeaderEdit[] = []) =>
  gateHarness(
    {
      edits: () => (_, context) => {
        context.outbound.push(...edits);
        return undefined;
      },
    },
    {
      fakeDeps: fakeDeps({ env: { PAY_SIGNING_KEY: key } }),
      upstream: (_, deps) => make({ url: "https://service.example/base", sign: { secret: "PAY_SIGNING_KEY" } }, deps),
    },
  );

const verifier = async (secret: string) => {
  const raw = new TextEncoder().encode(secret);
  const mac = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  return {
    algorithm: "hmac-sha256",
    verify: (data: Uint8Array, signature: Uint8Array) => crypto.subtle.verify("HMAC", mac, signature, data),
  };
};

/**
 * The library's verdict.
 * @param secondsLater time of the verification, after the request
 */
const verify = async (received: UpstreamRequest | undefined, { secret = key, secondsLater = 0 } = {}) => {
  const { method = "", url = "" } = received ?? {};
  const { parameters } = await verifySignature(new Request(url, { method, headers: received?.headers ?? {} }), {
    label: "postern",
    policy: {
      algorithms: ["hmac-sha256"],
      requiredComponents: ["@method", "@path", "@query", "x-request-id"],
      requiredParameters: ["created", "keyid", "alg"],
      maxAge: 60,
      now: Date.UTC(2026, 10, 1) / 1000 + secondsLater,
    },
    resolveVerifier: () => verifier(secret),
  });
  return parameters;
};

const sent = async (line = "GET /payments/7?a=1&b=%20", init?: RequestInit, edits?: readonly HeaderEdit[]) => {
  const { upstream } = await signed(edits).send(line, init);
  return upstream[0];
};

describe("a service with the key", () => {
  it.each([
    "GET /payments/7?a=1&b=%20",
    "DELETE /payments/7",
    "GET /?",
    "GET /a%20b/%C3%A9/c?q=%2F",
    "GET https://gate.example",
  ])("can verify that %s came through the gate", async (line) => {
    expect(await verify(await sent(line))).toEqual({
      created: Date.UTC(2026, 10, 1) / 1000,
      keyid: "PAY_SIGNING_KEY",
      alg: "hmac-sha256",
    });
  });

  it("receives fields in the format of RFC 9421", async () => {
    const received = await sent();
    expect(received?.headers["signature-input"]).toBe(
      'postern=("@method" "@path" "@query" "x-request-id");created=1793491200;keyid="PAY_SIGNING_KEY";alg="hmac-sha256"',
    );
    expect(received?.headers.signature).toMatch(/^postern=:[A-Za-z0-9+/]{43}=:$/);
  });

  it("can verify a request with a streaming body", async () => {
    const received = await sent("POST /payments", { body: new Blob(["hello"]).stream() });
    await verify(received);
    expect(received?.body).toBe("hello");
  });

  it("can check the age of a call", async () => {
    await expect(verify(await sent(), { secondsLater: 61 })).rejects.toMatchObject({ code: "PolicyViolation" });
  });

  it("rejects a signature with another key", async () => {
    await expect(verify(await sent(), { secret: `${key}!` })).rejects.toMatchObject({ code: "VerificationFailed" });
  });

  it.each([
    ["method", { method: "DELETE" }],
    ["path", { url: "https://service.example/base/payments/8?a=1&b=%20" }],
    ["query", { url: "https://service.example/base/payments/7?a=2&b=%20" }],
    ["absence of a query", { url: "https://service.example/base/payments/7" }],
  ])("rejects a changed %s", async (_, change) => {
    const received = await sent();
    await verify(received);
    const changed = { ...(received as UpstreamRequest), ...change };
    await expect(verify(changed)).rejects.toMatchObject({ code: "VerificationFailed" });
  });

  it("rejects a changed request id", async () => {
    const received = (await sent()) as UpstreamRequest;
    const changed = { ...received, headers: { ...received.headers, "x-request-id": "another" } };
    await expect(verify(changed)).rejects.toMatchObject({ code: "VerificationFailed" });
  });
});

describe("the signature cannot be forged", () => {
  it("by a client: its headers are removed", async () => {
    const forged = {
      signature: "postern=:AAAA:",
      "signature-input": 'postern=("@method");created=1',
      Signature: "b=:AA==:",
    };
    const received = await sent("GET /", { headers: forged });
    await verify(received);
    expect(received?.headers["signature-input"]).not.toContain("created=1)");
    expect(received?.headers.signature).not.toMatch(/AAAA|b=/);
  });

  it.each<HeaderEdit>([
    ["set", "signature", "postern=:AAAA:"],
    ["append", "signature", "postern=:AAAA:"],
    ["set", "signature-input", 'postern=("@method");created=1'],
    ["delete", "signature"],
    ["delete", "signature-input"],
    ["delete", "x-request-id"],
  ])("by a filter: %s %s", async (...edit) => {
    const received = await sent("GET /", {}, [edit as unknown as HeaderEdit]);
    await verify(received);
    expect(received?.headers["x-request-id"]).toBe(caller.requestId);
  });

  it("signs the request id that a filter sets", async () => {
    const received = await sent("GET /", {}, [["set", "x-request-id", "order-7"]]);
    await verify(received);
    expect(received?.headers["x-request-id"]).toBe("order-7");
  });
});

it("is not linked without a key, and an unsigned service gets the client's own fields", async () => {
  const config = { url: "https://service.example", sign: { secret: "PAY_SIGNING_KEY" } };
  expect(() => make(config, fakeDeps({ env: {} }))).toThrow(/the secret PAY_SIGNING_KEY is not set/);
  const { upstream } = await gateHarness({ headers: (deps) => headers(plain, deps) }).send("GET /", {
    headers: { signature: "sig1=:AAAA:" },
  });
  expect(upstream[0]?.headers.signature).toBe("sig1=:AAAA:");
});

const plain = { request: { set: {}, add: {}, remove: [] }, response: { set: {}, add: {}, remove: [] } };
