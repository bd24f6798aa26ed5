/** What services answer, odd as it may be. */
import { answer, bare, type MessageRow, request } from "../messages.ts";

const get = request("GET /m/a");
const disposition = 'attachment; filename="\xfcber.pdf"';
const inUtf8 = 'attachment; filename="\xc3\xbcber.pdf"';

const bytes = ([what, headers, expected]: readonly [
  string,
  readonly string[],
  MessageRow["gets"]["headers"],
]): MessageRow => ({
  it: `fields of an answer pass as they are: ${what}`,
  authority: "RFC 9110, 5.5; RFC 6266, 4.3",
  send: get,
  reply: { bytes: answer([...headers, "Content-Length: 2"], "ok") },
  gets: { status: 200, body: "ok", headers: expected ?? {} },
});

const status = ([line, expected, body]: readonly [string, number, string]): MessageRow => ({
  it: `the status is the service's: ${line || "(none)"}`,
  authority: "RFC 9110, 15",
  send: get,
  reply: { bytes: answer([`Content-Length: ${body.length}`], body, line) },
  gets: { status: expected, ...(body !== "" && { body }) },
});

const broken = ([what, reply, code, closes]: readonly [string, string, string, true?]): MessageRow => ({
  it: `an answer that is none is 502, and the service's fault: ${what}`,
  authority: "RFC 9110, 15.6.3",
  send: get,
  reply: { bytes: reply, ...(closes && { closes }) },
  gets: { status: 502, code },
  serviceFails: true,
});

export const answers: readonly MessageRow[] = [
  ...(
    [
      ["a name in Latin-1", [`Content-Disposition: ${disposition}`], { "content-disposition": disposition }],
      ["a name in UTF-8", [`Content-Disposition: ${inUtf8}`], { "content-disposition": inUtf8 }],
      [
        "any field in Latin-1",
        ["X-Place: M\xfcnchen", "Location: /\xe9"],
        { "x-place": "M\xfcnchen", location: "/\xe9" },
      ],
      ["every byte above 0x7F", [`X-All: ${allHigh()}`], { "x-all": allHigh() }],
      ["a tab, and an empty value", ["X-Tab: a\tb", "X-Empty:"], { "x-tab": "a\tb", "x-empty": "" }],
      [
        "several cookies",
        ["Set-Cookie: a=1", "Set-Cookie: b=2; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "Set-Cookie: c=\xfc"],
        { "set-cookie": ["a=1", "b=2; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "c=\xfc"] },
      ],
      [
        "content that is encoded",
        ["Content-Encoding: zstd", "Vary: Accept-Encoding"],
        { "content-encoding": "zstd", vary: "Accept-Encoding" },
      ],
      ["60 KiB in one", [`X-Big: ${"x".repeat(60_000)}`], { "x-big": "x".repeat(60_000) }],
      [
        "three thousand of them",
        Array.from({ length: 3000 }, (_, index) => `X-${index}: a`),
        { "x-0": "a", "x-2999": "a" },
      ],
    ] as const
  ).map(bytes),
  ...(
    [
      ["200", 200, "ok"],
      ["200 \xdcber alles", 200, "ok"],
      ["299 Odd", 299, "ok"],
      ["418 I'm a teapot", 418, "ok"],
      ["499 Client Closed", 499, "ok"],
      ["520 Unknown", 520, "ok"],
      ["599 Timeout", 599, "ok"],
      ["205 Reset Content", 205, ""],
    ] as const
  ).map(status),
  ...(
    [
      ["600 beyond all", answer(["Content-Length: 2"], "ok", "600 X"), "upstream-invalid"],
      ["999 beyond all", answer(["Content-Length: 2"], "ok", "999 X"), "upstream-invalid"],
      [
        "a switch that nobody requested",
        answer(["Connection: Upgrade", "Upgrade: h2c"], "", "101 Switching"),
        "upstream-invalid",
      ],
      ["a status of four digits", answer(["Content-Length: 2"], "ok", "1000 X"), "upstream-unreachable"],
      ["a status of two digits", answer(["Content-Length: 2"], "ok", "99 X"), "upstream-unreachable"],
      ["a length that is no number", answer(["Content-Length: 2x"], "ok"), "upstream-unreachable"],
      ["two lengths", answer(["Content-Length: 2", "Content-Length: 3"], "oko"), "upstream-unreachable"],
      ["a name that is none", answer(["X A: b", "Content-Length: 2"], "ok"), "upstream-unreachable"],
      ["a byte of zero in a field", answer(["X-A: a\0b", "Content-Length: 2"], "ok"), "upstream-unreachable"],
      ["no HTTP at all", "hello\r\n\r\n", "upstream-unreachable"],
      ["nothing", "", "upstream-unreachable", true],
    ] as const
  ).map(broken),
  {
    it: "204 has no body, whatever its length says",
    authority: "RFC 9110, 15.3.5",
    send: get,
    reply: { bytes: answer(["Content-Length: 2"], "ok", "204 No Content"), closes: true },
    gets: { status: 204, body: "" },
  },
  {
    it: "304 has no body, whatever its length says",
    authority: "RFC 9110, 15.4.5",
    send: get,
    reply: { bytes: answer(['ETag: "x"', "Content-Length: 100"], "", "304 Not Modified") },
    gets: { status: 304, body: "", headers: { etag: '"x"' } },
  },
  {
    it: "an answer to HEAD keeps its length",
    authority: "RFC 9110, 9.3.2",
    send: request("HEAD /m/a"),
    reply: { bytes: answer(["Content-Length: 100"]) },
    gets: { status: 200, headers: { "content-length": "100" } },
  },
  {
    it: "an answer to HEAD in chunks has none",
    authority: "RFC 9112, 6.3",
    send: request("HEAD /m/a"),
    reply: { bytes: answer(["Transfer-Encoding: chunked"]) },
    gets: { status: 200 },
  },
  ...(
    [
      ["early hints", bare("HTTP/1.1 103 Early Hints", ["Link: </a.css>; rel=preload"])],
      ["a continuation that nobody requested", bare("HTTP/1.1 100 Continue", [])],
      ["news of processing", bare("HTTP/1.1 102 Processing", [])],
    ] as const
  ).map(
    ([what, interim]): MessageRow => ({
      it: `an interim answer does no harm: ${what}`,
      authority: "RFC 9110, 15.2",
      send: get,
      reply: { bytes: interim + answer(["Content-Length: 2"], "ok") },
      gets: { status: 200, body: "ok" },
    }),
  ),
  {
    it: "trailers are left out, and the body is whole",
    authority: "RFC 9110, 6.5.1",
    send: get,
    reply: { bytes: answer(["Transfer-Encoding: chunked", "Trailer: X-T"], "2\r\nok\r\n0\r\nX-T: 1\r\n\r\n") },
    gets: { status: 200, body: "ok", headers: { "x-t": null } },
  },
  {
    it: "a body until the end of the connection is whole",
    authority: "RFC 9112, 6.3",
    send: get,
    reply: { bytes: "HTTP/1.0 200 OK\r\n\r\nok", closes: true },
    gets: { status: 200, body: "ok" },
  },
  {
    it: "an answer ahead of the body is the answer",
    authority: "RFC 9110, 10.1.1; RFC 9112, 9.5",
    send: request("POST /m/a", ["Content-Length: 60000"], "x".repeat(60_000)),
    reply: { bytes: answer(["Content-Length: 2"], "no", "401 Unauthorized"), early: true, closes: true },
    gets: { status: 401, body: "no" },
  },
  {
    it: "an answer ahead of a body in chunks is the answer",
    authority: "RFC 9110, 10.1.1; RFC 9112, 9.5",
    send: request("POST /m/a", ["Transfer-Encoding: chunked"], "5\r\nabcde\r\n0\r\n\r\n"),
    reply: { bytes: answer(["Content-Length: 2"], "no", "413 Content Too Large"), early: true, closes: true },
    gets: { status: 413, body: "no" },
  },
  {
    it: "a control character in a field, which the runtime lets pass, ends the answer and no process",
    authority: "RFC 9110, 5.5",
    send: get,
    reply: { bytes: answer(["X-A: a\x01b", "Content-Length: 2"], "ok") },
    gets: { status: 502 },
  },
  {
    it: "fields of 200 KiB end the answer and no process",
    authority: "developers.cloudflare.com/workers/platform/limits: 128 KB in all",
    send: get,
    reply: { bytes: answer([`X-Big: ${"x".repeat(200_000)}`, "Content-Length: 2"], "ok") },
    gets: { status: 502 },
  },
];

function allHigh(): string {
  return String.fromCharCode(...Array.from({ length: 128 }, (_, index) => index + 128));
}
