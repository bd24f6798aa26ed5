/** Audit rules of `ip`: ranges that allow far more addresses than intended. */
import ipaddr from "ipaddr.js";
import type { AuditRule } from "../../gateway/hooks/audit.ts";

type Rule = AuditRule<{ readonly allow?: readonly string[] | undefined }>;

/** The shortest prefix, in bits, that is no finding. */
const minPrefixBits = { ipv4: 8, ipv6: 16 } as const;

const wideRange: Rule = {
  id: "wide-range",
  severity: "high",
  summary: "`ip` allows a range that covers a large part of the internet.",
  incident:
    "Tens of thousands of databases that were open to all addresses were emptied and held to ransom (MongoDB, 2017).",
  remedy: "Name the allowed networks. To allow everybody, remove `ip`, so that reviewers see it.",
  check: ({ allow = [] }) =>
    allow.flatMap((range, index) => {
      const [address = "", bits] = range.split("/");
      if (bits === undefined || Number(bits) >= minPrefixBits[ipaddr.parse(address).kind()]) return [];
      return [
        {
          at: ["allow", index],
          message: `${range} is ${Number(bits) === 0 ? "the whole internet" : "a large part of the internet"}`,
          remedy: "name the allowed networks",
        },
      ];
    }),
};

export const rules: readonly Rule[] = [wideRange];
