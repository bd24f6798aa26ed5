/** What verified claims (RFC 7519) say, and whether that is what is asked for. */

export type ClaimsOf = Readonly<Record<string, unknown>>;
type Value = string | number | boolean;

/** Each claim that is wanted has to be there with one of its values; of a claim that is a list, one item. */
export const claimsFit = (claims: ClaimsOf, wanted: Readonly<Record<string, Value | readonly Value[]>>): boolean =>
  Object.entries(wanted).every(([name, value]) => {
    const given: readonly unknown[] = [claims[name]].flat();
    return [value].flat().some((it) => given.includes(it));
  });

/** Scopes are one text with spaces (RFC 8693, section 4.2), or a list as some issuers write it. */
export const scopesOf = ({ scope, scp }: ClaimsOf): ReadonlySet<string> =>
  new Set([scope, scp].flat().flatMap((it) => (typeof it === "string" ? it.split(" ") : [])));

export const hasScopes = (claims: ClaimsOf, wanted: readonly string[]): boolean => {
  if (wanted.length === 0) return true;
  const given = scopesOf(claims);
  return wanted.every((it) => given.has(it));
};

interface Time {
  /** In seconds. */
  readonly leeway: number;
  readonly maxAge: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What time says of claims that were good when their signature was verified. */
export const outOfTime = (
  { exp = 0, nbf = 0, iat = 0 }: { readonly exp?: number; readonly nbf?: number; readonly iat?: number },
  { leeway, maxAge, now }: Time,
): "token-expired" | "token-rejected" | undefined => {
  const at = Math.floor(now / 1000);
  if (exp <= at - leeway || iat + maxAge < at - leeway) return "token-expired";
  return nbf > at + leeway ? "token-rejected" : undefined;
};
