/** The part of the configuration of `jwt` that its hooks read. Its schema has to match, which the compiler checks. */
export interface JwtConfig {
  readonly issuer: string;
  readonly audience?: string | readonly string[] | undefined;
  readonly algorithms: readonly string[];
  readonly from: string | readonly string[];
  readonly "max-size": string;
  readonly jwks?: string | undefined;
  readonly keys?: readonly object[] | undefined;
  readonly consumer: string;
  readonly leeway: string;
  readonly "max-age"?: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly scopes: readonly string[];
  readonly revocation?: { readonly cache: string } | undefined;
  readonly cache: string;
  readonly stale: string;
}
