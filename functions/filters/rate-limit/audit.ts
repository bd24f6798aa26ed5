/** What in the configuration of `rate-limit` lets requests pass uncounted, or the store's token be read. */
import type { AuditRule } from "../../gateway/hooks/audit.ts";
import { isPlaintext } from "../../manifest/addresses.ts";
import type { RateLimitConfig } from "./config.ts";

type Rule = AuditRule<RateLimitConfig>;

const openOnFailure: Rule = {
  id: "open-on-failure",
  severity: "medium",
  summary: "When counts cannot be kept, a limit lets everybody pass.",
  incident:
    "A flood that is large enough to reach the store that counts it takes the limit away with it, so the limit is gone exactly when it is needed.",
  remedy:
    "Write `local`, and each isolate counts by itself meanwhile; or `deny` where nobody may pass uncounted. `--fix` writes `local`.",
  check: ({ "on-failure": otherwise, count }, id) =>
    otherwise === "allow" && count !== "local"
      ? [
          {
            at: ["on-failure"],
            message: "without its store this limit counts nobody",
            remedy: "write local: isolates count by themselves meanwhile",
            fix: { says: `${id} counts in the isolate when its store is gone`, text: "local" },
          },
        ]
      : [],
};

const plaintextStore: Rule = {
  id: "plaintext-store",
  severity: "high",
  summary: "The token of the store that counts is sent without encryption.",
  incident:
    "Whoever reads the token on the way reads all counts, and sets them: of their own to nought, of others to the limit.",
  remedy: "Reach the store by https.",
  check: ({ store }) => {
    if (typeof store === "string" || !isPlaintext(store.upstash)) return [];
    const message = `the store's token is sent to ${new URL(store.upstash).host} where others can read it`;
    return [{ at: ["store", "upstash"], message, remedy: "reach it by https" }];
  },
};

export const rules: readonly Rule[] = [openOnFailure, plaintextStore];
