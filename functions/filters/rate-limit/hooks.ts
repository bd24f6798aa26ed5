/** Hooks of `rate-limit`, which tools read and gates do not bundle. */

import type { Scales } from "../../gateway/hooks/scales.ts";
import type { FilterSecurity } from "../../gateway/hooks/security.ts";
import { rules } from "./audit.ts";
import type { RateLimitConfig } from "./config.ts";

/** A function, so that bundlers drop it from gates. */
export const hooks = () => ({
  scales: {
    limit: "higher-rate-is-weaker",
    burst: "larger-is-weaker",
    "on-failure": { weakestFirst: ["allow", "local", "deny"] },
  } as const satisfies Scales<RateLimitConfig>,
  security: ({ by, count, limit }: RateLimitConfig): FilterSecurity => {
    const keys = [by].flat();
    const header = keys.find((it) => it.startsWith("header."));
    return {
      counts: {
        byAddress: keys.join() === "ip",
        byHeader: header === undefined ? undefined : { name: header.slice("header.".length), at: ["by"] },
        perIsolate: count === "local" ? { rates: [limit].flat(), at: ["count"] } : undefined,
      },
    };
  },
  audit: rules,
  examples: {
    "rate-limited": {
      filters: "- rate-limit:\n    by: ip\n    limit: 1/h #!\n",
      step: "send: { request: GET /a, repeat: 2 }",
    },
    "limit-unavailable": {
      filters: "- rate-limit:\n    limit: 1/m\n    by: ip\n    on-failure: deny #!\n",
      step: "send: GET /a, down: [state]",
    },
  },
});
