import { expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/secure-headers.ts";
import { conversation, type Setting } from "../conversation.ts";

const gate = (written: object = {}, setting: Setting = {}) =>
  conversation(
    { "secure-headers": () => make(spec().schema.parse(written)) },
    { filters: { "secure-headers": { kind: "layer" } }, ...setting },
  );

it("sets what the manifest says, in place of what the service says", async () => {
  const { send } = gate(
    { "x-frame-options": "DENY", "cross-origin-resource-policy": false },
    {
      replies: () => new Response("ok", { headers: { "x-frame-options": "ALLOWALL", "x-own": "1" } }),
    },
  );
  const { headers, text } = await send("GET /");
  expect(text).toBe("ok");
  expect(headers).toMatchObject({
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=15552000; includeSubDomains",
    "referrer-policy": "no-referrer",
    "x-own": "1",
  });
  expect(headers).not.toHaveProperty("cross-origin-resource-policy");
});

it("what a service sends is edited also where its headers cannot be", async () => {
  const { send } = gate({}, { replies: () => Response.redirect("https://elsewhere.example/", 302) });
  const heard = await send("GET /", { redirect: "manual" });
  expect([heard.status, heard.headers["x-content-type-options"]]).toEqual([302, "nosniff"]);
});

it("a body streams through", async () => {
  let tell = (_: string) => {};
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      tell = (text) => (text === "" ? controller.close() : controller.enqueue(new TextEncoder().encode(text)));
    },
  });
  const { send } = gate({}, { replies: () => new Response(body) });
  tell("first ");
  const heard = send("GET /");
  await new Promise((turn) => setTimeout(turn, 5));
  tell("second");
  tell("");
  expect((await heard).text).toBe("first second");
});

it("a fault behind it keeps its code, and its name in the log", async () => {
  const { send } = gate({}, { replies: () => Promise.reject(new Error("down")) });
  expect(await send("GET /")).toMatchObject({
    status: 502,
    code: "upstream-unreachable",
    line: { verdict: "failed", by: "service" },
  });
});

it.each([{ "x-frame-options": "a\r\nb: c" }, { "x-frame-options": true }, { "x-powered-by": false }])(
  "refuses %j in a manifest",
  (value) => {
    expect(spec().schema.safeParse(value).success).toBe(false);
  },
);
