/** What in the configuration of `ip` lets in more addresses than it names. */
import ipaddr from "ipaddr.js";
import type { AuditRule } from "../../gateway/hooks/audit.ts";

type Rule = AuditRule<{ readonly allow?: readonly string[] | undefined }>;

/** Bits that a range has at least to name somebody. */
const narrowest = { ipv4: 8, ipv6: 16 } as const;

const wideRange: Rule = {
  id: "wide-range",
  severity: "high",
  summary: "`ip` lets in a range that holds half the world.",
  incident:
    "Databases that were open to all addresses, for a test, were emptied by the tens of thousands and held to ransom (MongoDB, 2017).",
  remedy: "Name the networks that may come in. To let everybody in, leave `ip` out, so that reviewers see it.",
  check: ({ allow = [] }) =>
    allow.flatMap((range, index) => {
      const [address = "", bits] = range.split("/");
      if (bits === undefined || Number(bits) >= narrowest[ipaddr.parse(address).kind()]) return [];
      return [
        {
          at: ["allow", index],
          message: `${range} is ${Number(bits) === 0 ? "everybody" : "a good part of everybody"}`,
          remedy: "name the networks that may come in",
        },
      ];
    }),
};

export const rules: readonly Rule[] = [wideRange];
