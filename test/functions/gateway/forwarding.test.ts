import { describe, expect, it } from "vitest";
import {
  asksForWebSocket,
  behindFront,
  cleanseFor,
  introduce,
  present,
  presentBesides,
  stranger,
  traceOf,
  traceparentOf,
} from "../../../functions/gateway/proxy/forwarding.ts";
import { caller } from "../gate-harness.ts";

const url = new URL("https://api.example/");
const uuid = () => "11111111-2222-4333-8444-555555555555";

const forged = () =>
  new Headers({
    "x-postern-caller": "forged x-postern-smoke",
    "x-postern-smoke": "1",
    "X-Postern-Anything": "forged",
    "Cloudflare-Workers-Version-Overrides": 'gate-pay="old"',
    "Cloudflare-Workers-Version-Key": "forged",
    "x-forwarded-for": "10.0.0.1",
    "x-request-id": "forged",
    forwarded: "for=10.0.0.1",
    "cf-connecting-ip": "203.0.113.9",
    accept: "application/json",
  });

it("the front leaves nothing that the gateway uses inside, and what is the client's own", () => {
  const headers = forged();
  expect(cleanseFor(headers, undefined)).toEqual([]);
  expect(Object.fromEntries(headers)).toEqual({ accept: "application/json", "cf-connecting-ip": "203.0.113.9" });
});

it("a stranger's internal headers are not read", () => {
  expect(stranger(forged(), uuid)).toMatchObject({ requestId: uuid(), grayKey: null, ip: "203.0.113.9" });
});

/** As the front writes it. */
const told = (over: Record<string, string> = {}) =>
  new Headers({
    "x-postern-caller": "device-1",
    "x-request-id": caller.requestId,
    traceparent: caller.traceparent,
    "cloudflare-workers-version-key": "device-1",
    "cf-connecting-ip": "203.0.113.7",
    accept: "application/json",
    ...over,
  });

it("the front's are", () => {
  const { requestId, traceparent } = caller;
  expect(behindFront(told(), uuid)).toEqual({
    requestId,
    traceparent,
    ip: "203.0.113.7",
    grayKey: "device-1",
    tester: false,
    further: [],
  });
});

it.each(["x-postern-caller", "x-request-id", "traceparent"])("whoever comes without %s is a stranger", (missing) => {
  const headers = told({ "x-postern-smoke": "1" });
  headers.delete(missing);
  const found = behindFront(headers, uuid);
  expect([found.requestId, found.grayKey, found.tester, found.further]).toEqual([uuid(), null, undefined, undefined]);
});

it("what the front does not name is not believed, whoever wrote it", () => {
  const said = told({ "x-postern-smoke": "1", "x-postern-parent-span": "b7ad6b7169203331" });
  expect(behindFront(said, uuid)).toMatchObject({ tester: false, parentSpan: undefined });
  const named = told({
    ...Object.fromEntries(said),
    "x-postern-caller": "device-1 x-postern-smoke x-postern-parent-span",
  });
  expect(behindFront(named, uuid)).toMatchObject({ tester: true, parentSpan: "b7ad6b7169203331" });
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

it("nor of what the front told the gate, though it be newer than the gate", () => {
  const headers = told({
    "x-postern-parent-span": "b7ad6b7169203331",
    "x-postern-smoke": "1",
    "x-postern-invented-next-year": "1",
    "cloudflare-workers-version-overrides": 'gate-pay="new"',
    "postern-explain": "token",
  });
  present(headers, "device-1", ["postern-explain", "x-postern-parent-span"]);
  presentBesides(headers, ["x-postern-smoke", "cloudflare-workers-version-overrides", "x-postern-invented-next-year"]);
  const found = behindFront(headers, uuid);
  introduce(headers, found, url);
  expect([found.grayKey, found.tester, found.parentSpan]).toEqual(["device-1", true, "b7ad6b7169203331"]);
  expect(Object.fromEntries(headers)).toEqual({
    accept: "application/json",
    traceparent: caller.traceparent,
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-host": "api.example",
    "x-forwarded-proto": "https",
    "x-request-id": caller.requestId,
  });
});

it("at the front, what is for the gate alone is named", () => {
  const headers = new Headers({ "postern-explain": "token", "postern-label": "label", "x-request-id": "forged" });
  expect(cleanseFor(headers, undefined)).toEqual(["postern-explain"]);
  expect([...headers.keys()]).toEqual(["postern-explain"]);
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

  const broken = { traceparent: "broken", tracestate: "vendor=1" };
  const whole = { traceparent: `00-${trace}-b7ad6b7169203331-01`, tracestate: "vendor=1" };
  it.each([
    ["broken", broken, null],
    ["whole", whole, "vendor=1"],
  ])("the state of one that is %s, from the front and from a gate of its own", (_, given, state) => {
    const behind = new Headers(given);
    cleanseFor(behind, traceOf(behind.get("traceparent"), uuid()).parentSpan);
    expect(behind.get("tracestate")).toBe(state);
    const own = new Headers(given);
    introduce(own, stranger(own, uuid), url);
    expect(own.get("tracestate")).toBe(state);
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

it("fields that Connection names go no further, but for those that all recipients are meant to see", () => {
  const given = {
    connection: "X-Secret, Authorization, cookie, content-length, CF-Connecting-IP",
    "x-secret": "1",
    authorization: "Bearer x",
    cookie: "a=b",
    "content-length": "3",
    "cf-connecting-ip": "203.0.113.7",
  };
  const kept = ["authorization", "cf-connecting-ip", "connection", "content-length", "cookie"];
  const atFront = new Headers(given);
  cleanseFor(atFront, undefined);
  expect([...atFront.keys()]).toEqual(kept);
  const atZone = new Headers(given);
  introduce(atZone, stranger(atZone, uuid), url);
  expect(atZone.has("x-secret")).toBe(false);
  expect(atZone.get("authorization")).toBe("Bearer x");
  expect(atZone.get("x-forwarded-for")).toBe("203.0.113.7");
});

it.each([
  ["GET", "websocket", true],
  ["GET", "WebSocket", true],
  ["GET", "h2c", false],
  ["GET", "TLS/1.2", false],
  ["POST", "websocket", false],
  ["GET", null, false],
])("%s with an upgrade to %s asks for a WebSocket: %s", (method, upgrade, asks) => {
  const headers = upgrade === null ? {} : { upgrade };
  expect(asksForWebSocket(new Request("http://localhost/", { method, headers }))).toBe(asks);
});
