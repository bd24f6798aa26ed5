/** Networks of client addresses, compared with `ipaddr.js`, which parses every spelling. */
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { Consumer, setFact } from "../../../functions/gateway/core/facts.ts";
import type { Context } from "../../../functions/gateway/core/types.ts";
import { limitKeyOf } from "../../../functions/gateway/limits/keys.ts";

const key = limitKeyOf(["ip"]);
const counted = (ip: string | null) => key({} as Request, { caller: { ip } } as Context);
const under = (text: string) => `{ip=${encodeURIComponent(text)}}`;

/** For an address that ends like IPv4 without being mapped, the library deviates from RFC 4291. */
const ipV6 = fc.ipV6().filter((it) => !it.includes("."));

const written = fc.oneof(
  fc.ipV4(),
  ipV6,
  fc.ipV4().map((it) => `::ffff:${it}`),
  ipV6.map((it) => it.toUpperCase()),
);

describe("consumers are counted separately", () => {
  const by = limitKeyOf(["consumer"]);
  const keyFor = async (id: string) => {
    const context = { facts: new Map() } as unknown as Context;
    setFact(context, Consumer, { id, labels: {} });
    return by({} as Request, context);
  };
  it.each([
    ["éric", "%C3%A9ric"],
    [" eric", "eric"],
    ["eric\t", "eric"],
    ["\ud800", "\ud801"],
    ["\ud800", "\ufffd"],
    ["\ud800", "%ED%A0%80"],
    ["\ud800", '"\\ud800"'],
    ["a&consumer=b", "a"],
    ["漢".repeat(300), `${"漢".repeat(299)}字`],
  ])("%j and %j", async (one, other) => {
    expect(await keyFor(one)).not.toBe(await keyFor(other));
  });
});

it("is the IPv4 address, and the /64 of IPv6, in any spelling", () => {
  fc.assert(
    fc.property(written, (ip) => {
      const address = ipaddr.process(ip);
      const whom =
        address.kind() === "ipv4" ? address.toString() : (address as ipaddr.IPv6).toNormalizedString().split(":");
      expect(counted(ip)).toBe(under(typeof whom === "string" ? whom : whom.slice(0, 4).join(":")));
    }),
    { numRuns: 1000, seed: 6 },
  );
});

it.each(["", "::1]:80/[", "fe80::1%eth0", "1::2::3", "12345::", "localhost", "1.2.3", null])(
  "counts invalid addresses such as %j together",
  (ip) => {
    expect(counted(ip)).toBe(under(""));
  },
);
