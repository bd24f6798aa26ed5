/** Requests signed by an independent client, through front, gate and state. */
import { createHash } from "node:crypto";
import { createSigner, httpbis } from "http-message-signatures";
import { expect, it } from "vitest";
import { manifest, runProject, runService } from "./project.ts";

const key = "a-key-of-the-coffee-shop-1";

const harness = async () => {
  const upstream = await runService(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    response.end(`${request.headers["x-merchant"]} ${body}`);
  });
  return runProject(
    {
      "routes/pay.yaml": manifest(
        "pay",
        `filters:
  - body-limit: 1KiB
  - signature: { keys: { shop-1: { secret: SHOP_KEY, consumer: coffee-shop } }, covers: [content-type] }
  - headers: { request: { set: { x-merchant: "{consumer.id}" } } }
upstreams: { it: { http: "${upstream.url}" } }
routes: { all: { match: "ANY /{rest*}", to: it } }
`,
      ),
    },
    { secrets: { SHOP_KEY: key } },
  );
};

const signed = async (url: string, body: string) => {
  const digest = createHash("sha256").update(body).digest("base64");
  const request = {
    method: "POST",
    url,
    headers: { host: new URL(url).host, "content-type": "application/json", "content-digest": `sha-256=:${digest}:` },
  };
  const { headers } = await httpbis.signMessage(
    {
      key: createSigner(Buffer.from(key), "hmac-sha256", "shop-1"),
      fields: ["@method", "@authority", "@path", "@query", "content-type", "content-digest"],
      params: ["created", "keyid", "nonce", "alg"],
      paramValues: { nonce: crypto.randomUUID() },
    },
    request,
  );
  const { host: _, ...sent } = headers as Record<string, string>;
  return sent;
};

it("gets in once, whole and unchanged, and in no other way", async () => {
  const { url } = await harness();
  const target = `${url}/pay/v1/refunds?b=2&a=1`;
  const headers = await signed(target, '{"amount":5}');
  const send = async (body = '{"amount":5}', at = target, more = {}) => {
    const response = await fetch(at, { method: "POST", headers: { ...headers, ...more }, body });
    const text = await response.text();
    return `${response.status} ${text.startsWith("{") ? JSON.parse(text).code : text}`;
  };
  expect(await send('{"amount":9}')).toBe("401 signature-invalid");
  expect(await send(undefined, `${url}/pay/v1/refunds?a=1&b=2`)).toBe("401 signature-invalid");
  expect(await send(undefined, target, { "content-type": "text/plain" })).toBe("401 signature-invalid");
  expect(await send()).toBe('200 coffee-shop {"amount":5}');
  expect(await send()).toBe("401 signature-replayed");
});
