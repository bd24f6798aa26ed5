/** Audit rules of `signature`: configurations that let one client sign as another. */
import type { AuditRule } from "../../gateway/hooks/audit.ts";
import type { SignatureConfig } from "./config.ts";

type Rule = AuditRule<SignatureConfig>;

const sharedKey: Rule = {
  id: "shared-key",
  severity: "high",
  summary: "Two consumers sign with the same secret, so each can impersonate the other.",
  incident:
    "A signing key for one kind of account was accepted for another kind too, and the thief read the mail of governments (Storm-0558, 2023).",
  remedy: "Give each consumer its own secret, and each key of a consumer too.",
  check: ({ keys }) => {
    const all = Object.entries(keys);
    return all.flatMap(([id, { secret, consumer }], index) => {
      const other = all.slice(0, index).find(([, it]) => it.secret === secret && it.consumer !== consumer);
      if (!other) return [];
      return [
        {
          at: ["keys", id, "secret"],
          message: `${consumer} and ${other[1].consumer} sign with the same secret, so each can impersonate the other`,
          remedy: "give each a secret of its own",
          related: [{ at: ["keys", other[0], "secret"], message: `${other[1].consumer} has it here` }],
        },
      ];
    });
  },
};

export const rules: readonly Rule[] = [sharedKey];
