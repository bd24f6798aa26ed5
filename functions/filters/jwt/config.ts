/** The configuration of `jwt`, as far as its hooks read it; its schema holds it to this. */
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
