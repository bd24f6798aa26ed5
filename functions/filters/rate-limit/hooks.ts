/** What tools know of `rate-limit`. */

import type { Scales } from "../../gateway/hooks/scales.ts";
import type { FilterSecurity } from "../../gateway/hooks/security.ts";
import { rules } from "./audit.ts";
import type { RateLimitConfig } from "./config.ts";

export const hooks = {
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
};
