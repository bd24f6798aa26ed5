/** Bodies that are forms. */
import { field, form, multipart, type ParameterRow, type Sent } from "./row.ts";

const urlencoded = (schema: object, encoding?: object) => ({
  "application/x-www-form-urlencoded": { schema, ...(encoding && { encoding }) },
});
const parts = (schema: object, encoding?: object) => ({
  "multipart/form-data": { schema, ...(encoding && { encoding }) },
});

const order = {
  type: "object",
  required: ["id"],
  additionalProperties: false,
  properties: {
    id: { type: "integer", maximum: 100 },
    gift: { type: "boolean" },
    note: { type: "string", maxLength: 5 },
    tags: { type: "array", items: { type: "string", maxLength: 3 }, maxItems: 2 },
    to: { type: "object", required: ["place"], properties: { place: { type: "string" } } },
  },
};
const formType = { "content-type": "application/x-www-form-urlencoded" };
const file = ';filename="a.png"\r\nContent-Type: image/png';
const raw = (body: string): Sent => ({ headers: { "content-type": "multipart/form-data; boundary=b-1" }, body });

const short = { type: "string", maxLength: 3 };
const optional = {
  type: "object",
  properties: {
    tags: { anyOf: [{ type: "array", items: short }, { type: "null" }] },
    to: { anyOf: [{ type: "object", properties: { a: { type: "integer" } } }, { type: "null" }] },
    either: { anyOf: [short, { type: "array", items: short }] },
    file: { anyOf: [{ type: "string", format: "binary" }, { type: "null" }] },
  },
};

export const formRows: readonly ParameterRow[] = [
  {
    it: "a form, field by field: texts are read as the types of their properties",
    authority: "OpenAPI 3.1.1, encoding the x-www-form-urlencoded media type",
    content: urlencoded(order),
    takes: [form("id=5"), form("id=5&gift=true&note=a+b&tags=a&tags=b"), form("%69d=5")],
    refuses: [
      form("gift=true"),
      form("id=500"),
      form("id=five"),
      form("id=1&gift=yes"),
      form("id=1&note=toolong"),
      form("id=1&other=1"),
      form("id=1&tags=a&tags=b&tags=c"),
      { headers: { "content-type": "application/json" }, body: '{"id":1}' },
    ],
  },
  {
    it: "a body with a content coding, of which the gate would check other bytes than the service reads",
    authority: "RFC 9110, 8.4.1 and 15.5.16; a text can be JSON and deflated bytes at once",
    content: { "application/json": { schema: order }, ...urlencoded(order) },
    takes: [
      { headers: { "content-type": "application/json", "content-encoding": "identity" }, body: '{"id":1}' },
      { headers: { "content-type": "application/json", "content-encoding": "" }, body: '{"id":1}' },
    ],
    refuses: ["gzip", "deflate", "br", "zstd", "x-gzip", "identity, gzip", "GZIP", "made-up"].flatMap((coding) => [
      { headers: { "content-type": "application/json", "content-encoding": coding }, body: '{"id":1}' },
      { headers: { ...formType, "content-encoding": coding }, body: "id=1" },
    ]),
  },
  {
    it: "a form, a field twice that is no list",
    authority: "OWASP WSTG-INPV-04, HTTP parameter pollution",
    content: urlencoded(order),
    takes: [form("id=1")],
    refuses: [form("id=1000&id=1"), form("id=1&id=1000"), form("id=1&%69d=1")],
  },
  {
    it: "a form, an object in a field is JSON where no style is given",
    authority: "OpenAPI 3.1.1, example: URL encoded form with JSON values",
    content: urlencoded(order),
    takes: [form("id=1&to=%7B%22place%22%3A%22Ulm%22%7D")],
    refuses: [
      form("id=1&to=Ulm"),
      form("id=1&to=%7B%7D"),
      form("id=1&to=%7B%22place%22:1%7D"),
      form("id=1&to=%7B%7D&to=%7B%7D"),
    ],
  },
  {
    it: "a form, styles of its encoding are those of the query",
    authority: "OpenAPI 3.1.1, fixed fields for RFC6570-style serialization; Stripe's document",
    content: urlencoded(
      {
        type: "object",
        additionalProperties: false,
        properties: {
          metadata: {
            anyOf: [{ type: "object", additionalProperties: { type: "string", maxLength: 3 } }, { enum: [""] }],
          },
          ids: { type: "array", items: { type: "integer" } },
          items: { type: "array", items: { type: "object", properties: { count: { type: "integer" } } } },
        },
      },
      {
        metadata: { style: "deepObject", explode: true },
        ids: { style: "form", explode: false },
        items: { style: "deepObject", explode: true },
      },
    ),
    takes: [
      form("metadata[a]=1&metadata[b]=x&ids=1,2"),
      form("metadata="),
      form("items[0][count]=1&items[1][count]=2"),
    ],
    refuses: [
      form("metadata[a]=long"),
      form("ids=1,a"),
      form("items[0][count]=a"),
      form("meta[a]=1"),
      form("metadata[a]=1&metadata[a]=2"),
    ],
  },
  {
    it: "a form of any fields",
    authority: "JSON Schema 2020-12, section 10.3.2.3",
    content: urlencoded({ type: "object", additionalProperties: { type: "integer" }, maxProperties: 2 }),
    takes: [form("a=1&b=2"), form("__proto__=1")],
    refuses: [form("a=x"), form("a=1&b=2&c=3"), form("a=1&a=2"), form("__proto__=x")],
  },
  {
    it: "a form of any fields that are objects or lists of them",
    authority: "OpenAPI 3.1.1, Encoding Object, contentType",
    content: urlencoded({
      type: "object",
      additionalProperties: { type: "array", items: { type: "object", properties: { a: { type: "integer" } } } },
    }),
    takes: [form("x=%7B%22a%22:1%7D&x=%7B%7D"), form("x=[%7B%22a%22:1%7D]"), form("x=[]&y=%7B%7D")],
    refuses: [form("x=%7B%22a%22:%22b%22%7D"), form("x=1"), form("x=a")],
  },
  {
    it: "a form that cannot be read",
    authority: "OpenAPI 3.2.0, URL percent-encoding",
    content: urlencoded({ type: "object", properties: { a: { type: "string" } } }),
    takes: [form("a=%25"), form("a"), form("b=1&b=2")],
    refuses: [
      form("a=%zz"),
      form("a=%ff"),
      form("x&".repeat(10_001)),
      { headers: { "content-type": "application/x-www-form-urlencoded; charset=iso-8859-1" }, body: "a=1" },
    ],
  },
];

export const multipartRows: readonly ParameterRow[] = [
  {
    it: "multipart, field by field",
    authority: "OpenAPI 3.1.1, encoding multipart media types; RFC 7578",
    content: parts(order),
    takes: [
      multipart(field("id", "5")),
      multipart(field("id", "5"), field("note", "a+b%"), field("tags", "a"), field("tags", "b")),
      multipart(["content-disposition: FORM-DATA; name=id", "5"]),
    ],
    refuses: [
      multipart(field("note", "a")),
      multipart(field("id", "500")),
      multipart(field("id", "5"), field("id", "500")),
      multipart(field("id", "5"), field("other", "1")),
      multipart(field("id", "5"), field("note", "toolong")),
      multipart(field("id", "5"), field("tags", "a"), field("tags", "b"), field("tags", "c")),
    ],
  },
  {
    it: "multipart, an object is JSON, with or without its type",
    authority: "OpenAPI 3.1.1, Encoding Object, contentType; Spring's RequestPart",
    content: parts(order),
    takes: [
      multipart(field("id", "5"), field("to", '{"place":"Ulm"}', "\r\nContent-Type: application/json")),
      multipart(field("id", "5"), field("to", '{"place":"Ulm"}')),
    ],
    refuses: [
      multipart(field("id", "5"), field("to", "{}", "\r\nContent-Type: application/json")),
      multipart(field("id", "5"), field("to", "Ulm")),
      multipart(field("id", "5"), field("to", "<place/>", "\r\nContent-Type: application/xml")),
    ],
  },
  {
    it: "multipart, a file: it has to be there, and is as long as it may be; nobody looks into it",
    authority: "OpenAPI 3.0.3, considerations for file uploads; 3.1.1, working with binary data",
    version: "3.0.3",
    content: parts({
      type: "object",
      required: ["file"],
      properties: { file: { type: "string", format: "binary", maxLength: 10 }, name: { type: "string", maxLength: 3 } },
    }),
    takes: [
      multipart(field("file", "\u00ff\u0000\r\n--b-", file), field("name", "a")),
      multipart(field("file", "", file)),
      multipart(field("file", "plain")),
    ],
    refuses: [
      multipart(field("name", "a")),
      multipart(field("file", "01234567890", file)),
      multipart(field("file", "a", file), field("file", "b", file)),
      multipart(field("file", "a", file), field("name", "long")),
    ],
  },
  {
    it: "multipart, several files of one name",
    authority: "OpenAPI 3.1.1, example: multipart form with multiple files; RFC 7578, section 4.3",
    content: parts({
      type: "object",
      required: ["file"],
      properties: {
        file: { type: "array", minItems: 1, maxItems: 2, items: { type: "string", contentMediaType: "image/png" } },
      },
    }),
    takes: [multipart(field("file", "\u0000", file)), multipart(field("file", "a", file), field("file", "b", file))],
    refuses: [multipart(), multipart(field("file", "a", file), field("file", "b", file), field("file", "c", file))],
  },
  {
    it: "multipart and forms, what may be null, or one thing or another",
    authority: "FastAPI, Optional fields of Form and File",
    content: {
      ...parts(optional),
      ...urlencoded(optional),
    },
    takes: [
      multipart(field("tags", "a"), field("tags", "b"), field("either", "x"), field("file", "\u0000", file)),
      multipart(field("to", '{"a":1}'), field("either", "x"), field("either", "y")),
      multipart(),
      form("tags=a&tags=b&either=x&to=%7B%22a%22:1%7D"),
      form("tags=a&to="),
    ],
    refuses: [
      multipart(field("tags", "long")),
      multipart(field("to", '{"a":"b"}')),
      form("tags=long"),
      form("to=a"),
      form("either=long&either=x"),
    ],
  },
  {
    it: "multipart, a file that nobody has chosen is none",
    authority: "HTML Living Standard, section 4.10.21.4, constructing the entry list",
    content: parts(
      {
        type: "object",
        required: ["file"],
        properties: {
          file: { type: "string", format: "binary" },
          more: { type: "string", format: "binary", minLength: 1 },
        },
      },
      { file: { contentType: "image/png" } },
    ),
    takes: [
      multipart(field("file", "a", file), field("more", "", ';filename=""\r\nContent-Type: application/octet-stream')),
    ],
    refuses: [
      multipart(field("file", "", ';filename=""\r\nContent-Type: application/octet-stream')),
      multipart(field("file", "a", file), field("more", "", file)),
    ],
  },
  {
    it: "multipart, media types of its parts",
    authority: "OpenAPI 3.1.1, Encoding Object, contentType",
    content: parts(
      { type: "object", properties: { file: {}, meta: { type: "object", properties: { a: { type: "integer" } } } } },
      { file: { contentType: "image/png, image/jpeg" }, meta: { contentType: "application/json" } },
    ),
    takes: [
      multipart(field("file", "a", file)),
      multipart(field("file", "a", ";filename=a\r\nContent-Type: IMAGE/JPEG; q=1"), field("meta", '{"a":1}')),
    ],
    refuses: [
      multipart(field("file", "a", ';filename="a.exe"\r\nContent-Type: application/x-msdownload')),
      multipart(field("file", "a", ';filename="a.png"')),
      multipart(field("meta", "{}", "\r\nContent-Type: text/plain")),
      multipart(field("meta", '{"a":"b"}')),
    ],
  },
  {
    it: "multipart that services read in different ways is refused",
    authority: "RFC 2046, section 5.1.1; RFC 7578, sections 4.2 and 4.7",
    content: parts({ type: "object", properties: { a: { type: "string", maxLength: 3 } } }),
    takes: [
      multipart(field("a", "abc")),
      raw('preamble\r\n--b-1 \r\nContent-Disposition: form-data; name="a"\r\n\r\nabc\r\n--b-1--\r\nepilogue'),
      raw("--b-1--\r\n"),
    ],
    refuses: [
      raw('--b-1\r\nContent-Disposition: form-data; name="a"\r\n\r\nabc'),
      raw('--b-1\nContent-Disposition: form-data; name="a"\n\nabcdef\n--b-1--\n'),
      raw("abc"),
      { headers: { "content-type": "multipart/form-data" }, body: "--b-1--\r\n" },
      { headers: { "content-type": "multipart/form-data; boundary=b-1; boundary=b-2" }, body: "--b-1--\r\n" },
      multipart(['Content-Disposition: form-data; name="b"; name="a"', "abcdef"]),
      multipart(["Content-Disposition: form-data; name*=utf-8''a", "abcdef"]),
      multipart(['Content-Disposition: form-data; name="b"\r\nContent-Disposition: form-data; name="a"', "abcdef"]),
      multipart(['Content-Disposition: form-data;\r\n name="a"', "abcdef"]),
      multipart(["X: y", "abc"]),
      multipart(field("a", "YQ==", "\r\nContent-Transfer-Encoding: base64")),
      multipart(field("a", "abc", "\r\nContent-Type: text/plain; charset=utf-16")),
    ],
  },
];

const small = { type: "object", required: ["n"], properties: { n: { type: "integer" } } };
const jsonTypes = ["application/json", "text/json", "application/merge-patch+json", "model/gltf+json"];
const sentAs = (types: readonly string[], body: string): Sent[] =>
  types.map((type) => ({ headers: { "content-type": type }, body }));
const compressed = (type: string, encoding: string): Sent => ({
  headers: { "content-type": type, "content-encoding": encoding },
  body: '{"n":1}',
});

export const otherRows: readonly ParameterRow[] = [
  {
    it: "media types that no gate reads have to be listed, and pass",
    authority: "OpenAPI 3.1.1, Request Body Object, content",
    content: {
      "application/xml": { schema: { type: "object", properties: { a: { type: "integer" } } } },
      "application/octet-stream": {},
    },
    takes: [
      { headers: { "content-type": "application/xml" }, body: "<a>b</a>" },
      { headers: { "content-type": "application/octet-stream" }, body: "\u0000" },
    ],
    refuses: [{ headers: { "content-type": "text/csv" }, body: "a,b" }],
  },
  {
    it: "text/json, application/*+json and other types with the suffix +json are JSON, as ASP.NET Core lists them",
    authority: "Swashbuckle.AspNetCore: text/json and application/*+json of each body; RFC 6839, 3.1",
    content: {
      "application/json": { schema: small },
      "text/json": { schema: small },
      "application/*+json": { schema: small },
      "model/gltf+json": { schema: small },
    },
    takes: sentAs(jsonTypes, '{"n":1}'),
    refuses: sentAs(jsonTypes, '{"n":"one"}'),
  },
  {
    it: "a body of */* is checked where it is JSON or a form",
    authority: "OpenAPI 3.1.1, Request Body Object, content: media type ranges; SpringDoc",
    content: { "*/*": { schema: small } },
    takes: [
      ...sentAs(["application/json", "application/problem+json", "text/json", "text/csv"], '{"n":1}'),
      form("n=1"),
      multipart(field("n", "1")),
    ],
    refuses: [
      ...sentAs(["application/json", "application/problem+json", "text/json", "Application/JSON; charset=utf-8"], "{}"),
      form("n=one"),
      multipart(field("n", "one")),
    ],
  },
  {
    it: "a body of */* that may be any text or file is passed, JSON too",
    authority: "OpenAPI 3.0.4, considerations for file uploads: */* with format binary",
    version: "3.0.3",
    content: { "*/*": { schema: { type: "string", format: "binary", maxLength: 3 } } },
    takes: sentAs(["application/json", "image/png"], '{"n":"one"}'),
    refuses: [],
  },
  {
    it: "a narrower type holds ahead of a range, and a narrower range ahead of a wider one",
    authority: "OpenAPI 3.1.1, Request Body Object: only the most specific key is applicable",
    content: {
      "*/*": { schema: { type: "object", required: ["all"] } },
      "application/*": { schema: { type: "object", required: ["some"] } },
      "application/json": { schema: { type: "object", required: ["one"] } },
    },
    takes: [
      ...sentAs(["application/json"], '{"one":1}'),
      ...sentAs(["application/a+json"], '{"some":1}'),
      ...sentAs(["text/json"], '{"all":1}'),
      multipart(field("all", "1")),
    ],
    refuses: [
      ...sentAs(["application/json"], '{"some":1}'),
      ...sentAs(["application/a+json"], '{"all":1}'),
      ...sentAs(["text/json"], '{"one":1}'),
      multipart(field("some", "1")),
    ],
  },
  {
    it: "types that differ in their parameters alone: a body of one of them is taken",
    authority: "ASP.NET API Versioning: application/json; v=1.0 and application/json; v=2.0 of one body",
    content: {
      "application/json; v=1.0": { schema: small },
      "application/json; v=2.0": { schema: { type: "object", required: ["m"] } },
    },
    takes: ['{"n":1}', '{"m":1}'].flatMap((body) => sentAs(["application/json; v=1.0", "application/json"], body)),
    refuses: sentAs(["application/json; v=2.0", "application/json"], '{"n":"one"}'),
  },
  {
    it: "a body that is checked and compressed is not taken for what it is not",
    authority: "RFC 9110, 8.4.1 and 15.5.16: a server that does not take an encoding answers 415",
    content: { "application/json": { schema: small }, "application/octet-stream": {} },
    takes: [
      compressed("application/octet-stream", "gzip"),
      compressed("application/json", "identity"),
      compressed("application/json", ""),
    ],
    refuses: ["gzip", "br", "deflate", "gzip, identity", "x-unknown"].map((it) => compressed("application/json", it)),
  },
  {
    it: "what is readOnly is not required in a request, wherever in a composition it says so",
    authority: "OpenAPI 3.1.1, 4.8.24.3: readOnly; Box: DocGenJob--Full; Cloudflare: anomaly_rule",
    schemas: {
      RoBase: { type: "object", properties: { id: { type: "integer", readOnly: true }, n: { type: "integer" } } },
      RoId: { type: "integer" },
      RoMade: { type: "string", readOnly: true },
    },
    content: {
      "application/json": {
        schema: {
          allOf: [{ $ref: "#/components/schemas/RoBase" }, { required: ["id", "n"] }],
          required: ["id", "key", "made"],
          properties: {
            key: { $ref: "#/components/schemas/RoId", readOnly: true },
            made: { allOf: [{ $ref: "#/components/schemas/RoMade" }] },
          },
        },
      },
    },
    takes: sentAs(["application/json"], '{"n":1}'),
    refuses: [...sentAs(["application/json"], "{}"), ...sentAs(["application/json"], '{"n":1,"id":"a"}')],
  },
];
