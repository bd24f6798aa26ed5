/** The paths of docs/paths.md, as clients send them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import page from "../../../docs/paths.md?raw";
import { canonicalPath } from "../../../functions/gateway/http/path.ts";
import { gateHarness } from "../gate-harness.ts";

const rows = [...page.matchAll(/^\| `(.+?)` \| (?:`(.+?)`|refused) \|/gm)].map(([, path = "", canonical]) => ({
  path: path.replace("\\|", "|"),
  matched: canonical,
}));

const keepingRows = [...page.matchAll(/^\| (goes on as|refused) \| `(.+?)` \|/gm)].map(([, answer, path = ""]) => ({
  path,
  kept: answer === "goes on as",
}));

const gate = () =>
  gateHarness(
    {},
    {
      routes: {
        admin: { match: "GET /b", goes: { respond: { status: 418, headers: {}, body: null } } },
        rest: { match: "ANY /{rest*}" },
      },
    },
  );

describe.each(rows)("$path", ({ path, matched: canonical }) => {
  it(canonical === undefined ? "is refused" : `is matched as ${canonical}`, () => {
    expect(canonicalPath(new URL(path, "https://gate.example").pathname)).toBe(canonical);
  });

  it("reaches the service as matched, or not at all", async () => {
    const { status, code, upstream } = await gate().send(`GET ${path}`);
    if (canonical === undefined) expect([status, code, upstream.length]).toEqual([400, "path-ambiguous", 0]);
    else if (canonical === "/b") expect([status, upstream.length]).toEqual([418, 0]);
    else expect(upstream.map(({ url }) => url)).toEqual([`https://service.example${canonical}`]);
  });
});

describe.each(keepingRows)("$path, with encoded-slashes: keep", ({ path, kept }) => {
  it(kept ? "is forwarded unchanged" : "is refused", async () => {
    const { send } = gateHarness(
      {},
      {
        routes: {
          object: { match: "GET /objects/{key}", "encoded-slashes": "keep" },
          other: { match: "GET /other/{key}" },
        },
      },
    );
    const { status, code, upstream } = await send(`GET ${path}`);
    if (kept) expect(upstream.map(({ url }) => url)).toEqual([`https://service.example${path}`]);
    else expect([status, code, upstream.length]).toEqual([400, "path-ambiguous", 0]);
  });
});

it("the page has rows", () => {
  expect(keepingRows.length).toBeGreaterThan(10);
  expect(rows.length).toBeGreaterThan(20);
});

/** `expect` costs more than what it compares here, a hundred thousand times. */
const expectSame = (path: string, received: unknown, expected: unknown): void => {
  if (received !== expected) expect([path, received]).toEqual([path, expected]);
};

describe("canonicalizing is idempotent", () => {
  const again = (path: string, slashes: "refuse" | "keep") => {
    const once = canonicalPath(path, slashes);
    if (once === undefined) return;
    expectSame(path, canonicalPath(once, slashes), once);
    // The URL parser of a server does not change it.
    expectSame(path, new URL(once, "https://gate.example").pathname, once);
    // Repeated decoding reveals no new separator, dot segment or control character.
    let decoded = once;
    for (let depth = 0; depth < 6; depth++) {
      decoded = decoded.replace(/%[0-9A-F]{2}/gi, (it) => String.fromCharCode(Number.parseInt(it.slice(1), 16)));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expectSame(path, /[\\;\u0000-\u001f\u007f]|\/\.{1,2}(?:\/|$)/.test(decoded), false);
      if (slashes === "refuse") expectSame(path, decoded.split("/").length, once.split("/").length);
    }
  };

  /** Encodes a byte, then each character of that, and so on. */
  const encoded = (byte: number, depth: number, upper: boolean): string => {
    const hex = byte.toString(16).padStart(2, "0");
    const once = `%${upper ? hex.toUpperCase() : hex}`;
    return depth === 1 ? once : [...once].map((it) => encoded(it.charCodeAt(0), depth - 1, upper)).join("");
  };

  it.each(["refuse", "keep"] as const)("for each byte, encoded up to three times, in each place (%s)", (slashes) => {
    for (let byte = 0; byte < 256; byte++)
      for (const depth of [1, 2, 3])
        for (const upper of [true, false])
          for (const place of ["/a/X", "/X/b", "/aXb", "/%2X", "/%X", "/X2e/", "/.X/b", "/X."])
            again(new URL(place.replace("X", encoded(byte, depth, upper)), "https://gate.example").pathname, slashes);
  });

  it("for mixtures of encodings", () => {
    const piece = fc.oneof(
      fc.constantFrom("%", "25", "2", "e", "E", "f", ".", "..", "/", ";", "\\", "a", "%2e", "%2f", "%5c", "%25"),
      fc
        .record({ byte: fc.integer({ min: 0, max: 255 }), depth: fc.integer({ min: 1, max: 3 }), upper: fc.boolean() })
        .map(({ byte, depth, upper }) => encoded(byte, depth, upper)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.constantFrom("refuse", "keep"), (pieces, slashes) => {
        again(new URL(`https://gate.example/${pieces.join("")}`).pathname, slashes as "refuse" | "keep");
      }),
      { seed: 20, numRuns: 3000 },
    );
  });

  it("for the page's rows", () => {
    for (const { matched: canonical } of rows)
      if (canonical !== undefined) expect(canonicalPath(canonical)).toBe(canonical);
  });
});
