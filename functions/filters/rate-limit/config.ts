/** The part of the configuration of `rate-limit` that its hooks read. Its schema has to match, which the compiler checks. */
export interface RateLimitConfig {
  readonly limit: string | readonly string[];
  readonly by: string | readonly string[];
  readonly burst?: number | undefined;
  readonly count: "leased" | "exact" | "local";
  readonly store: "state" | { readonly upstash: string };
  readonly "on-failure": "local" | "allow" | "deny";
}
