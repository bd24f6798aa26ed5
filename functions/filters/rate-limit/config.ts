/** The configuration of `rate-limit`, as far as its hooks read it; its schema holds it to this. */
export interface RateLimitConfig {
  readonly limit: string | readonly string[];
  readonly by: string | readonly string[];
  readonly burst?: number | undefined;
  readonly count: "leased" | "exact" | "local";
  readonly store: "state" | { readonly upstash: string };
  readonly "on-failure": "local" | "allow" | "deny";
}
