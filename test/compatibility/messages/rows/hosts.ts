/** Hosts and targets, valid and invalid. */
import { bare, type MessageRow } from "../messages.ts";

const odd: readonly (readonly [string, readonly string[]])[] = [
  ["two fields", ["Host: localhost", "Host: elsewhere"]],
  ["two fields that say the same", ["Host: localhost", "Host: localhost"]],
  ["none", []],
  ["an empty one", ["Host:"]],
  ["a list", ["Host: localhost, elsewhere"]],
  ["a space", ["Host: local host"]],
  ["a user", ["Host: user:secret@localhost"]],
  ["a path", ["Host: localhost/m/b?x="]],
  ["a query", ["Host: localhost?x"]],
  ["a fragment", ["Host: localhost#x"]],
  ["a backslash", ["Host: localhost\\x"]],
  ["something encoded", ["Host: local%68ost"]],
  ["a port beyond all", ["Host: localhost:99999"]],
  ["a port in letters", ["Host: localhost:http"]],
  ["half an IPv6 address", ["Host: [::1"]],
  ["no IPv6 address in brackets", ["Host: [localhost]"]],
  ["an IPv4 address beyond all", ["Host: 1.2.3.999"]],
  ["a letter of Latin-1", ["Host: caf\xe9"]],
  ["a letter of UTF-8", ["Host: caf\xc3\xa9"]],
];

export const hosts: readonly MessageRow[] = [
  ...[".localhost", "localhost.."].map(
    (value): MessageRow => ({
      it: `a host is 400 where a label is empty: ${value}`,
      authority: "RFC 1034, 3.1: only the root has an empty label",
      send: bare("GET /m/a HTTP/1.1", [`Host: ${value}`]),
      gets: { status: 400, code: "host-malformed" },
      sees: "nothing",
    }),
  ),
  ...odd.map(
    ([what, headers]): MessageRow => ({
      it: `a host is 400, and no gate is dead: ${what}`,
      authority: "RFC 9112, 3.2",
      send: bare("GET /m/a HTTP/1.1", headers),
      gets: { status: 400 },
      sees: "nothing",
    }),
  ),
  ...[
    ["a port", "localhost:8080"],
    ["an empty port", "localhost:"],
    ["capitals", "LocalHost"],
    ["the dot of the root", "localhost."],
  ].map(
    ([what, value]): MessageRow => ({
      it: `a host is the same one with ${what}`,
      authority: "RFC 3986, 3.2.2 and 3.2.3",
      send: bare("GET /m/a HTTP/1.1", [`Host: ${value}`]),
      gets: { status: 200 },
      sees: { line: "GET /m/a HTTP/1.1" },
    }),
  ),
  {
    it: "an IPv6 address is a host, though not one that is served",
    authority: "RFC 3986, 3.2.2",
    send: bare("GET /m/a HTTP/1.1", ["Host: [::1]:8787"]),
    gets: { status: 404, code: "host-unknown" },
    sees: "nothing",
  },
  {
    it: "a whole URL as the target is taken",
    authority: "RFC 9112, 3.2.2",
    send: bare("GET http://localhost/m/a?x=1 HTTP/1.1", ["Host: localhost"]),
    gets: { status: 200 },
    sees: { line: "GET /m/a?x=1 HTTP/1.1" },
  },
  {
    it: "the host of a whole URL counts, not the field's",
    authority: "RFC 9112, 3.2.2",
    send: bare("GET http://localhost/m/a HTTP/1.1", ["Host: elsewhere.example"]),
    gets: { status: 200 },
    sees: { headers: { "x-forwarded-host": "localhost" } },
  },
  {
    it: "the host of a whole URL counts where it is not served",
    authority: "RFC 9112, 3.2.2",
    send: bare("GET http://elsewhere.example/m/a HTTP/1.1", ["Host: localhost"]),
    gets: { status: 404, code: "host-unknown" },
    sees: "nothing",
  },
  ...["http://user@localhost/m/a", "http:///m/a", "ftp://localhost/m/a", "http://[::1/m/a", "m/a"].map(
    (target): MessageRow => ({
      it: `a target is 400: ${target}`,
      authority: "RFC 9112, 3.2; RFC 9110, 4.2.4",
      send: bare(`GET ${target} HTTP/1.1`, ["Host: localhost"]),
      gets: { status: 400 },
      sees: "nothing",
    }),
  ),
  {
    it: "OPTIONS * asks about the server, and is answered",
    authority: "RFC 9110, 9.3.7",
    send: bare("OPTIONS * HTTP/1.1", ["Host: localhost"]),
    gets: { status: 204 },
    sees: "nothing",
  },
  {
    it: "a target of more than 16 KiB is 414",
    authority: "RFC 9110, 15.5.15; developers.cloudflare.com/workers/platform/limits: URLs have at most 16 KB",
    send: bare(`GET /m/${"a".repeat(17_000)} HTTP/1.1`, ["Host: localhost"]),
    gets: { status: 414 },
    sees: "nothing",
  },
  {
    it: "fields of 60 KiB are taken",
    authority: "developers.cloudflare.com/workers/platform/limits: 128 KB in all",
    send: bare("GET /m/a HTTP/1.1", ["Host: localhost", `Cookie: a=${"x".repeat(60_000)}`]),
    gets: { status: 200 },
    sees: { headers: { cookie: `a=${"x".repeat(60_000)}` } },
  },
  {
    it: "fields of a megabyte are 431",
    authority: "RFC 6585, 5",
    send: bare("GET /m/a HTTP/1.1", ["Host: localhost", `Cookie: a=${"x".repeat(2 ** 20)}`]),
    gets: { status: 431 },
    sees: "nothing",
  },
  {
    it: "bytes of a request's fields pass as they are",
    authority: "RFC 9110, 5.5",
    send: bare("GET /m/a HTTP/1.1", [
      "Host: localhost",
      "X-Latin: caf\xe9",
      "X-Utf: caf\xc3\xa9",
      "X-Empty:",
      "Cookie: a=\xfc",
    ]),
    gets: { status: 200 },
    sees: { headers: { "x-latin": "caf\xe9", "x-utf": "caf\xc3\xa9", "x-empty": "", cookie: "a=\xfc" } },
  },
];
