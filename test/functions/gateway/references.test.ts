/** References in texts of a manifest: values, encodings, and what is not allowed in each position. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Claims, Consumer, setFact } from "../../../functions/gateway/core/facts.ts";
import {
  compileTemplate,
  parsePathTemplate,
  parseTemplate,
  percentEncoded,
} from "../../../functions/gateway/core/references.ts";
import type { Context } from "../../../functions/gateway/core/types.ts";
import { caller } from "../gate-harness.ts";

const context = (): Context => {
  const made: Context = {
    caller,
    started: 0,
    url: new URL("https://gate.example/a/x%20y?page=2&empty=&bad=%ff"),
    route: { tier: "t", name: "r" },
    captures: { id: "x%20y", rest: "a/b%20c" },
    signal: undefined,
    facts: new Map(),
    outbound: [],
    inbound: [],
    outcome: { verdict: "passed" },
  };
  setFact(made, Consumer, { id: "alice/1", labels: { plan: "gold" } });
  setFact(made, Claims, { sub: "alice", age: 7, admin: true, nested: { a: 1 }, "https://acme.example/role": "teller" });
  return made;
};
const request = new Request("https://gate.example/", { headers: { "x-a": "1", cookie: "a=b; sid=s1; x=" } });

describe("in a header", () => {
  it.each([
    ["{path.id}", "x y"],
    ["{query.page}", "2"],
    ["{query.empty}", ""],
    ["{header.x-a}", "1"],
    ["{cookie.sid}", "s1"],
    ["{consumer.id}", "alice/1"],
    ["{consumer.labels.plan}", "gold"],
    ["{claim.age}", "7"],
    ["{claim.admin}", "true"],
    ["{claim.https://acme.example/role}", "teller"],
    ["{client.ip}", "203.0.113.7"],
    ["{request.id}", caller.requestId],
    ["user={claim.sub};plan={consumer.labels.plan}", "user=alice;plan=gold"],
  ])("%s is %s", (text, value) => {
    expect(compileTemplate(text, "header")(request, context())).toBe(value);
  });

  it.each(["{query.none}", "{cookie.none}", "{claim.nested}", "{claim.toString}", "{consumer.labels.none}"])(
    "%s is missing",
    (text) => {
      expect(compileTemplate(text, "header")(request, context())).toBeUndefined();
    },
  );

  it("no value contains a line end or non-ASCII", () => {
    const it = context();
    setFact(it, Consumer, { id: "a\r\nx-admin: 1 漢 \ud800", labels: {} });
    const value = compileTemplate("{consumer.id}", "header")(request, it);
    expect(value).toBe("a%0D%0Ax-admin: 1 %E6%BC%A2 %ED%A0%80");
    expect(() => new Headers({ x: value ?? "" })).not.toThrow();
  });
});

/** A consumer's id as a service receives it, after `Headers` has normalized the value. */
const header = (id: string): string => {
  const it = context();
  setFact(it, Consumer, { id, labels: {} });
  const value = compileTemplate("{consumer.id}", "header")(request, it) as string;
  return new Headers({ x: value }).get("x") as string;
};

/** Percent-decodes to UTF-16 code units (WTF-8). */
const decoded = (text: string): string => {
  const bytes = [...text.matchAll(/%([0-9A-F]{2})|[^%]/g)].map(([one, hex]) =>
    hex === undefined ? one.charCodeAt(0) : Number.parseInt(hex, 16),
  );
  let whole = "";
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] as number;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const [first = 0, ...further] = bytes.slice(at, at + length);
    const head = length === 1 ? first : first & (0xff >> (length + 1));
    const point = further.reduce((all, byte) => (all << 6) | (byte & 0x3f), head);
    whole += point > 0xffff ? String.fromCodePoint(point) : String.fromCharCode(point);
    at += length;
  }
  return whole;
};

/** Texts whose encodings could collide: any UTF-16, surrounding blanks, and encoded text. */
const units = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((it) => String.fromCharCode(it)),
      fc.constantFrom(
        "%",
        "%25",
        "%C3%A9",
        "é",
        " ",
        "\t",
        "\u00a0",
        "\ufeff",
        "\r\n",
        ",",
        "\ud800",
        "\udc00",
        "\ufffd",
        "😀",
        "a",
        "+",
      ),
    ),
    { maxLength: 8 },
  )
  .map((it) => it.join(""));

describe("different values give different headers", () => {
  it.each([
    ["éric", "%C3%A9ric"],
    ["éric", "e\u0301ric"],
    [" eric", "eric"],
    ["eric ", "eric"],
    ["\teric", "eric"],
    ["eric\u00a0", "eric"],
    ["\ud800", "\ud801"],
    ["\ud800", "\ufffd"],
    ["a\ud83d", "a\ude00"],
    ["%", "%25"],
    ["%20eric", " eric"],
    ["eric\0", "eric"],
    ["eric\r\n", "eric"],
    ["eric,admin", "eric, admin"],
    ["50%", "50%25"],
  ])("%j and %j", (one, other) => {
    expect(header(one)).not.toBe(header(other));
    expect([decoded(header(one)), decoded(header(other))]).toEqual([one, other]);
  });

  it("decoding restores any text", () => {
    fc.assert(
      fc.property(units, (value) => {
        expect(header(value)).toMatch(/^[\x20-\x7e]*$/);
        expect(decoded(header(value))).toBe(value);
      }),
      { numRuns: 5000, seed: 2 },
    );
  });

  it("plain ASCII stays unchanged", () => {
    for (const id of ["alice", "a-b_c.d~e", "acme/alice@example.com", "John Smith", "a=b&c;d", "auth0|12+3"])
      expect(header(id)).toBe(id);
  });

  it("claims: a list is split at commas, then decoded", () => {
    const written = (roles: unknown): string => {
      const it = context();
      setFact(it, Claims, { roles } as never);
      return compileTemplate("{claim.roles}", "header")(request, it) as string;
    };
    fc.assert(
      fc.property(
        fc.array(
          units.filter((it) => it !== ""),
          { minLength: 1, maxLength: 4 },
        ),
        (roles) => {
          expect(written(roles).split(",").map(decoded)).toEqual(roles);
        },
      ),
      { numRuns: 2000, seed: 3 },
    );
    expect(written("a,b")).not.toBe(written(["a", "b"]));
    expect(written(["a,b"])).toBe("a%2Cb");
  });
});

describe("different values give different paths and queries, or none", () => {
  const at = (place: "path" | "query") => (id: string) => {
    const it = context();
    setFact(it, Consumer, { id, labels: {} });
    return compileTemplate(place === "path" ? "/b/{consumer.id}/c" : "{consumer.id}", place)(request, it);
  };
  it.each(["\ud800", "a\udfff", "\udc00\ud800"])("%j is not allowed as a segment", (id) => {
    expect(at("path")(id)).toBeUndefined();
  });
  it("any text", () => {
    fc.assert(
      fc.property(units, (id) => {
        const path = at("path")(id);
        if (path !== undefined) expect(decodeURIComponent(path)).toBe(`/b/${id}/c`);
        expect(decoded(percentEncoded(at("query")(id) as string))).toBe(id);
      }),
      { numRuns: 3000, seed: 4 },
    );
  });
});

describe("in a path", () => {
  it.each([
    ["/b/{path.id}", "/b/x%20y"],
    ["/b/{path.rest}", "/b/a/b%20c"],
    ["/b/{consumer.id}/c", "/b/alice%2F1/c"],
    ["/b/{query.page}", "/b/2"],
  ])("%s is %s", (text, value) => {
    expect(compileTemplate(text, "path")(request, context())).toBe(value);
  });
});

describe("an unsafe value is not allowed in a path", () => {
  const path = (value: string) => {
    const it = context();
    setFact(it, Consumer, { id: value, labels: {} });
    return compileTemplate("/b/{consumer.id}/c", "path")(request, it);
  };
  it.each([
    ...[
      "",
      ".",
      "..",
      "../a",
      "a/../../b",
      "..\\a",
      "%2e%2e",
      "..%2fa",
      "a%2f..%2fb",
      "%252e%252e%252fa",
      "..;a",
      "..%3ba",
    ],
    ...["..\0", "a\r\nb", "\0", "\x7f", "a".repeat(8000)],
  ])("%j", (value) => {
    expect(path(value)).toBeUndefined();
  });
  it.each([
    ["...", "..."],
    ["a..b", "a..b"],
    [".well-known", ".well-known"],
    ["a/b", "a%2Fb"],
    ["/a", "%2Fa"],
    ["?a#b", "%3Fa%23b"],
    ["50%", "50%25"],
    ["ü;v", "%C3%BC%3Bv"],
  ])("%j is allowed", (value, written) => {
    expect(path(value)).toBe(`/b/${written}/c`);
  });
  it("is checked in linear time", () => {
    const started = Date.now();
    for (const unit of ["%25", "25", "/", "..", "%2e", "%2f.", "%"]) path(unit.repeat(7000 / unit.length));
    expect(Date.now() - started).toBeLessThan(500);
  });
});

it.each(["/a/../b", "/./a", "/a//b", "/a/..", "/{path.id}/%2e%2e/b", "/a%00", "/a%2f..%2fb"])(
  "a manifest must not use the path %s",
  (text) => {
    expect(() => parsePathTemplate(text)).toThrow("a path has no empty and no dot segments");
  },
);

it.each(["/", "/a/", "/a.b/..c/{path.id}", "/.{path.id}", "/ä", "/{path.a}{path.b}"])(
  "a manifest may use the path %s",
  (text) => {
    expect(() => parsePathTemplate(text)).not.toThrow();
  },
);

it.each([
  ["{path}", /no reference/],
  ["{body.x}", /begins with one of/],
  ["{consumer.name}", /consumer has no "name"/],
  ["{client.port}", /client has no "port"/],
  ["a{b", /unbalanced brace/],
  ["a}b", /unbalanced brace/],
  ["{}", /no reference/],
  ["{__proto__.x}", /no reference/],
  ["{constructor.x}", /no reference/],
])("%s is refused", (text, complaint) => {
  expect(() => parseTemplate(text)).toThrow(complaint);
});
