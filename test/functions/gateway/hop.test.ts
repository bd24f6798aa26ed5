import { describe, expect, it } from "vitest";
import {
  behindFront,
  cleanse,
  introduce,
  stranger,
  traceparentOf,
  writeTrace,
} from "../../../functions/gateway/hop.ts";
import { caller } from "../conversation.ts";

const uuid = () => "11111111-2222-4333-8444-555555555555";

const forged = () =>
  new Headers({
    "x-postern-request-id": "forged",
    "x-postern-gray-key": "forged",
    "X-Postern-Anything": "forged",
    "Cloudflare-Workers-Version-Overrides": 'gate-pay="old"',
    "Cloudflare-Workers-Version-Key": "forged",
    "x-forwarded-for": "10.0.0.1",
    "x-request-id": "forged",
    forwarded: "for=10.0.0.1",
    "cf-connecting-ip": "203.0.113.9",
    accept: "application/json",
  });

it("cleanse leaves nothing that the gateway uses inside, and what is the client's own", () => {
  const headers = forged();
  cleanse(headers);
  expect(Object.fromEntries(headers)).toEqual({ accept: "application/json", "cf-connecting-ip": "203.0.113.9" });
});

it("a stranger's internal headers are not read", () => {
  expect(stranger(forged(), uuid)).toMatchObject({ requestId: uuid(), grayKey: null, ip: "203.0.113.9" });
});

it("the front's are", () => {
  expect(behindFront(forged(), uuid)).toMatchObject({ requestId: "forged", grayKey: "forged" });
});

it("an upstream hears of the caller from the gate alone", () => {
  const headers = forged();
  introduce(headers, caller, new URL("https://api.example:8443/x"));
  expect(Object.fromEntries(headers)).toEqual({
    accept: "application/json",
    traceparent: caller.traceparent,
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-host": "api.example:8443",
    "x-forwarded-proto": "https",
    "x-request-id": caller.requestId,
  });
});

describe("traceparent (W3C Trace Context)", () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  it("a valid one is continued with a span of ours", () => {
    const headers = new Headers({ traceparent: `00-${trace}-b7ad6b7169203331-00` });
    expect(traceparentOf(headers, uuid)).toBe(`00-${trace}-8444555555555555-00`);
  });
  it("one of a later version is continued as far as it is understood", () => {
    const headers = new Headers({ traceparent: `01-${trace}-b7ad6b7169203331-ff-more` });
    expect(traceparentOf(headers, uuid)).toBe(`00-${trace}-8444555555555555-01`);
  });

  it("the state of a broken one is dropped with it", () => {
    const headers = new Headers({ traceparent: "broken", tracestate: "vendor=1" });
    writeTrace(headers, traceparentOf(headers, uuid));
    expect(headers.get("tracestate")).toBeNull();
    const whole = new Headers({ traceparent: `00-${trace}-b7ad6b7169203331-01`, tracestate: "vendor=1" });
    writeTrace(whole, traceparentOf(whole, uuid));
    expect(whole.get("tracestate")).toBe("vendor=1");
  });

  it.each([
    ["none", ""],
    ["all zero trace", `00-${"0".repeat(32)}-b7ad6b7169203331-01`],
    ["all zero span", `00-${trace}-${"0".repeat(16)}-01`],
    ["upper case", `00-${trace.toUpperCase()}-b7ad6b7169203331-01`],
    ["version ff", `ff-${trace}-b7ad6b7169203331-01`],
    ["no version", `-${trace}-b7ad6b7169203331-01`],
    ["too long", `00-${trace}-b7ad6b7169203331-01-extra`],
  ])("%s begins a new one", (_, given) => {
    expect(traceparentOf(new Headers(given ? { traceparent: given } : {}), uuid)).toBe(
      "00-11111111222243338444555555555555-8444555555555555-01",
    );
  });
});
