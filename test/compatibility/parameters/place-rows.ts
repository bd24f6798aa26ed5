/** Parameters of the path, of headers and of cookies. */
import { colour, colours, cookie, header, type ParameterRow, rgb, segment, table } from "./row.ts";

const exploded = { explode: true };
const label = { style: "label" };
const x = (value: string) => ({ headers: { "X-Color": value } });
const c = (value: string) => ({ headers: { cookie: value } });
const strings = { type: "array", items: { type: "string" }, maxItems: 2 };

export const pathRows: readonly ParameterRow[] = [
  {
    it: "path, simple, a single value",
    authority: table,
    parameters: [segment(colour)],
    takes: ["/blue", "/b%6Cue"],
    refuses: ["/red", "/blue,black"],
  },
  {
    it: "path, simple, a list",
    authority: table,
    parameters: [segment(colours)],
    takes: ["/blue,black,brown", "/blue"],
    refuses: ["/blue,red"],
  },
  {
    it: "path, simple with explode, a list",
    authority: table,
    parameters: [segment(colours, exploded)],
    takes: ["/blue,black,brown"],
    refuses: ["/blue,red"],
  },
  {
    it: "path, simple, an encoded comma is part of an item",
    authority: "OpenAPI 3.1.1, appendix C, delimiters in parameter values",
    parameters: [segment(strings)],
    takes: ["/a%2Cb,c"],
    refuses: ["/a,b,c"],
  },
  {
    it: "path, simple, an object",
    authority: table,
    parameters: [segment(rgb)],
    takes: ["/R,100,G,200,B,150"],
    refuses: ["/R,300", "/R", "/R=100,G=200"],
  },
  {
    it: "path, simple with explode, an object",
    authority: table,
    parameters: [segment(rgb, exploded)],
    takes: ["/R=100,G=200,B=150"],
    refuses: ["/R=300", "/R,100", "/R=1,R=2"],
  },
  {
    it: "path, simple: a plus is a plus, and an escape that is none is refused",
    authority: "RFC 3986, section 2.1",
    parameters: [segment({ enum: ["a+b", "a b"] })],
    takes: ["/a+b", "/a%20b"],
    refuses: ["/a%2520b"],
  },
  {
    it: "path, label, a single value",
    authority: table,
    parameters: [segment({ type: "integer" }, label)],
    takes: ["/.5"],
    refuses: ["/5", "/.a"],
  },
  {
    it: "path, label, a list: joined by commas, or by dots as before 3.0.4",
    authority: "OpenAPI 3.1.1 and 3.0.3, style examples; RFC 6570, section 3.2.5",
    parameters: [segment(colours, label)],
    takes: ["/.blue,black,brown", "/.blue.black.brown", "/.blue"],
    refuses: ["/.blue,red", "/blue,black"],
  },
  {
    it: "path, label with explode, a list",
    authority: table,
    parameters: [segment(colours, { ...label, ...exploded })],
    takes: ["/.blue.black.brown"],
    refuses: ["/.blue.red", "/.blue,black"],
  },
  {
    it: "path, label, an object",
    authority: table,
    parameters: [segment(rgb, label)],
    takes: ["/.R,100,G,200,B,150", "/.R.100.G.200.B.150"],
    refuses: ["/.R,300", "/.R=100"],
  },
  {
    it: "path, label with explode, an object",
    authority: table,
    parameters: [segment(rgb, { ...label, ...exploded })],
    takes: ["/.R=100.G=200.B=150"],
    refuses: ["/.R=300", "/.R.100"],
  },
  {
    it: "path, label with explode, an object whose values have dots",
    authority: "RFC 6570, section 2.3: a dot needs no escape",
    parameters: [
      segment(
        { type: "object", properties: { x: { type: "number" }, y: { type: "number" } } },
        { ...label, ...exploded },
      ),
    ],
    takes: ["/.x=1.5.y=2", "/.x=1.y=-2.25"],
    refuses: ["/.x=1.5.5", "/.x=a.5"],
  },
  {
    it: "path, content of application/json",
    authority: "OpenAPI 3.1.1, Parameter Object, content",
    parameters: [{ in: "path", name: "color", required: true, content: { "application/json": { schema: rgb } } }],
    takes: ["/%7B%22R%22:1%7D"],
    refuses: ["/R", "/%7B%22R%22:300%7D"],
  },
];

export const headerRows: readonly ParameterRow[] = [
  {
    it: "header, simple, a single value: the case of its name means nothing",
    authority: "RFC 9110, section 5.1",
    parameters: [header({ type: "integer", maximum: 100 }, { required: true })],
    takes: [x("5"), { headers: { "x-COLOR": "5" } }],
    refuses: ["", x("500"), x("five"), x("5, 6")],
  },
  {
    it: "header, simple, a list: spaces around items are none of theirs",
    authority: "OpenAPI 3.1.1, style examples; RFC 9110, section 5.6.1",
    parameters: [header(colours)],
    takes: [x("blue,black,brown"), x("blue, black"), x("")],
    refuses: [x("blue,red")],
  },
  {
    it: "header, simple, an object",
    authority: table,
    parameters: [header(rgb)],
    takes: [x("R,100,G,200,B,150"), x("R, 1")],
    refuses: [x("R,300"), x("R=100")],
  },
  {
    it: "header, simple with explode, an object",
    authority: table,
    parameters: [header(rgb, exploded)],
    takes: [x("R=100,G=200,B=150"), x("R=100, G=200")],
    refuses: [x("R=300"), x("R,100"), x("R=1,R=2")],
  },
  {
    it: "header: percent signs and quotes are part of the value",
    authority: "OpenAPI 3.2.0, fixed fields for use with schema, and appendix D",
    parameters: [header({ enum: ["100%", '"a"', "%41"] })],
    takes: [x("100%"), x('"a"'), x("%41")],
    refuses: [x("A"), x("a")],
  },
  {
    it: "header: a name that is no token is no header, and no request is answered 500 for it",
    authority: "RFC 9110, 5.1; WHATWG Fetch, Headers.get throws at such a name",
    parameters: [
      header({ type: "integer" }),
      { in: "header", name: "X Color", required: true, schema: { type: "integer" } },
    ],
    takes: [{ headers: { "x-color": "1" } }, {}],
    refuses: [{ headers: { "x-color": "one" } }],
  },
  {
    it: "header, content of text/plain is text",
    authority: "OpenAPI 3.1.1, Parameter Object, content",
    parameters: [
      { in: "header", name: "X-Color", content: { "text/plain": { schema: { type: "string", maxLength: 5 } } } },
    ],
    takes: [x("blue"), x("{a"), x("a, b")],
    refuses: [x("yellow")],
  },
  {
    it: "header, content of application/json",
    authority: "OpenAPI 3.1.1, Parameter Object, content",
    parameters: [{ in: "header", name: "X-Color", content: { "application/json; charset=utf-8": { schema: rgb } } }],
    takes: [x('{"R":1}')],
    refuses: [x("R"), x('{"R":300}')],
  },
  {
    it: "header: Accept, Content-Type and Authorization are no parameters",
    authority: "OpenAPI 3.1.1, Parameter Object, name",
    parameters: [{ in: "header", name: "ACCEPT", required: true, schema: { enum: ["never"] } }, header(colour)],
    takes: [{ headers: { accept: "text/html" } }, ""],
    refuses: [x("red")],
  },
];

export const cookieRows: readonly ParameterRow[] = [
  {
    it: "cookie, form, a single value",
    authority: table,
    parameters: [cookie({ type: "integer" }, { required: true })],
    takes: [c("color=1"), c("a=b; color=1"), c("color=1;a")],
    refuses: ["", c("color=a"), c("Color=1"), c("color=1; color=2"), c("a=1&color=1")],
  },
  {
    it: "cookie, form: values are percent-encoded, and what is no escape stands for itself",
    authority: "OpenAPI 3.2.0, Parameter Object examples, and appendix D",
    parameters: [cookie({ enum: ["Hello, world!", "100%", "a+b"] })],
    takes: [c("color=Hello%2C%20world%21"), c("color=100%"), c("color=a+b")],
    refuses: [c("color=a%20b")],
  },
  {
    it: "cookie, form without explode, a list, whose commas no cookie can have as they are",
    authority: "OpenAPI 3.1.1, style examples; RFC 6265, section 4.1.1; swagger-client",
    parameters: [cookie(colours, { explode: false })],
    takes: [c("color=blue,black,brown"), c("color=blue%2Cblack%2Cbrown"), c("color=blue")],
    refuses: [
      c("color=blue,red"),
      c("color=blue%2Cred"),
      c("color=blue%2Cblue%2Cblue%2Cblue"),
      c("color=blue; color=black"),
    ],
  },
  {
    it: "cookie, form, a list: a pair for each item, by the style table or as cookies are separated",
    authority: "OpenAPI 3.1.1, style examples, and 3.2.0, style cookie",
    parameters: [cookie(colours)],
    takes: [c("color=blue&color=black"), c("color=blue; color=black"), c("color=blue")],
    refuses: [c("color=blue&color=red"), c("color=blue; color=red")],
  },
  {
    it: "cookie, form, an object: a cookie for each property",
    authority: "OpenAPI 3.1.1, style examples, and 3.2.0, style cookie",
    parameters: [cookie(rgb)],
    takes: [c("R=100; G=200; B=150"), c("R=100&G=200"), c("session=1; R=1"), ""],
    refuses: [c("R=300"), c("R=1; R=2"), c("G=1")],
  },
  {
    it: "cookie, form without explode, an object",
    authority: table,
    parameters: [cookie(rgb, { explode: false })],
    takes: [c("color=R,100,G,200,B,150"), c("color=R%2C100%2CG%2C200")],
    refuses: [c("color=R,300"), c("color=R")],
  },
  {
    it: "cookie, the style cookie: values are as they are",
    authority: "OpenAPI 3.2.0, style values",
    parameters: [cookie({ enum: ["a%20b"] }, { style: "cookie" })],
    takes: [c("color=a%20b")],
    refuses: [c("color=a b")],
  },
  {
    it: "cookie, the style cookie, an object",
    authority: "OpenAPI 3.2.0, style examples",
    parameters: [cookie(rgb, { style: "cookie" })],
    takes: [c("R=100; G=200; B=150")],
    refuses: [c("R=300")],
  },
];
