/** Headers between client, front, gate and service. */
import { describe, expect, it } from "vitest";
import {
  addGateOnlyHeaders,
  callerFromFront,
  isWebSocketRequest,
  removeSpoofableHeaders,
  setCallerHeader,
  setForwardingHeaders,
  untrustedCaller,
} from "../../../functions/gateway/proxy/forwarding.ts";
import { continueTrace, traceparentOf } from "../../../functions/gateway/proxy/trace-context.ts";
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

it("the front removes internal headers and keeps the client's own", () => {
  const headers = forged();
  expect(removeSpoofableHeaders(headers, undefined).gateOnlyHeaders).toEqual([]);
  expect(Object.fromEntries(headers)).toEqual({ accept: "application/json", "cf-connecting-ip": "203.0.113.9" });
});

it("ignores internal headers of an untrusted caller", () => {
  expect(untrustedCaller(forged(), uuid)).toMatchObject({ requestId: uuid(), grayKey: null, ip: "203.0.113.9" });
});

/** As the front writes it. */
const frontHeaders = (over: Record<string, string> = {}) =>
  new Headers({
    "x-postern-caller": "device-1",
    "x-request-id": caller.requestId,
    traceparent: caller.traceparent,
    "cloudflare-workers-version-key": "device-1",
    "cf-connecting-ip": "203.0.113.7",
    accept: "application/json",
    ...over,
  });

it("reads the front's headers", () => {
  const { requestId, traceparent } = caller;
  expect(callerFromFront(frontHeaders(), uuid)).toEqual({
    requestId,
    traceparent,
    ip: "203.0.113.7",
    grayKey: "device-1",
    tester: false,
    gateOnlyHeaders: [],
  });
});

it.each(["x-postern-caller", "x-request-id", "traceparent"])("treats a caller without %s as untrusted", (missing) => {
  const headers = frontHeaders({ "x-postern-smoke": "1" });
  headers.delete(missing);
  const found = callerFromFront(headers, uuid);
  expect([found.requestId, found.grayKey, found.tester, found.gateOnlyHeaders]).toEqual([
    uuid(),
    null,
    undefined,
    undefined,
  ]);
});

it("ignores headers that the front does not name", () => {
  const headersFromFront = frontHeaders({ "x-postern-smoke": "1", "x-postern-parent-span": "b7ad6b7169203331" });
  expect(callerFromFront(headersFromFront, uuid)).toMatchObject({ tester: false, parentSpan: undefined });
  const named = frontHeaders({
    ...Object.fromEntries(headersFromFront),
    "x-postern-caller": "device-1 x-postern-smoke x-postern-parent-span",
  });
  expect(callerFromFront(named, uuid)).toMatchObject({ tester: true, parentSpan: "b7ad6b7169203331" });
});

it("sets forwarding headers for the upstream", () => {
  const headers = forged();
  setForwardingHeaders(headers, caller, new URL("https://api.example:8443/x"));
  expect(Object.fromEntries(headers)).toEqual({
    accept: "application/json",
    traceparent: caller.traceparent,
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-host": "api.example:8443",
    "x-forwarded-proto": "https",
    "x-request-id": caller.requestId,
  });
});

it("removes headers of a newer front", () => {
  const headers = frontHeaders({
    "x-postern-parent-span": "b7ad6b7169203331",
    "x-postern-smoke": "1",
    "x-postern-invented-next-year": "1",
    "cloudflare-workers-version-overrides": 'gate-pay="new"',
    "postern-explain": "token",
  });
  setCallerHeader(headers, "device-1", ["postern-explain", "x-postern-parent-span"]);
  addGateOnlyHeaders(headers, [
    "x-postern-smoke",
    "cloudflare-workers-version-overrides",
    "x-postern-invented-next-year",
  ]);
  const found = callerFromFront(headers, uuid);
  setForwardingHeaders(headers, found, url);
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

it("the front names gate-only headers", () => {
  const headers = new Headers({ "postern-explain": "token", "postern-label": "label", "x-request-id": "forged" });
  expect(removeSpoofableHeaders(headers, undefined).gateOnlyHeaders).toEqual(["postern-explain"]);
  expect([...headers.keys()]).toEqual(["postern-explain"]);
});

describe("traceparent (W3C Trace Context)", () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  it("continues a valid trace with a new span", () => {
    const headers = new Headers({ traceparent: `00-${trace}-b7ad6b7169203331-00` });
    expect(traceparentOf(headers, uuid)).toBe(`00-${trace}-8444555555555555-00`);
  });
  it("continues a trace of a later version", () => {
    const headers = new Headers({ traceparent: `01-${trace}-b7ad6b7169203331-ff-more` });
    expect(traceparentOf(headers, uuid)).toBe(`00-${trace}-8444555555555555-01`);
  });

  const broken = { traceparent: "broken", tracestate: "vendor=1" };
  const whole = { traceparent: `00-${trace}-b7ad6b7169203331-01`, tracestate: "vendor=1" };
  it.each([
    ["broken", broken, null],
    ["whole", whole, "vendor=1"],
  ])("handles tracestate of one that is %s, in front and gate", (_, headers, state) => {
    const behind = new Headers(headers);
    removeSpoofableHeaders(behind, continueTrace(behind.get("traceparent"), uuid()).parentSpan);
    expect(behind.get("tracestate")).toBe(state);
    const own = new Headers(headers);
    setForwardingHeaders(own, untrustedCaller(own, uuid), url);
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
  ])("%s starts a new trace", (_, headers) => {
    expect(traceparentOf(new Headers(headers ? { traceparent: headers } : {}), uuid)).toBe(
      "00-11111111222243338444555555555555-8444555555555555-01",
    );
  });
});

it("removes hop-by-hop fields that Connection names, but no end-to-end fields", () => {
  const headers = {
    connection: "X-Secret, Authorization, cookie, content-length, CF-Connecting-IP",
    "x-secret": "1",
    authorization: "Bearer x",
    cookie: "a=b",
    "content-length": "3",
    "cf-connecting-ip": "203.0.113.7",
  };
  const remaining = ["authorization", "cf-connecting-ip", "connection", "content-length", "cookie"];
  const atFront = new Headers(headers);
  removeSpoofableHeaders(atFront, undefined);
  expect([...atFront.keys()]).toEqual(remaining);
  const atZone = new Headers(headers);
  setForwardingHeaders(atZone, untrustedCaller(atZone, uuid), url);
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
])("%s with an upgrade to %s is a WebSocket handshake: %s", (method, upgrade, isHandshake) => {
  const headers = upgrade === null ? {} : { upgrade };
  expect(isWebSocketRequest(new Request("http://localhost/", { method, headers }))).toBe(isHandshake);
});
