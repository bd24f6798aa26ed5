/** Fuzzes parsers of client input: no crash, and linear time. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { claimsMatcher, scopesOf } from "../../../functions/gateway/core/claims.ts";
import { hashTagOf } from "../../../functions/gateway/core/ports/state.ts";
import { cookies } from "../../../functions/gateway/http/cookies.ts";
import { hostOf } from "../../../functions/gateway/http/hosts.ts";
import { canonicalPath } from "../../../functions/gateway/http/path.ts";
import { limitKeyOf } from "../../../functions/gateway/limits/keys.ts";
import { removeSpoofableHeaders, untrustedCaller } from "../../../functions/gateway/proxy/forwarding.ts";
import { traceparentOf } from "../../../functions/gateway/proxy/trace-context.ts";
import { compileMatchers } from "../../../functions/gateway/routing/matchers.ts";
import { caller, gateHarness } from "../gate-harness.ts";

const runs = { numRuns: Number(process.env.POSTERN_RUNS ?? 500), seed: 2026 };

const odd = fc.constantFrom(
  "%",
  "%2",
  "%2f",
  "%zz",
  "..",
  "/",
  "\\",
  ";",
  "=",
  "&",
  ",",
  '"',
  "{",
  "}",
  "[",
  "]",
  "a",
  "é",
  "\u2028",
  "-",
  "_",
  "00",
  "ff",
  " ",
  "\t",
  "*",
);
const text = fc.array(odd, { maxLength: 60 }).map((pieces) => pieces.join(""));
/** A valid header value. */
const field = text.map((it) => it.replace(/[^\t\x20-\x7e]/g, "~").trim());
const uuid = () => "00000000-0000-4000-8000-000000000000";

describe("never throws", () => {
  const parsers: Readonly<Record<string, (text: string) => unknown>> = {
    "a path": (it) => canonicalPath(new URL(`https://a.example/${it.replaceAll("\\", "")}`).pathname),
    "a cookie": (it) => cookies(new Headers({ cookie: it }), "a"),
    "a trace": (it) => traceparentOf(new Headers({ traceparent: it }), uuid),
    "an untrusted client's headers": (it) =>
      untrustedCaller(new Headers({ traceparent: it, "cf-connecting-ip": it, "x-postern-caller": it }), uuid),
    "headers to be cleaned": (it) =>
      removeSpoofableHeaders(new Headers({ cookie: it, forwarded: it, x_a: it }), undefined),
    "a limit's key": (it) =>
      limitKeyOf(["ip"])(new Request("https://a.example"), { caller: { ...caller, ip: it } } as never),
    "a shard's tag": (it) => hashTagOf(it),
    claims: (it) => [
      claimsMatcher({ a: it, [it]: it })(JSON.parse(JSON.stringify({ scope: it, a: [it] }))),
      scopesOf({ scope: it, scp: [it, 1, null] }),
    ],
    "a condition": (it) =>
      compileMatchers([
        ["header", "x-a", "matches", "[a-z]{1,8}"],
        ["query", "q", "prefix", "a"],
        ["cookie", "c", "exact", "a"],
        ["content-type", "", "exact", "a/b"],
      ])(
        new Request("https://a.example", { headers: { "x-a": it, cookie: it, "content-type": it } }),
        new URL(`https://a.example/?q=${encodeURIComponent(it)}&${it}`),
      ),
  };
  it.each(Object.entries(parsers))("%s", (_, parse) => {
    fc.assert(
      fc.property(field, (it) => void parse(it)),
      runs,
    );
  });
});

it("an accepted path is unambiguous and canonical", () => {
  fc.assert(
    fc.property(text, (it) => {
      const path = canonicalPath(new URL(`https://a.example/${it}`).pathname);
      if (path === undefined) return;
      expect(canonicalPath(path)).toBe(path);
      expect(path).not.toMatch(/\/\/|\\|%2f|%5c|\/\.\.?(\/|$)/i);
    }),
    runs,
  );
});

it("finds a host whatever its case and trailing dot", () => {
  expect(
    ["https://A.Example/", "https://a.example./", "https://a.example:8443/"].map((it) => hostOf(new URL(it))),
  ).toEqual(["a.example", "a.example", "a.example"]);
});

it("a gate answers any request, and reveals nothing internal", async () => {
  const { send } = gateHarness(
    {},
    { routes: { one: { match: "GET /a/{id:[0-9]+}/{rest*}" }, two: { match: "ANY /{x}" } } },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "POST", "OPTIONS", "HEAD", "PROPFIND"),
      text,
      field,
      async (method, target, value) => {
        const url = new URL(`https://gate.example/${target}`).href;
        const { status, text } = await send(`${method} ${url.replaceAll(" ", "%20")}`, {
          headers: { origin: value, "access-control-request-method": value, "content-type": value, cookie: value },
        });
        expect(status).toBeLessThan(500);
        expect(text).not.toMatch(/TypeError|SyntaxError|\.ts:|at \w+ \(/);
      },
    ),
    runs,
  );
});

it("takes linear time for long input", () => {
  const started = Date.now();
  for (const unit of ["%2f", "/..", ";", "a=b;", "%", "{", "00-"]) {
    const long = unit.repeat(40_000);
    canonicalPath(`/${long}`);
    cookies(new Headers({ cookie: long }), "a");
    traceparentOf(new Headers({ traceparent: long }), uuid);
    hashTagOf(long);
  }
  // Quadratic time would take minutes.
  expect(Date.now() - started).toBeLessThan(5_000);
});
