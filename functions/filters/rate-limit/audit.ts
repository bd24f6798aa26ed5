/** Audit rules of `rate-limit`: configurations that let requests pass uncounted, or expose the store's token. */
import type { AuditRule } from "../../gateway/hooks/audit.ts";
import { isPlaintext } from "../../manifest/addresses.ts";
import type { RateLimitConfig } from "./config.ts";

type Rule = AuditRule<RateLimitConfig>;

const openOnFailure: Rule = {
  id: "open-on-failure",
  severity: "medium",
  summary: "A rate limit lets everything pass while its store is unavailable.",
  incident: "A flood that overloads the store also removes the limit, exactly when it is needed.",
  remedy:
    "Use `local`, so that each isolate counts by itself meanwhile, or `deny` if no request may pass uncounted. `--fix` writes `local`.",
  check: ({ "on-failure": onFailure, count }, id) =>
    onFailure === "allow" && count !== "local"
      ? [
          {
            at: ["on-failure"],
            message: "while its store is unavailable, this limit counts nothing",
            remedy: "use local: isolates count by themselves meanwhile",
            fix: { says: `${id} counts in the isolate while its store is unavailable`, text: "local" },
          },
        ]
      : [],
};

const plaintextStore: Rule = {
  id: "plaintext-store",
  severity: "high",
  summary: "The token of the store that holds the counters is sent without encryption.",
  incident:
    "Whoever reads the token on the network can read and set all counters: their own to zero, those of others to the limit.",
  remedy: "Reach the store by https.",
  check: ({ store }) => {
    if (typeof store === "string" || !isPlaintext(store.upstash)) return [];
    const message = `the store's token is sent to ${new URL(store.upstash).host} without encryption`;
    return [{ at: ["store", "upstash"], message, remedy: "reach it by https" }];
  },
};

export const rules: readonly Rule[] = [openOnFailure, plaintextStore];
