/** The filter alone: shadowing, bounds of its response, and no guessing. */
import { describe, expect, it } from "vitest";
import { make } from "../../../functions/filters/validate.ts";
import type { OperationCheck, SchemaCheck } from "../../../functions/gateway/core/ports/validators.ts";
import { fakeDeps, filterInstance, type GateOptions, gateHarness } from "../gate-harness.ts";

const refusing = (message: string): SchemaCheck =>
  Object.assign(() => false, { errors: [{ instancePath: `/${"a".repeat(500)}`, message }] });

const check = (operation: OperationCheck, setting: GateOptions = {}, method = "POST") =>
  gateHarness(
    {
      validate: (deps) =>
        make(
          { openapi: "openapi/it.yaml" },
          { ...deps, validators: { [filterInstance.id]: { all: { [method]: operation } } } },
          filterInstance,
        ),
    },
    { limits: { body: "1KiB" }, ...setting },
  );

const body = (it: SchemaCheck): OperationCheck => ({
  parameters: [],
  body: { required: true, types: { "application/*": { as: "json", check: it } } },
});
const json = { headers: { "content-type": "application/json" } };
const shadow = { filters: { validate: { mode: "shadow" as const } } };

/** A body of unknown length. */
const chunks = (size: number) => new Blob(["x".repeat(size)]).stream();

describe("in shadow mode", () => {
  it("forwards the whole body that it has read, and records its decision", async () => {
    const { send } = check(body(refusing("no")), shadow);
    const { status, upstream, line } = await send("POST /", { ...json, body: '{"a":1}' });
    expect([status, upstream[0]?.body, line?.shadow]).toEqual([200, '{"a":1}', { validate: "body-invalid" }]);
  });

  it("does not forward the rest of a body above the limit", async () => {
    const { send } = check(body(refusing("no")), shadow);
    const { status, code, upstream } = await send("POST /", { ...json, body: chunks(5000) });
    expect([status, code, upstream]).toEqual([413, "body-too-large", []]);
  });
});

describe("a form", () => {
  const file = { style: "form", explode: true, shape: { kinds: ["string"], file: true } } as const;
  const ok: SchemaCheck = Object.assign(() => true, { errors: null });
  const forms: OperationCheck = {
    parameters: [],
    body: {
      required: true,
      types: {
        "application/x-www-form-urlencoded": { as: "form", form: { fields: {} }, check: ok },
        "multipart/form-data": { as: "multipart", form: { fields: { file } }, check: ok },
      },
    },
  };
  const part = `--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\u0000\r\n--b--`;

  it("is forwarded unchanged", async () => {
    const { send } = check(forms);
    for (const [type, body] of [
      ["application/x-www-form-urlencoded", "a=%62&a=+"],
      ["multipart/form-data; boundary=b", part],
    ] as const) {
      const { status, upstream } = await send("POST /", { headers: { "content-type": type }, body });
      expect([status, upstream[0]?.body]).toEqual([200, body]);
    }
  });

  it("is bounded, announced or not", async () => {
    const { send } = check(forms);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const { status, code, upstream } = await send("POST /", { headers, body: chunks(5000) });
    expect([status, code, upstream]).toEqual([413, "body-too-large", []]);
  });

  it("is required if the operation says so", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const { status, code } = await check(forms).send("POST /", { headers, body: chunks(0) });
    expect([status, code]).toEqual([400, "body-missing"]);
  });
});

it("reports at most ten errors, each of bounded length", async () => {
  const plain = { style: "form", explode: true, shape: { kinds: ["string"] } } as const;
  const one = { in: "query", name: "q", required: true, ...plain } as const;
  const { send } = check({
    parameters: Array.from({ length: 30 }, () => ({ ...one, check: refusing("m".repeat(900)) })),
  });
  const { status, text } = await send("POST /?q=1");
  const { errors } = JSON.parse(text);
  expect([status, errors.length, errors[0].detail.length, errors[0].pointer.length]).toEqual([400, 10, 200, 200]);
});

it("fails for a route without checks, except preflights", async () => {
  const { send } = check({ parameters: [] }, {}, "GET");
  expect([(await send("POST /")).status, (await send("GET /")).status, (await send("HEAD /")).status]).toEqual([
    500, 200, 200,
  ]);
  expect(() => make({ openapi: "openapi/it.yaml" }, fakeDeps(), { tier: "tier", id: "other" })).toThrow("rebuild it");
});
