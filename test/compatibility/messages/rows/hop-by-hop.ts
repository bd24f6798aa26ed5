/** Hop-by-hop headers: upgrades, and what `Connection` names. */
import { answer, bare, type MessageRow, request } from "../messages.ts";

const ignored: readonly (readonly [string, readonly string[]])[] = [
  [
    "h2c, as curl --http2 and Java's HttpClient send it",
    ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ"],
  ],
  ["TLS/1.2, as Apache advertises it", ["Connection: upgrade", "Upgrade: TLS/1.2"]],
  ["several that nobody here speaks", ["Connection: Upgrade", "Upgrade: h2c, TLS/1.3, IRC/6.9"]],
  ["H2C in capitals", ["connection: UPGRADE", "upgrade: H2C"]],
  ["one that Connection does not name", ["Upgrade: h2c"]],
];

const key = "dGhlIHNhbXBsZSBub25jZQ==";
const handshake = (upgrade: string): readonly string[] => [
  "Connection: keep-alive, Upgrade",
  `Upgrade: ${upgrade}`,
  `Sec-WebSocket-Key: ${key}`,
  "Sec-WebSocket-Version: 13",
];
const switched = {
  bytes: answer(
    ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Accept: {accept}"],
    "",
    "101 Switching Protocols",
  ),
};

export const connectionRows: readonly MessageRow[] = [
  ...ignored.map(
    ([what, headers]): MessageRow => ({
      it: `an upgrade is ignored: ${what}`,
      authority: "RFC 9110, 7.8",
      send: request("GET /m/a", headers),
      gets: { status: 200, body: "served" },
      sees: { headers: { upgrade: null, "http2-settings": null, connection: null } },
    }),
  ),
  {
    it: "a POST that offers h2c keeps its body",
    authority: "RFC 9110, 7.8",
    send: request(
      "POST /m/a",
      ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAM", "Content-Length: 3"],
      "abc",
    ),
    gets: { status: 200 },
    sees: { line: "POST /m/a HTTP/1.1", headers: { "http2-settings": null }, body: "abc" },
  },
  {
    it: "an offer of h2c on a route of WebSockets is an ordinary request",
    authority: "RFC 9110, 7.8",
    send: request("GET /m/ws", ["Connection: Upgrade", "Upgrade: h2c"]),
    gets: { status: 200, body: "served" },
    sees: { headers: { upgrade: null } },
  },
  {
    it: "WebSocket in any case is one",
    authority: "RFC 6455, 4.2.1",
    send: request("GET /m/ws", handshake("WebSocket")),
    reply: switched,
    gets: { status: 101 },
    sees: { headers: { upgrade: "websocket" } },
  },
  {
    it: "a WebSocket among several offers is one",
    authority: "RFC 9110, 7.8",
    send: request("GET /m/ws", handshake("h2c, websocket")),
    reply: switched,
    gets: { status: 101 },
  },
  {
    it: "a WebSocket on another route is refused",
    authority: "docs/manifest.md, upgrade",
    send: request("GET /m/a", handshake("websocket")),
    gets: { status: 400, code: "upgrade-not-allowed" },
    sees: "nothing",
  },
  {
    it: "a POST is no handshake",
    authority: "RFC 6455, 4.1",
    send: request("POST /m/a", [...handshake("websocket"), "Content-Length: 3"], "abc"),
    gets: { status: 200 },
    sees: { line: "POST /m/a HTTP/1.1", headers: { upgrade: null }, body: "abc" },
  },
  {
    it: "a handshake that the service refuses is its answer",
    authority: "RFC 6455, 4.2.2",
    send: request("GET /m/ws", handshake("websocket")),
    reply: { bytes: answer(["Content-Length: 2", "X-Why: caf\xe9"], "no", "426 Upgrade Required") },
    gets: { status: 426, body: "no", headers: { "x-why": "caf\xe9" } },
  },
  {
    it: "fields that a client's Connection names go no further",
    authority: "RFC 9110, 7.6.1",
    send: request("GET /m/a", ["Connection: X-Secret, close, x-other", "X-Secret: 1", "x-Other: 2", "X-Kept: 3"]),
    gets: { status: 200 },
    sees: { headers: { "x-secret": null, "x-other": null, "x-kept": "3", connection: null } },
  },
  {
    it: "Connection cannot take away credentials, the host, a length or a type",
    authority: "RFC 9110, 7.6.1: a sender must not name what all recipients are meant to see",
    send: request(
      "POST /m/a",
      [
        "Connection: authorization, cookie, host, content-length, content-type",
        "Authorization: Bearer x",
        "Cookie: a=b",
        "Content-Type: text/plain",
        "Content-Length: 3",
      ],
      "abc",
    ),
    gets: { status: 200 },
    sees: {
      headers: { authorization: "Bearer x", cookie: "a=b", "content-type": "text/plain", "content-length": "3" },
      body: "abc",
    },
  },
  {
    it: "Connection cannot take away the client's address",
    authority: "RFC 9110, 7.6.1; public reports of hop-by-hop abuse",
    send: request("GET /m/a", ["Connection: close, X-Forwarded-For, CF-Connecting-IP, X-Request-Id, traceparent"]),
    gets: { status: 200 },
    sees: { headers: { "x-forwarded-for": "{loopback}" } },
  },
  {
    it: "Keep-Alive, TE, Trailer and Proxy-Connection go no further",
    authority: "RFC 9110, 7.6.1",
    send: request("GET /m/a", [
      "Connection: keep-alive, TE",
      "Keep-Alive: timeout=5",
      "TE: trailers",
      "Trailer: X-T",
      "Proxy-Connection: keep-alive",
    ]),
    gets: { status: 200 },
    sees: { headers: { "keep-alive": null, te: null, trailer: null, "proxy-connection": null } },
  },
  {
    it: "fields that a service's Connection names go no further",
    authority: "RFC 9110, 7.6.1",
    send: request("GET /m/a"),
    reply: {
      bytes: answer(
        [
          "Connection: X-Internal, keep-alive",
          "X-Internal: 1",
          "X-Kept: 2",
          "Keep-Alive: timeout=99",
          "Content-Length: 2",
        ],
        "ok",
      ),
    },
    gets: { status: 200, headers: { "x-internal": null, "x-kept": "2", "keep-alive": "timeout=5" } },
  },
  {
    it: "a service's Connection cannot take away a length, a type or cookies",
    authority: "RFC 9110, 7.6.1",
    send: request("GET /m/a"),
    reply: {
      bytes: answer(
        [
          "Connection: content-length, content-type, set-cookie",
          "Content-Type: text/plain",
          "Set-Cookie: a=b",
          "Content-Length: 2",
        ],
        "ok",
      ),
    },
    gets: {
      status: 200,
      headers: { "content-length": "2", "content-type": "text/plain", "set-cookie": "a=b" },
      body: "ok",
    },
  },
  {
    it: "a client of HTTP/1.0 gets no chunks",
    authority: "RFC 9112, 6.1",
    send: bare("GET /m/a HTTP/1.0", ["Host: localhost"]),
    reply: { bytes: answer(["Transfer-Encoding: chunked"], "2\r\nok\r\n0\r\n\r\n") },
    gets: { status: 200, headers: { "transfer-encoding": null }, body: "ok" },
  },
  {
    it: "requests in one go are answered one by one",
    authority: "RFC 9112, 9.3.2",
    send:
      request("GET /m/a") +
      request("POST /m/b", ["Content-Length: 3"], "abc") +
      request("GET /m/c", ["Content-Length: 0"]),
    gets: { status: 200, body: "served", times: 3 },
  },
];
