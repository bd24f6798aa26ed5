/** Parameters of the query. */
import { colour, colours, type ParameterRow, query, rgb, table } from "./row.ts";

const form = { style: "form" };
const joined = { explode: false };
const spaces = { style: "spaceDelimited" };
const bars = { style: "pipeDelimited" };
const deep = { style: "deepObject", explode: true };
const limit = { type: "integer", maximum: 100 };
const strings = { type: "array", items: { type: "string" }, maxItems: 2 };
const filter = (schema: object, more: object = {}) => [query(schema, { ...deep, ...more }, "filter")];

export const styleRows: readonly ParameterRow[] = [
  {
    it: "query, form, a single value: it stands once",
    authority: table,
    parameters: [query(colour, form)],
    takes: ["?color=blue", "", "?other=1", "?color=%62lue", "?c%6Flor=blue", "?&color=blue&"],
    refuses: ["?color=red", "?color=blue&color=black", "?color=blue&%63olor=blue", "?color=", "?color"],
  },
  {
    it: "query, form, a list: a name for each item",
    authority: table,
    parameters: [query(colours)],
    takes: ["?color=blue&color=black&color=brown", "?color=blue", "?color=blue&x=1&color=black", ""],
    refuses: ["?color=blue&color=red", "?color=blue,black", "?color=blue&color=blue&color=blue&color=blue"],
  },
  {
    it: "query, form without explode, a list: joined by commas in one value",
    authority: table,
    parameters: [query(colours, joined)],
    takes: ["?color=blue,black,brown", "?color=blue"],
    refuses: ["?color=blue,red", "?color=blue&color=black", "?color=blue,black,brown,blue"],
  },
  {
    it: "query, form, an object: a name for each property",
    authority: table,
    parameters: [query(rgb)],
    takes: ["?R=100&G=200&B=150", "?R=0", "", "?R=1&other=1"],
    refuses: ["?R=100&G=300", "?G=1", "?R=1&R=2", "?R=256&R=1", "?R=1&R=256"],
  },
  {
    it: "query, form without explode, an object: names and values alternate",
    authority: table,
    parameters: [query(rgb, joined)],
    takes: ["?color=R,100,G,200,B,150", "?color=R,1"],
    refuses: ["?color=R,300", "?color=R", "?color=G,1", "?color=R,1,R,2", "?color=R,1&color=R,2"],
  },
  {
    it: "query, spaceDelimited, a list: spaces, however they are encoded, are separators",
    authority: "OpenAPI 3.1.1, style examples and appendix E",
    parameters: [query(colours, spaces)],
    takes: ["?color=blue%20black%20brown", "?color=blue+black", "?color=blue"],
    refuses: ["?color=blue%20red", "?color=blue,black", "?color=blue&color=black"],
  },
  {
    it: "query, spaceDelimited, an object",
    authority: table,
    parameters: [query(rgb, spaces)],
    takes: ["?color=R%20100%20G%20200%20B%20150"],
    refuses: ["?color=R%20300", "?color=R%20100%20G"],
  },
  {
    it: "query, pipeDelimited, a list: bars, encoded or not, are separators",
    authority: "OpenAPI 3.1.1, style examples and appendix E",
    parameters: [query(colours, bars)],
    takes: ["?color=blue%7Cblack%7Cbrown", "?color=blue|black", "?color=blue"],
    refuses: ["?color=blue%7Cred", "?color=blue,black"],
  },
  {
    it: "query, pipeDelimited, an object",
    authority: table,
    parameters: [query(rgb, bars)],
    takes: ["?color=R%7C100%7CG%7C200%7CB%7C150", "?color=R|1"],
    refuses: ["?color=R%7C300", "?color=R%7C1%7CR%7C2"],
  },
  {
    it: "query, pipeDelimited with explode, which no version defines, is read as form",
    authority: "OpenAPI 3.1.1, style examples: n/a",
    parameters: [query(colours, { ...bars, explode: true })],
    takes: ["?color=blue&color=black"],
    refuses: ["?color=blue&color=red"],
  },
  {
    it: "query, deepObject, an object: a name with brackets for each property",
    authority: table,
    parameters: [query(rgb, deep)],
    takes: ["?color%5BR%5D=100&color%5BG%5D=200", "?color[R]=100", "", "?colorful[R]=x"],
    refuses: [
      "?color[R]=300",
      "?color[G]=1",
      "?color[R]=1&color[R]=2",
      "?color[R]=1000&color[R]=1",
      "?color[R]=1&color%5BR%5D=1000",
      "?color[R=1",
      "?color[R]x=1",
      "?color[R]=1&color=2",
    ],
  },
  {
    it: "query, deepObject, whose explode is false by default and means nothing",
    authority: "OpenAPI 3.2.0, Parameter Object, explode",
    parameters: [query(rgb, { style: "deepObject" })],
    takes: ["?color[R]=100"],
    refuses: ["?color[R]=300"],
  },
  {
    it: "query, content of application/json",
    authority: "OpenAPI 3.1.1, Parameter Object, content",
    parameters: [{ in: "query", name: "color", content: { "application/json": { schema: rgb } } }],
    takes: ["?color=%7B%22R%22:1%7D", "?color=%7B%22R%22%3A1%7D", ""],
    refuses: [
      "?color=%7B%22R%22:300%7D",
      "?color=R",
      "?color=",
      "?color=%7B%22R%22:1,%22R%22:2%7D",
      "?color=%7B%22R%22:1%7D&color=%7B%22R%22:2%7D",
    ],
  },
  {
    it: "query, content of text/plain is text, and not JSON",
    authority: "OpenAPI 3.1.1, Parameter Object, content",
    parameters: [
      { in: "query", name: "color", content: { "text/plain": { schema: { type: "string", maxLength: 5 } } } },
    ],
    takes: ["?color=blue", "?color=%7Ba", "?color=a+b"],
    refuses: ["?color=yellow", "?color=a&color=b"],
  },
];

export const valueRows: readonly ParameterRow[] = [
  {
    it: "of two equal names neither wins: the service may read the other one",
    authority: "OWASP WSTG-INPV-04, HTTP parameter pollution",
    parameters: [query({ type: "object", properties: { limit } }, {}, "page")],
    takes: ["?limit=1", "?limit=100"],
    refuses: ["?limit=1000&limit=1", "?limit=1&limit=1000", "?limit=1&limit=1", "?limit=1&%6cimit=1000"],
  },
  {
    it: "an encoded comma is part of an item, since items are split before they are decoded",
    authority: "OpenAPI 3.1.1, appendix C, delimiters in parameter values",
    parameters: [query(strings, joined)],
    takes: ["?color=a%2Cb,c", "?color=a,b"],
    refuses: ["?color=a,b,c", "?color=a%2Cb,c,d"],
  },
  {
    it: "an empty list is an empty value",
    authority: "OpenAPI 3.0.3, style examples, column empty",
    parameters: [query({ type: "array", items: { type: "integer" } }, joined)],
    takes: ["?color=", "?color", "", "?color=1,2"],
    refuses: ["?color=1,,2", "?color=,"],
  },
  {
    it: "an empty list is invalid where one item is required",
    authority: "OpenAPI 3.0.3, style examples, column empty",
    parameters: [query({ type: "array", minItems: 1, items: { type: "integer" } })],
    takes: ["?color=1"],
    refuses: ["?color="],
  },
  {
    it: "allowEmptyValue: an empty value stands for none",
    authority: "OpenAPI 3.1.1, Parameter Object, allowEmptyValue",
    parameters: [query({ type: "integer" }, { allowEmptyValue: true, required: true })],
    takes: ["?color=", "?color", "?color=1"],
    refuses: ["", "?color=a", "?color=&color=1"],
  },
  {
    it: "allowEmptyValue says nothing of styles that cannot write an empty value",
    authority: "OpenAPI 3.1.1, Parameter Object, allowEmptyValue",
    parameters: [query(rgb, { ...deep, allowEmptyValue: true })],
    takes: ["?color[R]=1"],
    refuses: ["?color="],
  },
  {
    it: "an empty text is a text",
    authority: "RFC 6570, section 3.2.8",
    parameters: [query({ type: "string", maxLength: 3 }, { required: true })],
    takes: ["?color=", "?color"],
    refuses: ["", "?color=abcd"],
  },
  {
    it: "a plus is a space, and an encoded plus is a plus",
    authority: "OpenAPI 3.2.0, URL percent-encoding",
    parameters: [query({ enum: ["a b", "a+c"] })],
    takes: ["?color=a+b", "?color=a%20b", "?color=a%2Bc"],
    refuses: ["?color=a+c"],
  },
  {
    it: "an escape that is none, or no UTF-8, is refused where it is read",
    authority: "OpenAPI 3.2.0, URL percent-encoding; RFC 3986, section 2.1",
    parameters: [query({ type: "string" })],
    takes: ["?color=%E2%9D%A4", "?other=%zz", "?color=100%25"],
    refuses: ["?color=%zz", "?color=%", "?color=%ff", "?color=%C0%AF"],
  },
  {
    it: "allowReserved: reserved characters need no escape",
    authority: "OpenAPI 3.1.1, Parameter Object, allowReserved",
    parameters: [query({ type: "string", pattern: "^/a/b:c@d[?]e;f=$" }, { allowReserved: true })],
    takes: ["?color=/a/b:c@d?e;f=", "?color=%2Fa%2Fb%3Ac%40d%3Fe%3Bf%3D"],
    refuses: ["?color=/a"],
  },
  {
    it: "integers are written as JSON writes them",
    authority: "JSON Schema 2020-12 validation, 6.1.1; RFC 8259, section 6",
    parameters: [query({ type: "integer" })],
    takes: ["?color=0", "?color=-5", "?color=1.0", "?color=123456789012345678901234567890"],
    refuses: ["?color=1.5", "?color=0x10", "?color=1_000", "?color=%2B5", "?color=+5", "?color=007", "?color=NaN"],
  },
  {
    it: "a number beyond all numbers is none",
    authority: "RFC 8259, section 6",
    parameters: [query({ type: "number" })],
    takes: ["?color=1e300", "?color=-0.5"],
    refuses: ["?color=1e400", "?color=Infinity", "?color=.5", "?color=5."],
  },
  {
    it: "an int64 has 64 bits, and an int32 has 32",
    authority: "OpenAPI Format Registry, int32 and int64",
    parameters: [query({ type: "integer", format: "int64" }), query({ type: "integer", format: "int32" }, {}, "small")],
    takes: ["?color=9223372036854775807", "?color=-9223372036854775808", "?small=2147483647"],
    refuses: ["?color=92233720368547758070", "?small=2147483648"],
  },
  {
    it: "integers without a sign, and those of 8 and 16 bits",
    authority: "OpenAPI Format Registry, uint8 to uint64, int8, int16; Qdrant's document, uint",
    parameters: ["uint", "uint8", "uint16", "uint32", "uint64", "int8", "int16"].map((format) =>
      query({ type: "integer", format }, {}, format),
    ),
    takes: ["?uint=0&uint8=255&uint16=65535&uint32=4294967295&uint64=18446744073709551615&int8=-128&int16=32767"],
    refuses: ["uint=-1", "uint8=256", "uint16=-1", "uint32=4294967296", "uint64=-1", "int8=128", "int16=-32769"].map(
      (it) => `?${it}`,
    ),
  },
  {
    it: "booleans are true and false",
    authority: "RFC 8259, section 3",
    parameters: [query({ type: "boolean" })],
    takes: ["?color=true", "?color=false"],
    refuses: ["?color=True", "?color=1", "?color=yes", "?color="],
  },
  {
    it: "null is an empty value, or the word",
    authority: "OpenAPI 3.1.1, style examples, column undefined",
    parameters: [query({ type: ["integer", "null"] })],
    takes: ["?color=", "?color=null", "?color=1"],
    refuses: ["?color=none"],
  },
  {
    it: "nullable, in 3.0",
    authority: "OpenAPI 3.0.3, Schema Object, nullable",
    version: "3.0.3",
    parameters: [query({ type: "integer", nullable: true })],
    takes: ["?color=", "?color=1"],
    refuses: ["?color=a"],
  },
  {
    it: "a text that looks like a number is a text where the schema wants a text",
    authority: "OpenAPI 3.1.1, appendix B",
    parameters: [query({ type: "string", pattern: "^[0-9]+$" })],
    takes: ["?color=007", "?color=1", "?color=123456789012345678901234567890"],
    refuses: ["?color=1e3"],
  },
  {
    it: "of several types each is tried",
    authority: "JSON Schema 2020-12 validation, 6.1.1",
    parameters: [
      query({
        oneOf: [
          { type: "integer", minimum: 10 },
          { type: "string", enum: ["1", "all"] },
        ],
      }),
    ],
    takes: ["?color=10", "?color=1", "?color=all"],
    refuses: ["?color=2", "?color=none"],
  },
  {
    it: "numbers are listed without a type",
    authority: "JSON Schema 2020-12 validation, 6.1.2 and 6.1.3",
    parameters: [query({ enum: [1, 2, "all"] }), query({ const: true }, {}, "sure")],
    takes: ["?color=1", "?color=all", "?sure=true"],
    refuses: ["?color=3", "?sure=false"],
  },
  {
    it: "one value or a list of them",
    authority: "OpenAPI 3.1.1, Parameter Object, schema",
    parameters: [query({ anyOf: [colour, colours] })],
    takes: ["?color=blue", "?color=blue&color=black"],
    refuses: ["?color=red", "?color=blue&color=red"],
  },
  {
    it: "a reference to alternatives that are references",
    authority: "OpenAPI 3.1.1, Reference Object",
    parameters: [query({ $ref: "#/components/schemas/Size" })],
    schemas: {
      Size: { allOf: [{ $ref: "#/components/schemas/Whole" }, { maximum: 9 }] },
      Whole: { oneOf: [{ type: "integer" }, { type: "null" }] },
    },
    takes: ["?color=9", "?color="],
    refuses: ["?color=10", "?color=1.5"],
  },
  {
    it: "names differ by their case",
    authority: "OpenAPI 3.1.1, Parameter Object, name",
    parameters: [query({ type: "integer" }, { required: true })],
    takes: ["?color=1", "?color=1&Color=a"],
    refuses: ["?Color=1"],
  },
  {
    it: "names that need escapes, and names with brackets of their own",
    authority: "OpenAPI 3.2.0, appendix C, illegal variable names; JSON:API 1.1, section 5.2",
    parameters: [query(limit, {}, "ids[]"), query(limit, {}, "page[size]"), query(limit, {}, "größe")],
    takes: ["?ids[]=1", "?page%5Bsize%5D=1", "?gr%C3%B6%C3%9Fe=1"],
    refuses: ["?ids%5b%5d=101", "?page[size]=101", "?gr%C3%B6%C3%9Fe=101"],
  },
  {
    it: "what every object inherits is no parameter",
    authority: "CWE-1321",
    parameters: [query({ type: "object", properties: { limit }, additionalProperties: { type: "integer" } })],
    takes: ["?limit=1", "?constructor=1", "?__proto__=1"],
    refuses: ["?constructor=a", "?__proto__=a", "?toString=a", "?__proto__=1&__proto__=2"],
  },
  {
    it: "many fields are read, and no more items than the schema takes",
    authority: "CWE-770",
    parameters: [query(strings, {}, "a")],
    takes: [`?${"b&".repeat(3000)}a=1`],
    refuses: [`?${"b&".repeat(3000)}${"a=1&".repeat(300)}`],
  },
];

const page = { type: "integer", minimum: 0 };
const pageable = {
  type: "object",
  properties: {
    page,
    size: { type: "integer", minimum: 1 },
    sort: { type: "array", items: { type: "string" } },
  },
};

export const objectRows: readonly ParameterRow[] = [
  {
    it: "Spring's Pageable: a required object, none of whose properties has to be there",
    authority: "springdoc-openapi, Pageable; RFC 6570, section 2.3",
    version: "3.0.3",
    parameters: [query({ $ref: "#/components/schemas/Pageable" }, { required: true }, "pageable")],
    schemas: { Pageable: pageable },
    takes: ["", "?page=0&size=20", "?sort=name,asc&sort=age,desc", "?sort=name"],
    refuses: ["?page=-1", "?size=0", "?size=10&size=0", "?page=a"],
  },
  {
    it: "a list, an object and an object's list that may be null",
    authority: "FastAPI, Optional[List[int]]; OpenAPI 3.1.1, schema type",
    parameters: [
      query({ anyOf: [{ type: "array", items: { type: "integer" } }, { type: "null" }] }, {}, "ids"),
      query(
        { type: ["object", "null"], properties: { tags: { type: ["array", "null"], items: limit } } },
        { required: true },
      ),
    ],
    takes: ["?ids=1&ids=2", "?ids=1", "?ids=", "", "?tags=1&tags=2"],
    refuses: ["?ids=a", "?ids=1&ids=b", "?tags=101"],
  },
  {
    it: "a required object with a property that is required",
    authority: "OpenAPI 3.1.1, Parameter Object, required",
    parameters: [query(rgb, { required: true })],
    takes: ["?R=1"],
    refuses: ["", "?G=1"],
  },
  {
    it: "a required deepObject stands somewhere",
    authority: "OpenAPI 3.1.1, Parameter Object, required",
    parameters: filter({ type: "object", properties: { a: limit } }, { required: true }),
    takes: ["?filter[a]=1", "?filter[b]=1"],
    refuses: ["", "?filter[a]=101"],
  },
  {
    it: "a required deepObject that requires no property stands somewhere all the same: no request has an empty one",
    authority:
      "RFC 6570, 2.3 (empty maps are undefined); kin-openapi, openapi3filter: no name of it, no value, so required fails",
    parameters: filter({ type: "object", additionalProperties: { type: "string" } }, { required: true }),
    takes: ["?filter[any]=x", "?filter[any]="],
    refuses: ["", "?", "?other=1", "?filters[a]=1"],
  },
  {
    it: "a required deepObject with a property that is required asks for that property",
    authority: "OpenAPI 3.1.1, Parameter Object, required; JSON Schema 2020-12, 6.5.3",
    parameters: filter({ type: "object", required: ["a"], properties: { a: limit } }, { required: true }),
    takes: ["?filter[a]=1"],
    refuses: ["", "?filter[b]=1", "?filter="],
  },
  {
    it: "an optional deepObject with a property that is required may be left out, and is whole where it stands",
    authority: "express-openapi-validator issue 656: the parameter is not required, so its properties are not",
    parameters: filter({ type: "object", required: ["a"], properties: { a: limit } }),
    takes: ["", "?filter[a]=1", "?other=1"],
    refuses: ["?filter[b]=1"],
  },
  {
    it: "deepObject with allOf",
    authority: "JSON Schema 2020-12, section 10.2.1.1",
    parameters: filter({
      allOf: [{ $ref: "#/components/schemas/Base" }, { type: "object", properties: { b: { type: "boolean" } } }],
    }),
    schemas: { Base: { type: "object", properties: { a: limit } } },
    takes: ["?filter[a]=1&filter[b]=true"],
    refuses: ["?filter[a]=101", "?filter[b]=1"],
  },
  {
    it: "deepObject with anyOf: a time, or bounds of it",
    authority: "Stripe's document, parameter created",
    parameters: [
      query(
        {
          anyOf: [
            { type: "object", properties: { gt: { type: "integer" }, lt: { type: "integer" } } },
            { type: "integer" },
          ],
        },
        deep,
        "created",
      ),
    ],
    takes: ["?created=1700000000", "?created[gt]=1700000000&created[lt]=1800000000", ""],
    refuses: ["?created=now", "?created[gt]=now", "?created=1&created=2", "?created=1&created[gt]=1"],
  },
  {
    it: "deepObject, a list, as its clients write it",
    authority: "Stripe's document, parameter expand; OpenAPI 3.1.1 leaves it undefined",
    parameters: [query({ type: "array", items: { type: "string", maxLength: 4 }, maxItems: 2 }, deep, "expand")],
    takes: ["?expand[]=data&expand[]=file", "?expand[0]=data&expand[1]=file", "?expand%5B%5D=data"],
    refuses: ["?expand[]=customer", "?expand[]=a&expand[]=b&expand[]=c", "?expand[0]=a&expand[0]=b", "?expand[a]=b"],
  },
  {
    it: "deepObject, objects and lists within it",
    authority: "qs, Rack and PHP; OpenAPI 3.1.1 leaves it undefined",
    parameters: filter({
      type: "object",
      additionalProperties: false,
      properties: {
        tags: { type: "array", items: { type: "integer" } },
        where: { type: "object", properties: { a: limit }, additionalProperties: false },
        lines: { type: "array", items: { type: "object", properties: { sku: { type: "string" }, count: limit } } },
      },
    }),
    takes: [
      "?filter[tags][]=1&filter[tags][]=2",
      "?filter[tags][0]=1&filter[tags][1]=2",
      "?filter[tags]=1&filter[tags]=2",
      "?filter[where][a]=1",
      "?filter[lines][0][sku]=7&filter[lines][0][count]=2&filter[lines][1][sku]=b",
    ],
    refuses: [
      "?filter[tags][]=a",
      "?filter[where][a]=101",
      "?filter[where][b]=1",
      "?filter[where]=1",
      "?filter[lines][0][count]=101",
      "?filter[lines][][count]=1&filter[lines][][sku]=a",
      "?filter[other]=1",
      `?filter${"[a]".repeat(50)}=1`,
    ],
  },
  {
    it: "deepObject, names that every object inherits",
    authority: "CWE-1321",
    parameters: filter({ type: "object", properties: { a: limit }, additionalProperties: false }),
    takes: ["?filter[a]=1"],
    refuses: ["?filter[__proto__][a]=1", "?filter[constructor][prototype][a]=1", "?filter[__proto__]=1"],
  },
  {
    it: "a map of parameters of any name takes what no other parameter is",
    authority: "OpenAPI 3.1.1, Parameter Object examples, freeForm",
    parameters: [query({ type: "object", additionalProperties: { type: "integer" } }, {}, "freeForm"), query(colour)],
    takes: ["?page=4&pageSize=50", "?page=4&color=blue", ""],
    refuses: ["?page=four", "?color=red", "?page=1&page=2"],
  },
  {
    it: "a deepObject beside a parameter whose name looks like its own",
    authority: "JSON:API 1.1, section 5.2",
    parameters: [
      ...filter({ type: "object", properties: { a: limit }, additionalProperties: false }),
      query({ type: "string" }, {}, "filter[b]"),
    ],
    takes: ["?filter[a]=1&filter[b]=x"],
    refuses: ["?filter[c]=1", "?filter[b]=1&filter[b]=2"],
  },
  {
    it: "two objects share a property, and each checks it",
    authority: "OpenAPI 3.1.1, Parameter Object, style form",
    parameters: [
      query({ type: "object", properties: { a: limit } }, {}, "one"),
      query({ type: "object", properties: { a: { type: "integer", minimum: 10 } } }, {}, "two"),
    ],
    takes: ["?a=50"],
    refuses: ["?a=101", "?a=9"],
  },
];
