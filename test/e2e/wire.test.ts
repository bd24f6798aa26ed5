/** The worst requests that a socket can send, through front and gate, and what the service receives. */
import { describe, expect, it } from "vitest";
import { converse, messagesIn } from "../compatibility/messages/wire.ts";
import { until } from "../until.ts";
import { manifest, sharedProject } from "./project.ts";

const withService = sharedProject((url) => ({
  "routes/t.yaml": manifest(
    "t",
    `limits: { body-idle: 1s }
filters:
  - body-limit: 1KiB
  - headers: { request: { set: { x-of: "{query.q}", x-path: "{path.rest}", x-agent: "{header.user-agent}" } } }
upstreams: { it: { http: "${url}" } }
routes: { all: { match: "ANY /{rest*}", to: it } }
`,
  ),
}));

const harness = () => {
  const seen: { line: string; headers: Record<string, unknown>; body: string }[] = [];
  let begun = 0;
  const { url, port } = withService(async (request, response) => {
    begun++;
    let body = "";
    try {
      for await (const part of request) body += part;
    } catch {
      body += "<cut>";
    }
    seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    response.end("served");
  });
  /** The gate has answered; what it began at the service ends then, in one way or the other. */
  const ended = () => until(() => seen.length === begun, "requests of the service have ended");
  /** Requests by path: the service is shared, and what the test before began may reach it late. */
  const reached = (path: string) => seen.filter(({ line }) => line.endsWith(path));
  return { url, port, seen, ended, reached };
};

/** Sends bytes, and reads what comes back: a whole answer, or all there is until the connection ends. */
const raw = async (port: number, bytes: string, enough = (received: string) => messagesIn(received).length > 0) => {
  const { received, ended } = await converse(port, bytes, enough);
  if (!ended && !enough(received)) throw new Error(`neither an answer nor an end, but ${JSON.stringify(received)}`);
  return received;
};

const post = (headers: string, body: string) => `POST /t/x HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n${body}`;

describe("lies about length", () => {
  it.each([
    [
      "two lengths",
      "Content-Length: 4\r\nContent-Length: 60",
      "abcdGET /t/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ["a length that is no number", "Content-Length: 4x", "abcd"],
    ["a negative length", "Content-Length: -1", "abcd"],
    ["a chunk's size that is none", "Transfer-Encoding: chunked", "zz\r\nabcd\r\n0\r\n\r\n"],
    ["chunks by another name", "Transfer-Encoding: xchunked", "4\r\nabcd\r\n0\r\n\r\n"],
    ["chunks that end early", "Transfer-Encoding: chunked", "ff\r\nabcd"],
    ["a length that is longer than the body", "Content-Length: 900", "abcd"],
  ])("%s: no service takes it for a whole request", async (_, headers, body) => {
    const { port, seen, ended } = harness();
    const received = await raw(port, post(headers, body));
    await ended();
    expect(received).not.toMatch(/^HTTP\/1\.1 200/);
    expect(seen.filter(({ body }) => !body.endsWith("<cut>"))).toEqual([]);
  });
});

it("a length beside chunks is refused, and what follows is no second request", async () => {
  const { port, reached } = harness();
  const smuggled = "0\r\n\r\nGET /t/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const received = await raw(port, post("Content-Length: 4\r\nTransfer-Encoding: chunked", smuggled), () => false);
  // RFC 9112, section 6.3: it may be an attempt at smuggling, and the connection ends.
  expect(received.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
  expect(received).toMatch(/^HTTP\/1\.1 400 /);
  expect(received).toMatch(/^connection: close/im);
  expect(reached("/smuggled")).toEqual([]);
});

describe("bombs", () => {
  it("more body than it takes, in chunks, is a 413 and never a whole body", async () => {
    const { port, seen, ended } = harness();
    const chunk = `400\r\n${"x".repeat(1024)}\r\n`;
    const received = await raw(port, post("Transfer-Encoding: chunked", `${chunk}${chunk}0\r\n\r\n`));
    await ended();
    expect(received).toMatch(/^HTTP\/1\.1 413/);
    expect(seen.filter(({ body }) => !body.endsWith("<cut>"))).toEqual([]);
  });

  it.each([
    [
      "ten thousand headers",
      Array.from({ length: 10_000 }, (_, index) => `X-${index}: ${"y".repeat(20)}`).join("\r\n"),
    ],
    ["a header of a megabyte", `X-Long: ${"y".repeat(2 ** 20)}`],
  ])("%s are refused, and the next request is served", async (_, headers) => {
    const { port, url, reached } = harness();
    const received = await raw(port, `GET /t/bomb HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n`);
    expect(received).not.toMatch(/^HTTP\/1\.1 200/);
    expect(reached("/bomb")).toEqual([]);
    expect((await fetch(`${url}/t/next`)).status).toBe(200);
  });
});

describe("values that would end a line", () => {
  it.each([
    ["in a query", "/t/x?q=a%0d%0aX-Injected:%201"],
    ["in a path", "/t/a%0d%0aX-Injected:%201"],
    ["in a query, as other line ends", "/t/x?q=a%E2%80%A8X-Injected:%201%00"],
  ])("%s end none", async (_, target) => {
    const { url, seen } = harness();
    const { status } = await fetch(`${url}${target}`);
    expect([200, 400]).toContain(status);
    for (const { headers } of seen) expect(headers).not.toHaveProperty("x-injected");
  });

  it("in a header are no header", async () => {
    const { port, seen } = harness();
    await raw(port, "GET /t/x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\r X-Injected: 1\r\n\r\n");
    await raw(port, "GET /t/x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\0b\r\n\r\n");
    for (const { headers } of seen) expect(headers).not.toHaveProperty("x-injected");
  });
});

it("what only the gateway says is not taken from a client", async () => {
  const { port, seen } = harness();
  const forged = [
    "X-Forwarded-For: 1.2.3.4",
    "X-Forwarded-Host: evil.example",
    "X-Real-IP: 1.2.3.4",
    "Forwarded: for=1.2.3.4",
    "X_Forwarded_For: 1.2.3.4",
    "X-Postern-Request-Id: mine",
    "X-Request-Id: mine",
    "True-Client-IP: 1.2.3.4",
    "Cloudflare-Workers-Version-Overrides: a=b",
  ];
  await raw(port, `GET /t/x HTTP/1.1\r\nHost: localhost\r\n${forged.join("\r\n")}\r\n\r\n`);
  expect(JSON.stringify(seen)).not.toMatch(/1\.2\.3\.4|evil|mine|version-overrides/i);
  expect(seen).toHaveLength(1);
});
