/** Allows or refuses client addresses by range. */
import ipaddr from "ipaddr.js";
import * as z from "zod";
import { type Codes, refuse } from "../gateway/core/problems.ts";
import type { Guard } from "../gateway/core/types.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { rules } from "./ip/audit.ts";

const codes = {
  "address-refused": { status: 403, title: "Client address not allowed" },
} as const satisfies Codes;

type Range = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

const range = () =>
  z.string().refine(isRange, {
    error: "an address or a range: 203.0.113.7, 10.0.0.0/8, 2001:db8::/32",
  });

/** Accepts only unambiguous spellings: four decimal parts, or an IPv6 address that is not an IPv4-mapped one. */
const isRange = (text: string): boolean => {
  const [address = "", bits] = text.split("/");
  if (bits !== undefined && !ipaddr.isValidCIDR(text)) return false;
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return !/(?:^|\.)0\d/.test(address);
  return ipaddr.IPv6.isValid(address) && !ipaddr.IPv6.parse(address).isIPv4MappedAddress();
};

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "access",
    enforcing: "tightens",
    schema: z
      .strictObject({
        allow: z
          .array(range())
          .min(1)
          .optional()
          .describe("Addresses and ranges that are allowed; all others are refused"),
        deny: z
          .array(range())
          .min(1)
          .optional()
          .describe("Addresses and ranges that are refused, even if `allow` names them"),
      })
      .refine(({ allow, deny }) => allow || deny, "give `allow`, `deny` or both"),
    example: { allow: ["10.0.0.0/8", "2001:db8::/32"], deny: ["10.6.6.6"] },
    codes,
    scales: { allow: { addresses: "allowed" }, deny: { addresses: "denied" } },
    security: ({ allow }) => ({ admitsAddresses: allow !== undefined }),
    audit: rules,
    examples: {
      "address-refused": { filters: "- ip: #!\n    allow: [10.0.0.0/8]\n    deny: [192.0.2.0/24]\n" },
    },
  });

export const make = ({ allow, deny }: Config<typeof spec>): Guard => {
  const allowed = allow?.map(rangeOf);
  const denied = deny?.map(rangeOf) ?? [];
  return (_, context) => {
    const { ip } = context.caller;
    // Fails closed: an unknown or malformed address is in no range.
    if (ip === null || !ipaddr.isValid(ip)) return refuse(context, codes, "address-refused");
    const address = ipaddr.process(ip);
    const within = (range: Range) => address.kind() === range[0].kind() && address.match(range as [never, number]);
    if (denied.some(within) || allowed?.some(within) === false) return refuse(context, codes, "address-refused");
    return undefined;
  };
};

const rangeOf = (text: string): Range => {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
};
