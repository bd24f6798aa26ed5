/** Parsed request URLs equal those of the URL standard, with and without the parser. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseRequestUrl, type RequestUrl } from "../../../functions/gateway/http/request-url.ts";

const partsOf = ({ protocol, host, hostname, origin, pathname, search }: RequestUrl) => ({
  protocol,
  host,
  hostname,
  origin,
  pathname,
  search,
});

/** Asserts that the result equals the parser's, or is undefined for an invalid or unusual host. */
const agree = (text: string): void => {
  const found = parseRequestUrl(text);
  if (!URL.canParse(text)) expect(found, text).toBeUndefined();
  else if (found) expect(partsOf(found), text).toEqual(partsOf(new URL(text)));
};

it.each([
  "http://localhost:43127/v1/users/123/orders?limit=10",
  "https://api.acme.example/",
  "https://api.acme.example",
  "https://API.acme.example/a",
  "https://api.acme.example./a",
  "https://api.acme.example:443/a",
  "http://api.acme.example:80/a",
  "http://api.acme.example:8080/a",
  "http://api.acme.example:65536/a",
  "http://api.acme.example:0080/a",
  "https://192.0.2.1/a",
  "https://0x7f.1/a",
  "https://a.0x7f/a",
  "https://1.2.3.4a/a",
  "https://xn--mnchen-3ya.example/a",
  "https://a.xn--zz/a",
  "https://[2001:db8::1]/a",
  "https://user@api.acme.example/a",
  "https://a..b/a",
  "https://api.acme.example/a/../b",
  "https://api.acme.example/a/./b",
  "https://api.acme.example/a/%2e%2e/b",
  "https://api.acme.example/a/..",
  "https://api.acme.example/a/.hidden",
  "https://api.acme.example//a//",
  "https://api.acme.example/a\\b",
  "https://api.acme.example/a b?c d",
  "https://api.acme.example/ä?ä",
  "https://api.acme.example/a?",
  "https://api.acme.example/a??b",
  "https://api.acme.example/a?b='c'",
  "https://api.acme.example/a?b#c",
  "https://api.acme.example/a\n/b",
  "https:/api.acme.example/a",
  "ftp://api.acme.example/a",
])("%s", agree);

it.each([".acme.example", "a..acme.example", "acme.example..", ".", "..", "-", "a_b.acme.example", "acme.example."])(
  "%s is a valid host if no label is empty",
  (host) => {
    const hasEmpty = host
      .replace(/(?<=[^.])\.$/, "")
      .split(".")
      .includes("");
    expect(parseRequestUrl(`https://${host}/a`) === undefined).toBe(hasEmpty);
  },
);

it("any combination of URL pieces", () => {
  const piece = fc.constantFrom(
    ...[
      "http://",
      "https://",
      "a",
      "b.c",
      ".",
      "..",
      "/",
      "//",
      "?",
      "#",
      ":",
      "80",
      "443",
      "8080",
      "61000",
      "1",
      "0x1",
    ],
    ...[
      "-",
      "_",
      "xn--",
      "%2e",
      "%2F",
      "%",
      "\\",
      "@",
      "A",
      "ä",
      " ",
      "\t",
      "'",
      '"',
      "<",
      ";",
      "*",
      "+",
      "=",
      "&",
      "|",
    ],
  );
  const rest = fc.array(piece, { maxLength: 12 }).map((all) => all.join(""));
  fc.assert(
    fc.property(fc.constantFrom("http://a", "https://b.example", "https://", ""), rest, (begin, end) =>
      agree(begin + end),
    ),
    { numRuns: 3000, seed: 1 },
  );
});
