/** Where a body is one, and where it is none. */
import { answer, type MessageRow, request } from "../messages.ts";

const lengthOfZero = ["GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT", "PATCH"].map(
  (method): MessageRow => ({
    it: `${method} with Content-Length: 0 has no body and is served`,
    authority: "RFC 9112, 6.3; Java's HttpClient, Node's http, urllib with data=b''",
    send: request(`${method} /m/a`, ["Content-Length: 0"]),
    gets: { status: 200 },
    sees: { line: `${method} /m/a HTTP/1.1`, headers: { "transfer-encoding": null }, body: "" },
  }),
);

const neither = ["POST", "PUT", "PATCH", "DELETE"].map(
  (method): MessageRow => ({
    it: `${method} with neither a length nor a transfer coding has no body, and gets none on its way`,
    authority: "RFC 9112, 6.3",
    send: request(`${method} /m/a`),
    gets: { status: 200 },
    sees: { line: `${method} /m/a HTTP/1.1`, headers: { "transfer-encoding": null }, body: "" },
  }),
);

const key = "dGhlIHNhbXBsZSBub25jZQ==";

export const bodies: readonly MessageRow[] = [
  ...lengthOfZero,
  ...neither,
  {
    it: "GET with Content-Length: 0 reaches another Worker",
    authority: "RFC 9112, 6.3",
    send: request("GET /m/worker", ["Content-Length: 0"]),
    gets: { status: 200 },
  },
  {
    it: "GET with Content-Length: 0 is mirrored, and its copy has no body either",
    authority: "RFC 9112, 6.3",
    send: request("GET /m/mirrored", ["Content-Length: 0"]),
    gets: { status: 200 },
    sees: { line: "GET /m/mirrored HTTP/1.1", body: "" },
    isCopied: true,
  },
  {
    it: "GET with Content-Length: 0 that is signed is taken",
    authority: "RFC 9112, 6.3; RFC 9421",
    send: request("GET /m/signed", ["{signature}", "Content-Length: 0"]),
    gets: { status: 200 },
    sees: { line: "GET /m/signed HTTP/1.1", body: "" },
    isSigned: true,
  },
  {
    it: "GET with Content-Length: 0 is under every body-limit",
    authority: "RFC 9112, 6.3",
    send: request("GET /m/small", ["Content-Length: 0"]),
    gets: { status: 200 },
    sees: { body: "" },
  },
  {
    it: "a WebSocket's handshake with Content-Length: 0 is one",
    authority: "RFC 9112, 6.3; RFC 6455, 4.1",
    send: request("GET /m/ws", [
      "Connection: Upgrade",
      "Upgrade: websocket",
      `Sec-WebSocket-Key: ${key}`,
      "Sec-WebSocket-Version: 13",
      "Content-Length: 0",
    ]),
    reply: {
      bytes: answer(
        ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Accept: {accept}"],
        "",
        "101 Switching Protocols",
      ),
    },
    gets: { status: 101, headers: { upgrade: "websocket" } },
    sees: { headers: { upgrade: "websocket" } },
  },
  ...["GET", "HEAD", "DELETE", "OPTIONS"].map(
    (method): MessageRow => ({
      it: `${method} with a body of a length goes on with it`,
      authority: "RFC 9110, 9.3.1: no semantics, yet not forbidden; Elasticsearch's search API",
      send: request(`${method} /m/a`, ["Content-Length: 3"], "abc"),
      gets: { status: 200 },
      sees: { line: `${method} /m/a HTTP/1.1`, headers: { "content-length": "3" }, body: "abc" },
    }),
  ),
  {
    it: "GET with a body of a length reaches another Worker",
    authority: "RFC 9110, 9.3.1",
    send: request("GET /m/worker", ["Content-Length: 3"], "abc"),
    gets: { status: 200 },
  },
  {
    it: "GET with a body over the limit is 413",
    authority: "RFC 9110, 15.5.14",
    send: request("GET /m/small", ["Content-Length: 9"], "123456789"),
    gets: { status: 413, code: "body-too-large" },
    sees: "nothing",
  },
  {
    it: "GET with a body of 64 KiB goes on with it",
    authority: "RFC 9110, 9.3.1: no semantics, yet not forbidden; Elasticsearch's search API",
    send: request("GET /m/large", ["Content-Length: 65536"], "x".repeat(65_536)),
    gets: { status: 200 },
    sees: { headers: { "content-length": "65536" }, body: "x".repeat(65_536) },
  },
  {
    it: "GET with a larger body, which the gate would have to hold, is 413 whatever the route takes",
    authority: "RFC 9110, 9.3.1: a server may refuse it; 15.5.14",
    send: request("GET /m/large", ["Content-Length: 65537"], "x".repeat(65_537)),
    gets: { status: 413, code: "body-too-large" },
    sees: "nothing",
  },
  {
    it: "POST with a body of that size goes on",
    authority: "RFC 9110, 9.3.3",
    send: request("POST /m/large", ["Content-Length: 65537"], "x".repeat(65_537)),
    gets: { status: 200 },
  },
  {
    it: "GET with a body in chunks, which the runtime would lose, is 400",
    authority: "RFC 9110, 9.3.1: a server may refuse it",
    send: request("GET /m/a", ["Transfer-Encoding: chunked"], "3\r\nabc\r\n0\r\n\r\n"),
    gets: { status: 400, code: "body-unexpected" },
    sees: "nothing",
  },
  {
    it: "GET with a signed body, which has been read and cannot be sent anew, is 400",
    authority: "RFC 9110, 9.3.1: a server may refuse it",
    send: request("GET /m/signed", ["{signature}", "Content-Length: 3"], "abc"),
    gets: { status: 400, code: "body-unexpected" },
    sees: "nothing",
    isSigned: true,
  },
  ...["GET", "HEAD", "POST"].map(
    (method): MessageRow => ({
      it: `${method} in chunks of which there are none has no body`,
      authority: "RFC 9112, 7.1",
      send: request(`${method} /m/a`, ["Transfer-Encoding: chunked"], "0\r\n\r\n"),
      gets: { status: 200 },
      sees: { line: `${method} /m/a HTTP/1.1`, body: "" },
    }),
  ),
  {
    it: "OPTIONS with a body in chunks goes on with it",
    authority: "RFC 9110, 9.3.7",
    send: request("OPTIONS /m/a", ["Transfer-Encoding: chunked"], "3\r\nabc\r\n0\r\n\r\n"),
    gets: { status: 200 },
    sees: { body: "abc" },
  },
  {
    it: "TRACE is no method of any route",
    authority: "RFC 9110, 9.3.8",
    send: request("TRACE /m/a", ["Content-Length: 0"]),
    gets: { status: 405, code: "method-not-allowed" },
    sees: "nothing",
  },
  {
    it: "CONNECT is refused, as no gateway is a tunnel",
    authority: "RFC 9110, 9.3.6",
    send: "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n",
    gets: { status: 405 },
    sees: "nothing",
  },
  {
    it: "POST with neither, where a body is required, lacks a body; its media type is beside the point",
    authority: "RFC 9112, 6.3",
    send: request("POST /m/checked"),
    gets: { status: 400, code: "body-missing" },
    sees: "nothing",
  },
  {
    it: "POST with Content-Length: 0, where a body is required, lacks a body",
    authority: "RFC 9112, 6.3",
    send: request("POST /m/checked", ["Content-Length: 0"]),
    gets: { status: 400, code: "body-missing" },
    sees: "nothing",
  },
  {
    it: "POST in chunks of which there are none, where a body is required, lacks a body",
    authority: "RFC 9112, 7.1",
    send: request("POST /m/checked", ["Transfer-Encoding: chunked"], "0\r\n\r\n"),
    gets: { status: 400, code: "body-missing" },
    sees: "nothing",
  },
  {
    it: "POST in chunks of another media type is 415",
    authority: "RFC 9110, 15.5.16",
    send: request(
      "POST /m/checked",
      ["Content-Type: text/plain", "Transfer-Encoding: chunked"],
      "3\r\nabc\r\n0\r\n\r\n",
    ),
    gets: { status: 415, code: "content-type-unsupported" },
    sees: "nothing",
  },
  {
    it: "a body that the client stops sending is late, and the service is not",
    authority: "RFC 9110, 15.5.9",
    send: request("POST /m/short", ["Transfer-Encoding: chunked"], "3\r\nabc\r\n"),
    gets: { status: 408, code: "body-late" },
  },
  {
    it: "a body of a length that the client stops sending is late, and the service is not",
    authority: "RFC 9110, 15.5.9",
    send: request("POST /m/short", ["Content-Length: 9"], "abc"),
    gets: { status: 408, code: "body-late" },
  },
  {
    it: "a chunk's size that is none is 400, and nobody's fault but the client's",
    authority: "RFC 9112, 7.1",
    send: request("POST /m/a", ["Transfer-Encoding: chunked"], "zz\r\nabc\r\n0\r\n\r\n"),
    gets: { status: 400 },
  },
  ...[
    ["Content-Length: +3", "a sign"],
    ["Content-Length: 3, 3", "a list"],
    ["Content-Length: 99999999999999999999", "more than any number"],
    ["Content-Length:", "nothing"],
  ].map(
    ([field = "", what]): MessageRow => ({
      it: `a length that is ${what} is 400`,
      authority: "RFC 9112, 6.3",
      send: request("POST /m/a", [field], "abc"),
      gets: { status: 400 },
      sees: "nothing",
    }),
  ),
  {
    it: "a transfer coding that nobody here knows is 501",
    authority: "RFC 9112, 6.1",
    send: request("POST /m/a", ["Transfer-Encoding: gzip, chunked"], "3\r\nabc\r\n0\r\n\r\n"),
    gets: { status: 501 },
    sees: "nothing",
  },
  {
    it: "chunks in HTTP/1.0 are faulty framing",
    authority: "RFC 9112, 6.1",
    send: "POST /m/a HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    gets: { status: 400 },
    sees: "nothing",
  },
  {
    it: "extensions of chunks are ignored, and trailers left out",
    authority: "RFC 9112, 7.1.1 and 7.1.2",
    send: request(
      "POST /m/a",
      ["Transfer-Encoding: chunked", "Trailer: X-Sum"],
      "3;a=b\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    ),
    gets: { status: 200 },
    sees: { headers: { trailer: null, "x-sum": null }, body: "abc" },
  },
  {
    it: "Expect: 100-continue is answered, and then the request",
    authority: "RFC 9110, 10.1.1; curl with bodies over 1 MiB",
    send: request("POST /m/a", ["Expect: 100-continue", "Content-Length: 3"], "abc"),
    gets: { status: 200, body: "served" },
    sees: { body: "abc" },
  },
  {
    it: "an expectation that nobody knows is 417",
    authority: "RFC 9110, 10.1.1",
    send: request("POST /m/a", ["Expect: a-miracle", "Content-Length: 3"], "abc"),
    gets: { status: 417 },
    sees: "nothing",
  },
];
