/** The filter `ip`: client addresses by range, and their spellings. */
import { expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/ip.ts";
import { gateHarness } from "../gate-harness.ts";

const status = async (config: object, ip: string | null) => {
  const { send } = gateHarness({ ip: () => make(spec().schema.parse(config)) }, { caller: { ip } });
  const { status, code } = await send("GET /", { headers: { "x-forwarded-for": "10.0.0.1" } });
  return status === 403 ? code : status;
};

const lists = { allow: ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"], deny: ["10.6.0.0/16"] };

it.each([
  ["10.1.2.3", 200],
  ["10.6.6.6", "address-refused"],
  ["11.0.0.1", "address-refused"],
  ["192.0.2.7", 200],
  ["192.0.2.8", "address-refused"],
  ["2001:db8::1", 200],
  ["2001:db9::1", "address-refused"],
  ["::ffff:10.1.2.3", 200],
  ["::ffff:10.6.6.6", "address-refused"],
  ["not an address", "address-refused"],
  [null, "address-refused"],
])("%s: %s", async (ip, expected) => {
  expect(await status(lists, ip)).toBe(expected);
});

it("with deny alone, allows all others, but not an unknown address", async () => {
  expect(await status({ deny: ["203.0.113.0/24"] }, "198.51.100.1")).toBe(200);
  expect(await status({ deny: ["203.0.113.0/24"] }, "203.0.113.7")).toBe("address-refused");
  expect(await status({ deny: ["203.0.113.0/24"] }, null)).toBe("address-refused");
});

it.each([
  [{}],
  [{ allow: [] }],
  [{ allow: ["10.0.0.0/33"] }],
  [{ deny: ["localhost"] }],
  [{ deny: ["010.0.0.0/8"] }],
  [{ deny: ["10.1"] }],
  [{ deny: ["2130706433"] }],
  [{ deny: ["::ffff:10.0.0.0/104"] }],
])("the schema refuses %j", (value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});
