/** Hooks of `jwt`, which tools read and gates do not bundle. */

import type { Requirements } from "../../gateway/hooks/credentials.ts";
import type { Scales } from "../../gateway/hooks/scales.ts";
import type { FilterSecurity } from "../../gateway/hooks/security.ts";
import { authorization } from "../../gateway/identity/token-sources.ts";
import { rules } from "./audit.ts";
import type { JwtConfig } from "./config.ts";
import { credentials } from "./credentials.ts";
import { examples } from "./examples.ts";

/** A function, so that bundlers drop it from gates. */
export const hooks = () => ({
  keysOfCode: {
    "token-missing": ["from"],
    "token-revoked": ["revocation"],
    "scope-missing": ["scopes"],
    "revocations-unavailable": ["revocation"],
    "keys-unavailable": ["jwks", "issuer"],
  } as const satisfies Readonly<Record<string, readonly (keyof JwtConfig)[]>>,
  scales: {
    audience: { allows: "items", absent: "everything" },
    algorithms: { allows: "items", absent: "nothing" },
    from: { allows: "items", absent: "nothing" },
    "max-size": "larger-is-weaker",
    leeway: "longer-is-weaker",
    "max-age": "longer-is-weaker",
    claims: "required-values",
    scopes: "required-items",
    revocation: "absent-is-weaker",
    cache: "longer-is-weaker",
    stale: "longer-is-weaker",
  } as const satisfies Scales<JwtConfig>,
  issuers: ({ issuer }: JwtConfig) => [issuer],
  calls: ({ keys, jwks, issuer }: JwtConfig) => (keys ? [] : [jwks ?? issuer]),
  security: ({ from, revocation }: JwtConfig): FilterSecurity => {
    const places = [from].flat();
    return {
      credentialHeader: places.includes(authorization) ? "authorization" : undefined,
      credentialCookie: places.some((it) => it.startsWith("cookie.")) ? ["from"] : undefined,
      revocation: revocation && { of: "token", after: revocation.cache, at: ["revocation", "cache"] },
    };
  },
  audit: rules,
  credentials,
  examples: examples(),
  requires: ({ scopes, claims }: JwtConfig): Requirements => ({ scopes, claims }),
});
