/** Requests with which a client could make a gateway fail, or blame a service. */
import { request } from "../messages/messages.ts";
import type { Row } from "../row.ts";

export interface Attack extends Row {
  /** Bytes, written as Latin-1. */
  readonly send: string;
}

const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** Each on routes with a service, a Worker, references, conditions, checks and a redirect. */
const paths = [
  "/a/plain",
  "/a/worker",
  "/a/refs",
  "/a/when",
  "/a/checked",
  "/a/moved",
  "/a/local",
  "/a/ws",
  "/a/copied",
];

const methods: readonly Attack[] = [
  ...[
    "PROPFIND",
    "MKCOL",
    "LOCK",
    "SEARCH",
    "PURGE",
    "LINK",
    "M-SEARCH",
    "REPORT",
    "QUERY",
    "get",
    "Get",
    "PRI",
    "FOO",
  ],
  ...["A".repeat(2000), "GET\x0b", "G\x00T", "GET\t", utf8("ＧＥＴ"), utf8("GÉT"), "__proto__", "constructor"],
].map((method) => ({
  it: `a method that is ${JSON.stringify(method.slice(0, 20))}`,
  authority: "RFC 9110, 9.1",
  send: request(`${method} /a/plain`),
}));

const targets: readonly Attack[] = [
  ...["/a/%", "/a/%zz", "/a/%e0%a4%a", "/a/%ff%fe", "/a/%c0%ae%c0%ae/x", "/a/%ed%a0%80", "/a/%00", "/a/%0d%0aX:y"],
  ...[
    "/a/plain?%",
    "/a/plain?%zz=%zz",
    "/a/plain?%ed%a0%80=%ff",
    `/a/plain?${"a=1&".repeat(2000)}`,
    "/a/plain??x",
    "/a//plain",
  ],
  ...[
    `/a/${"x/".repeat(3000)}`,
    `/a/${"%2e%2e%2f".repeat(500)}`,
    `/a/plain?${"x".repeat(15_000)}`,
    "/a/plain#frag",
    "/a/;x=y",
  ],
  ...[
    utf8("/a/ｐｌａｉｎ"),
    utf8("/ａ/plain"),
    utf8("/a/plain?q=ｑ"),
    utf8("/a/ /x"),
    utf8("/a/\u202e"),
    "/a/\xff\xfe",
    "/a/\xed\xa0\x80",
  ],
  ...[
    "/a/refs?x=%ed%a0%80",
    "/a/refs?x=%ff",
    "/a/refs?x=%0d%0aSet-Cookie:%20a",
    "/a/refs?x=%00",
    utf8("/a/refs?x=ｘ"),
    "/a/refs?x=\xff",
  ],
  ...[
    "/a/refs?x=..",
    "/a/refs?x=%2e%2e%2f",
    `/a/refs?x=${"y".repeat(9000)}`,
    "/a/refs?x=1&x=2",
    "/a/refs?x[]=1",
    "/a/refs?__proto__=1",
  ],
  ...["/a/moved?x=%ff", "/a/moved?x=//evil.example", "/a/moved?x=%5c%5cevil", "/a/moved?x=%0a", utf8("/a/moved?x=é")],
  ...[
    "/a/checked?n=%ff",
    "/a/checked?n[__proto__]=1",
    "/a/checked?n=1e999",
    "/a/checked?n=%ed%a0%80",
    "/a/when?q=%ff",
    "/a/when?q=%",
  ],
].map((target) => ({
  it: `a target that is ${JSON.stringify(target.slice(0, 40))}`,
  authority: "RFC 3986, 2.1; RFC 9112, 3.2",
  send: request(`GET ${target}`),
}));

const hosts: readonly Attack[] = [
  ...[
    utf8("ｌｏｃａｌｈｏｓｔ"),
    utf8("localhost。"),
    utf8("lοcalhost"),
    "xn--",
    "xn--a",
    "xn--\x80",
    "localhost:",
    "localhost:99999",
  ],
  ...[
    "localhost:-1",
    "localhost:0x50",
    "0x7f.1",
    "127.1",
    "[::ffff:127.0.0.1]",
    "[::1%25lo]",
    "[",
    "]",
    "[]",
    "..",
    ".localhost",
  ],
  ...[
    "localhost..",
    "local%68ost",
    "localhost%00",
    "localhost\x00",
    "localhost\xff",
    "a".repeat(300),
    `${"a.".repeat(200)}a`,
    "-a-.b",
  ],
  ...[
    "user@localhost",
    "localhost/x",
    "localhost?x",
    "localhost#x",
    "localhost\\x",
    "localhost, other",
    "1e400",
    "0",
    "256.256.256.256",
  ],
].map((host) => ({
  it: `a host that is ${JSON.stringify(host.slice(0, 40))}`,
  authority: "RFC 9110, 7.2; UTS #46",
  send: `GET /a/plain HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
}));

const fields: readonly (readonly [string, string])[] = [
  ["a name with a space", "X Y: 1"],
  ["a name that is empty", ": 1"],
  ["a name with a control character", "X\x01Y: 1"],
  ["a name of full-width letters", utf8("Ｘ-Name: 1")],
  ["a name above ASCII", "X-\xff: 1"],
  ["a name of 8,000 letters", `${"X".repeat(8000)}: 1`],
  ["a name of an object's", "__proto__: 1\r\nconstructor: 2\r\ntoString: 3"],
  ["names with every mark of a token", "!#$%&'*+-.^_`|~: 1"],
  ["a value with a NUL", "X-A: a\x00b"],
  ["a value with a bare CR", "X-A: a\rb"],
  ["a value of a bare LF", "X-A: a\nX-B: b"],
  ["a folded value", "X-A: a\r\n b"],
  ["a value that is no UTF-8", "X-Id: \xff\xfe"],
  ["a value with half a surrogate pair", "X-Id: \xed\xa0\x80"],
  ["a value of full-width letters", utf8("X-Id: ｉｄ")],
  ["a thousand fields", Array.from({ length: 1000 }, (_, index) => `X-${index}: 1`).join("\r\n")],
  ["one field a thousand times", Array(1000).fill("X-Id: 1").join("\r\n")],
  ["a range that is none", "Range: bytes=9-1"],
  ["a thousand ranges", `Range: bytes=${Array(1000).fill("0-").join(",")}`],
  ["a range of no unit", "Range: elephants=1-2"],
  ["conditions that are none", "If-Modified-Since: yesterday\r\nIf-None-Match: ,,\r\nIf-Match: \xff\r\nIf-Range: ["],
  ["an expectation of two", "Expect: 100-continue, 200-ok"],
  ["an expectation without a body", "Expect: 100-continue"],
  ["credentials that are none", "Authorization: Bearer \xff\r\nAuthorization: Basic !!!"],
  ["a token of 60,000 dots", `Authorization: Bearer ${".".repeat(60_000)}`],
  ["cookies that are none", "Cookie: ;;=;=x;\xff=\xfe;__proto__=1;a"],
  ["two Cookie fields", "Cookie: a=1\r\nCookie: b=2"],
  ["ten thousand cookies", `Cookie: ${"a=1;".repeat(10_000)}`],
  ["an origin that is none", "Origin: ://\r\nAccess-Control-Request-Method: \xff"],
  ["origins", `Origin: https://a.example\r\nOrigin: null\r\nOrigin: ${utf8("https://ｅvil.example")}`],
  ["a trace that is none", "traceparent: 00-\xff\r\ntracestate: \xff=\xff"],
  ["an upgrade to nothing", "Connection: Upgrade\r\nUpgrade: "],
  ["an upgrade to h2c with settings", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: !!!"],
  ["a connection that names all", `Connection: ${"x,".repeat(5000)}host,cookie,:path,*`],
  ["a media type that is none", "Content-Type: \xff/\xfe; =; charset=\xff"],
  ["an encoding that is none", "Accept-Encoding: \xff;q=9, *;q=-1\r\nTE: trailers;q=x"],
  [
    "headers of the product",
    "postern-explain: \xff\r\npostern-label: a.b.c\r\nx-postern-caller: \xff \xff\r\ncf-connecting-ip: \xff",
  ],
  ["a version of a Worker that there is not", 'Cloudflare-Workers-Version-Overrides: gate-a="\xff", x=(1 2);a'],
  ["a signature that is none", "Signature: a=:!!!:\r\nSignature-Input: a=(;;\r\nContent-Digest: sha-256=:\xff:"],
  ["a method override", "X-HTTP-Method-Override: \xff"],
  ["a purpose of a browser", "Sec-Fetch-Site: \xff\r\nSec-Fetch-Mode: websocket"],
  ["a warning of a cache", `Cache-Control: max-age=${"9".repeat(400)}, no-cache="\xff"`],
];

const headers: readonly Attack[] = fields.flatMap(([what, lines]) =>
  ["/a/plain", "/a/refs?x=1", "/a/all"].map((path) => ({
    it: `${what}, to ${path}`,
    authority: "RFC 9110, 5.5 and 5.6.2",
    send: request(`GET ${path}`, [lines]),
  })),
);

const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const version = "Sec-WebSocket-Version: 13";
const upgrade = ["Connection: Upgrade", "Upgrade: websocket"];

const handshakes: readonly Attack[] = [
  ["without a key", [...upgrade, version]],
  ["with a key that is short", [...upgrade, version, "Sec-WebSocket-Key: YQ=="]],
  ["with a key that is no base64", [...upgrade, version, "Sec-WebSocket-Key: !!!"]],
  ["with two keys", [...upgrade, version, key, key]],
  ["with a key above ASCII", [...upgrade, version, "Sec-WebSocket-Key: \xff\xff"]],
  ["without a version", [...upgrade, key]],
  ["of another version", [...upgrade, key, "Sec-WebSocket-Version: 8"]],
  ["of a version that is none", [...upgrade, key, "Sec-WebSocket-Version: \xff"]],
  ["without Connection", ["Upgrade: websocket", key, version]],
  ["with protocols that are none", [...upgrade, key, version, "Sec-WebSocket-Protocol: ,,\xff, a b"]],
  [
    "with extensions that are none",
    [...upgrade, key, version, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99; x=\xff"],
  ],
].flatMap(([what, lines]) =>
  ["/a/ws", "/a/plain", "/a/workerws"].map((path) => ({
    it: `a handshake ${what}, to ${path}`,
    authority: "RFC 6455, 4.2.1",
    send: request(`GET ${path}`, lines as string[]),
  })),
);

/** A body that is whole, so that it is read and not awaited. */
const ofType = (what: string, type: string, body: string, more: readonly string[] = []) =>
  [what, [`Content-Type: ${type}`, `Content-Length: ${body.length}`, ...more], body] as const;
const json = (what: string, body: string) => ofType(`that is JSON ${what}`, "application/json", body);
const chunked = (what: string, body: string, more: readonly string[] = []) =>
  [`in chunks${what}`, ["Transfer-Encoding: chunked", ...more], body] as const;

const contents: readonly (readonly [string, readonly string[], string])[] = [
  ["of a length", ["Content-Length: 3"], "abc"],
  chunked("", "3\r\nabc\r\n0\r\n\r\n"),
  chunked(" with trailers", "3\r\nabc\r\n0\r\nHost: evil\r\nX\xff: 1\r\n\r\n", ["Trailer: Host"]),
  chunked(" with a size that overflows", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
  chunked(" with a negative size", "-3\r\nabc\r\n0\r\n\r\n"),
  chunked(" with a long extension", `3;${"x".repeat(4000)}\r\nabc\r\n0\r\n\r\n`),
  json("of no UTF-8", '{"\xff":1}'),
  json("with half a surrogate pair", '{"a":"\\ud800"}'),
  json("of ten thousand brackets", "[".repeat(10_000)),
  json("with a number too large", '{"a":1e999}'),
  json("with __proto__", '{"__proto__":{"a":1}}'),
  json("that ends early", '{"a":{"b":1'),
  ofType("that says it is compressed", "application/json", "abc", ["Content-Encoding: gzip"]),
  ofType("of another charset", "application/json; charset=utf-16", "\xff\xfe{}"),
  ofType("that is a form of no UTF-8", "application/x-www-form-urlencoded", "a=%ff&%"),
  ofType("that is a form without a boundary", "multipart/form-data", "abc"),
  ["that expects to be wanted", ["Expect: 100-continue", "Content-Length: 3"], "abc"],
];

const bodies: readonly Attack[] = contents.flatMap(([what, lines, body]) =>
  [
    ...["GET /a/plain", "HEAD /a/plain", "DELETE /a/plain", "OPTIONS /a/plain", "GET /a/worker", "GET /a/copied"],
    ...["POST /a/checked", "POST /a/signed", "GET /a/moved", "POST /a/local", "GET /a/ws"],
  ].map((line) => ({
    it: `a body ${what}, with ${line}`,
    authority: "RFC 9110, 9.3.1; RFC 9112, 6 and 7",
    send: request(line, lines, body),
  })),
);

const everywhere: readonly Attack[] = paths.flatMap((path) =>
  [
    ["preflight of nothing", "OPTIONS", "Origin: null\r\nAccess-Control-Request-Method: \xff"],
    ["upgrade", "GET", "Connection: Upgrade\r\nUpgrade: websocket"],
    ["body on HEAD", "HEAD", "Content-Length: 0\r\nExpect: 100-continue"],
  ].map(([what, method, lines]) => ({
    it: `a ${what} at ${path}`,
    authority: "RFC 9110, 9",
    send: request(`${method} ${path}`, [lines as string]),
  })),
);

const lines: readonly Attack[] = [
  ["no version", "GET /a/plain\r\nHost: localhost\r\n\r\n"],
  ["a version of the past", "GET /a/plain HTTP/0.9\r\nHost: localhost\r\n\r\n"],
  ["a version of the future", "GET /a/plain HTTP/3.0\r\nHost: localhost\r\n\r\n"],
  ["a version that is none", "GET /a/plain HTTP/1.1.1\r\nHost: localhost\r\n\r\n"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ["blank lines ahead", "\r\n\r\n\r\nGET /a/plain HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["lines that end in LF alone", "GET /a/plain HTTP/1.1\nHost: localhost\n\n"],
  ["a target with a blank", "GET /a/pl ain HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["a target of another scheme", "GET ftp://localhost/a/plain HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["a whole URL with a user", "GET http://u:p@localhost/a/plain HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  [
    "a whole URL of full-width letters",
    utf8("GET http://ｌｏｃａｌｈｏｓｔ/a/plain HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  ],
  ["an asterisk with GET", "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n"],
].map(([what = "", send = ""]) => ({ it: `a request with ${what}`, authority: "RFC 9112, 2 and 3", send }));

export const rows: readonly Attack[] = [
  ...[...methods, ...targets, ...hosts, ...headers],
  ...[...handshakes, ...bodies, ...everywhere, ...lines],
];
