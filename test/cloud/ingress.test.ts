/** The ingress of the local cloud as a client meets it, in front of Workers that misbehave. */
import fs from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openIngress } from "../../infra/cloud/ingress/ingress.ts";
import { edgeCodes } from "../../infra/cloud/ingress/refusals.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";

const listening = async (server: net.Server): Promise<number> => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
};

const ingressTo = async (port: number) => {
  const url = new URL(`http://127.0.0.1:${port}`);
  const ingress = await openIngress(
    { port: 0, host: "localhost", option: "--edge-port" },
    { resolveDestination: async () => ({ url }), onUnreachable: () => {} },
  );
  onTestFinished(ingress.close);
  return Number(new URL(ingress.url).port);
};

const postBody = (port: number, body: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = http.request({ host: "localhost", port, method: "POST", agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    request.on("error", reject).end(body);
  });

it("passes on what a Worker answers before it has read the body, though it closes the connection then", async () => {
  const worker = await listening(
    net.createServer((socket) => {
      socket
        .on("error", () => {})
        .once("data", () => {
          // What it has not read by then is answered with a reset.
          socket.pause().end("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", () => socket.destroy());
        });
    }),
  );
  const port = await ingressTo(worker);
  const statuses: number[] = [];
  for (let time = 0; time < 40; time++) statuses.push(await postBody(port, Buffer.alloc(400_000)));
  expect(statuses.filter((it) => it !== 403)).toEqual([]);
});

it("takes a zone's host from the path, for clients that cannot set the Host header", async () => {
  const worker = await listening(
    http.createServer(({ headers, url }, response) => response.end(`${headers.host} ${url}`)),
  );
  const port = await ingressTo(worker);
  const ask = async (target: string) => (await fetch(`http://localhost:${port}${target}`)).text();
  expect(await ask("/cdn-cgi/host/api.acme.example/a//b?c=/d")).toBe("api.acme.example /a//b?c=/d");
  expect(await ask("/cdn-cgi/host/api.acme.example?c")).toBe("api.acme.example /?c");
  expect(await ask("/cdn-cgi/host/api.acme.example")).toBe("api.acme.example /");
  for (const other of ["/cdn-cgi/host/", "/cdn-cgi/host/a@b/c", "/a/cdn-cgi/host/b/c"])
    expect(await ask(other)).toBe(`localhost:${port} ${other}`);
});

it("says that there was no answer where a Worker closes the connection without one", async () => {
  const worker = await listening(
    net.createServer((socket) => socket.on("error", () => {}).once("data", () => socket.destroy())),
  );
  expect(await postBody(await ingressTo(worker), Buffer.alloc(400_000))).toBe(502);
});

/** What a client reads that sends these bytes, until the edge closes the connection. */
const exchanged = (port: number, bytes: string): Promise<string> =>
  new Promise((done) => {
    let read = "";
    const socket = net.connect(port, "localhost", () => socket.write(bytes));
    socket.on("data", (part) => {
      read += part;
    });
    socket.on("error", () => {}).on("close", () => done(read));
  });

describe("what the edge answers by itself is a problem", () => {
  const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  it.each([
    ["bytes that are no HTTP", "request-malformed", "nonsense\r\n\r\n"],
    ["a length that is no number", "request-malformed", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"],
    ["no host", "request-malformed", "GET / HTTP/1.0\r\n\r\n"],
    ["a header of a megabyte", "header-too-large", `GET / HTTP/1.1\r\nHost: a\r\nx: ${"a".repeat(1 << 20)}\r\n\r\n`],
    ["a target of 20 KiB", "url-too-long", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ["a method of no Worker", "method-unknown", "BIND / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["a tunnel", "method-unknown", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"],
    [
      "a coding that is not chunked",
      "coding-unknown",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    ],
    [
      "a WebSocket with a body",
      "request-malformed",
      `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}Content-Length: 2\r\n\r\nhi`,
    ],
    ["a Worker that closes the connection", "response-unreadable", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["a WebSocket of such a Worker", "response-unreadable", `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`],
  ] as const)("to %s: %s", async (_, code, bytes) => {
    const worker = await listening(
      net.createServer((socket) => socket.on("error", () => {}).once("data", () => socket.destroy())),
    );
    const [head = "", body = ""] = (await exchanged(await ingressTo(worker), bytes)).split("\r\n\r\n");
    const [status, title] = edgeCodes[code];
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head.toLowerCase()).toContain("content-type: application/problem+json");
    expect(JSON.parse(body)).toEqual({
      type: `urn:postern:problem:${code}`,
      title,
      status,
      code,
      detail: expect.stringMatching(/./),
    });
  });

  it("with a code that the page of the local cloud lists", () => {
    const page = fs.readFileSync(path.join(codeRoot, "docs/cloud.md"), "utf8");
    const listed = [...page.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    expect(listed).toEqual(Object.entries(edgeCodes).map(([code, [status]]) => [code, status]));
  });
});
