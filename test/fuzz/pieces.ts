/** Pieces of inputs that have broken parsers before, and texts made of them. */
import fc from "fast-check";

export const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Of targets: encodings once, twice and thrice, dots, separators, controls, overlong and lone bytes. */
const pathPieces = oneOf(
  ..."/ // . .. ; , = & ? # % %2 %zz %2f %2F %5c %25 %252e %25%32%65 %2e %2E%2e %00 %0a %0d%0a %7f %80 %c0%af %e0%80%af".split(
    " ",
  ),
  ..."%ed%a0%80 %f0%9f%98%80 %c3%a9 \xe9 \\ | ^ ` { } [ ] < > \" ' * @ : ! $ ( ) ~ + a A 0 7 é x-y _ - %61 %u002e ...".split(
    " ",
  ),
  ..."__proto__ constructor toString null undefined NaN 1e308 -1 99999999999999999999".split(" "),
);
export const pathText = fc.array(pathPieces, { maxLength: 24 }).map((all) => latin(all.join("")));

/** One character a byte, without what ends a line of HTTP. */
export const latin = (text: string): string =>
  Buffer.from(text, "utf8")
    .toString("latin1")
    .replace(/[\r\n ]/g, "");

const valuePieces = oneOf(
  ..."a b 0 1 - _ . , ; = : / \\ \" ' ( ) [ ] { } < > @ ? * ! # $ % & ^ ` | ~ + \t \x01 \x7f \x80 \xff \xe9 %41 %c3%a9 %".split(
    " ",
  ),
  ...'q=0 q=1.0 ;q= bytes=0- gzip br identity chunked text/html application/json charset=utf-8 boundary=x */* W/"a" no-cache max-age='.split(
    " ",
  ),
  ...'Basic Bearer Mon, 01 Jan 2030 00:00:00 GMT 9999999999 -1 1e308 NaN null true ?1 :YQ==: @99999999999999 sig1=() sig=("@method");created='.split(
    " ",
  ),
  ...'127.0.0.1 ::1 [::1]:80 unknown for="[::1]" proto=https localhost http://a.example https://app.example null'.split(
    " ",
  ),
  " ",
  "  ",
);
export const fieldValue = fc.oneof(
  { weight: 8, arbitrary: fc.array(valuePieces, { maxLength: 20 }).map((all) => all.join("")) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 9000 })
      .chain((size) => valuePieces.map((it) => it.repeat(size).slice(0, 9000))),
  },
);

/** Fields that some part of a gate reads, and others. */
const knownFields = oneOf(
  ..."accept accept-encoding accept-language authorization cookie content-type content-encoding content-digest content-length".split(
    " ",
  ),
  ..."date expect forwarded from host if-match if-none-match if-modified-since if-unmodified-since if-range range origin referer".split(
    " ",
  ),
  ..."access-control-request-method access-control-request-headers sec-fetch-site sec-fetch-mode sec-websocket-key sec-websocket-version".split(
    " ",
  ),
  ..."sec-websocket-protocol sec-websocket-extensions upgrade connection te trailer transfer-encoding keep-alive proxy-connection".split(
    " ",
  ),
  ..."traceparent tracestate x-request-id x-device-id x-forwarded-for x-forwarded-proto x-forwarded-host x-real-ip cf-connecting-ip".split(
    " ",
  ),
  ..."x-postern-caller x-postern-parent-span postern-label postern-explain cloudflare-workers-version-key cloudflare-workers-version-overrides".split(
    " ",
  ),
  ..."signature signature-input x-key x-a x-h x-http-method-override user-agent via priority early-data max-forwards pragma cache-control".split(
    " ",
  ),
);
const oddName = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
export const fieldName = fc.oneof({ weight: 9, arbitrary: knownFields }, { weight: 1, arbitrary: oddName });

export const fields = fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 8 });

export const method = fc.oneof(
  { weight: 8, arbitrary: oneOf("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH") },
  { weight: 1, arbitrary: oneOf("TRACE", "CONNECT", "PROPFIND", "QUERY", "PURGE", "get", "M-SEARCH", "FOO") },
);

/** A JSON value that readers differ about. */
export const oddNumber = oneOf(
  0,
  -0,
  -1,
  1.5,
  1e308,
  -1e308,
  1e21,
  2 ** 53,
  2 ** 31,
  2 ** 63,
  8.64e15,
  8.64e15 + 1,
  5e-324,
);
export const oddJson: fc.Arbitrary<unknown> = fc.oneof(
  // No text can be made of these.
  oneOf({ toString: {}, valueOf: 1 }, [[[{ toString: null }]]]),
  fc.jsonValue({ maxDepth: 3 }),
  oddNumber,
  oneOf("", "__proto__", "a".repeat(5000), "\u0000", "\ud800", "é", "2027-06-30", "1e308", "NaN"),
  fc.dictionary(oneOf("__proto__", "constructor", "toString", "a", "", "amount", "note", "list"), fc.jsonValue(), {
    maxKeys: 5,
  }),
);

export interface Cut {
  readonly at: number;
  readonly drop: number;
  readonly put: string;
}
/** Cuts of a text: some of it dropped, repeated, or replaced. */
export const cuts = (put: fc.Arbitrary<string>) =>
  fc.array(fc.record({ at: fc.nat(100_000), drop: fc.nat(12), put }), { minLength: 1, maxLength: 4 });
export const cutText = (text: string, all: readonly Cut[]): string =>
  all.reduce((it, { at, drop, put }) => {
    const from = at % (it.length + 1);
    return it.slice(0, from) + put + it.slice(from + drop);
  }, text);
