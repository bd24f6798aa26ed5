/** Fuzz target: bodies of every kind, with valid and invalid framing. */
import fc from "fast-check";
import { each } from "../announced-property.ts";
import { cuts, cutText, fieldValue, latin, oddJson, oneOf } from "../pieces.ts";
import type { Target } from "../target.ts";
import { sendAndCheck, type Wire } from "../wire.ts";

const json = fc.oneof(
  oddJson.map((it) => JSON.stringify(it) ?? ""),
  fc
    .tuple(
      oddJson.map((it) => JSON.stringify({ amount: 1, list: [it], note: "a" })),
      cuts(oneOf("", "{", "[", '"', "\\u", ",", "1e999", "\u0000", "é")),
    )
    .map(([text, all]) => cutText(text, all)),
  oneOf(
    "",
    " ",
    "\ufeff{}",
    '{"amount":1e999}',
    '{"amount":1,"amount":"a"}',
    `${"[".repeat(5000)}${"]".repeat(5000)}`,
    `{"a":${"[".repeat(9000)}`,
    '{"__proto__":{"amount":1}}',
  ),
);
const boundary = "aXb";
const part = oneOf(
  ...[
    `--${boundary}\r\n`,
    `--${boundary}--`,
    "\r\n",
    "\n",
    'Content-Disposition: form-data; name="amount"\r\n',
    "Content-Disposition: form-data; name=a; filename*=UTF-8''%zz\r\n",
  ],
  ...[
    "Content-Type: application/json\r\n",
    "\r\n1\r\n",
    "--",
    "\0",
    "\xff",
    "a".repeat(2000),
    'Content-Disposition: form-data; name=""; name="b"\r\n',
  ],
);
const content = fc.oneof(
  { weight: 4, arbitrary: json.map((body) => ({ type: "application/json", body })) },
  {
    weight: 1,
    arbitrary: fc
      .array(part, { maxLength: 20 })
      .map((all) => ({ type: `multipart/form-data; boundary=${boundary}`, body: all.join("") })),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(oneOf(..."amount = & 1 %zz + a[b] ; é %00 amount=1 list[0]= __proto__=".split(" ")), { maxLength: 20 })
      .map((all) => ({ type: "application/x-www-form-urlencoded", body: all.join("") })),
  },
  { weight: 2, arbitrary: fc.tuple(fieldValue, json).map(([type, body]) => ({ type, body })) },
);

type Field = [string, string];
const framing: fc.Arbitrary<(body: string) => { readonly headers: readonly Field[]; readonly body: string }> = fc.oneof(
  { weight: 8, arbitrary: fc.constant((body: string) => ({ headers: [] as Field[], body })) },
  {
    weight: 3,
    arbitrary: fc
      .record({
        size: fc.integer({ min: 1, max: 40 }),
        extension: oneOf("", ";a=b", ";a", ' ;a="b"'),
        end: oneOf("0\r\n\r\n", "0\r\nX-A: b\r\n\r\n", "0;a\r\n\r\n", "", "zz\r\n", "-1\r\n"),
      })
      .map(({ size, extension, end }) => (body: string) => ({
        headers: [["Transfer-Encoding", "chunked"]] as Field[],
        body: chunked(body, size, extension) + end,
      })),
  },
  {
    weight: 1,
    arbitrary: oneOf<Field[]>(
      [["Content-Length", "1"]],
      [["Content-Length", "99999"]],
      [["Content-Length", "-1"]],
      [["Content-Length", "1e3"]],
      [["Content-Length", "18446744073709551616"]],
      [
        ["Content-Length", "3"],
        ["Transfer-Encoding", "chunked"],
      ],
      [
        ["Content-Length", "3"],
        ["Content-Length", "4"],
      ],
      [["Transfer-Encoding", "gzip, chunked"]],
      [
        ["Expect", "100-continue"],
        ["Content-Length", "2"],
      ],
    ).map((headers) => (body: string) => ({ headers, body })),
  },
);

const chunked = (body: string, size: number, extension: string): string => {
  let text = "";
  for (let at = 0; at < body.length; at += size) {
    const piece = body.slice(at, at + size);
    text += `${piece.length.toString(16)}${extension}\r\n${piece}\r\n`;
  }
  return text;
};

const bytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

const requests = fc
  .record({
    method: oneOf("POST", "PUT", "PATCH", "DELETE", "GET", "HEAD", "OPTIONS"),
    target: oneOf(
      "/f/checked",
      "/f/checked",
      "/f/checked",
      "/f/signed/a",
      "/f/mirrored",
      "/f/browser",
      "/f/said",
      "/f/jwt",
      "/x",
      "/ws",
    ),
    content,
    encoding: oneOf<Field[]>(
      [],
      [],
      [],
      [["Content-Encoding", "gzip"]],
      [["Content-Encoding", "identity"]],
      [["Content-Encoding", "br, gzip"]],
    ),
    framing,
  })
  .map(({ method, target, content, encoding, framing }): Wire => {
    const { headers, body } = framing(bytes(content.body));
    return { method, target, headers: [["Content-Type", latin(content.type)], ...encoding, ...headers], body };
  });

export const bodies: Target = {
  name: "bodies",
  about: "bodies of JSON, forms and others, and how long they say that they are",
  needs: "gateway",
  open: async ({ port }) => ({ property: each(requests, async (it) => void (await sendAndCheck(port, it))) }),
};
