/** Reads and checks verified claims (RFC 7519). */

export type TokenClaims = Readonly<Record<string, unknown>>;
type ClaimValue = string | number | boolean;

/** Characters of a claim in a reference: letters, digits and those of URIs, and `\` ahead of a literal character. */
const claimPattern = /^(?:[\w.:/#@~+=?%-]|\\[\w.:/#@~+=?%\\-])+$/;

/** Whether a text is a valid claim name of a reference. */
export const isClaim = (text: string): boolean => claimPattern.test(text) && isClaimPath(text);

/** Whether a text is a path to a claim: no name on it is empty. */
export const isClaimPath = (text: string): boolean => !claimPath(text).includes("");

/**
 * Splits a claim path into names, outermost first. A dot separates names: `realm_access.roles`. `\.` is a literal
 * dot: `kubernetes\.io.namespace`. A text with `:` or `/` and no backslash is one name, dots included, since
 * namespaced claims are URIs: `https://acme.example/roles`.
 */
export const claimPath = (text: string): readonly string[] => {
  if (!text.includes("\\")) return /[:/]/.test(text) ? [text] : text.split(".");
  // A single trailing backslash is literal.
  return (text.match(/(?:\\.|[^.\\]|\\$)+|(?<=^|\.)(?=\.|$)/gsu) ?? []).map((name) => name.replace(/\\(.)/gsu, "$1"));
};

/** Compiles a reader of one claim. The path is split once. Inherited properties and list items are not claims. */
export const claimReader = (text: string): ((claims: TokenClaims) => unknown) => {
  const path = claimPath(text);
  return (claims) => {
    let value: unknown = claims;
    for (const name of path) {
      if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
      value = value[name];
    }
    return value;
  };
};

const isObject = (value: unknown): value is TokenClaims =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Claims that some issuers write as one space-separated text instead of a list. In any other claim a space is part of
 * the value.
 */
const spaceSeparatedClaims: ReadonlySet<string | undefined> = new Set(["scope", "scp", "roles", "groups"]);

/** Compiles a check: each required claim is present with one of its values. A list matches by one item. */
export const claimsMatcher = (
  required: Readonly<Record<string, ClaimValue | readonly ClaimValue[]>>,
): ((claims: TokenClaims) => boolean) => {
  const tests = Object.entries(required).map(([text, values]) => ({
    read: claimReader(text),
    isSpaceSeparated: spaceSeparatedClaims.has(claimPath(text).at(-1)),
    values: [values].flat(),
  }));
  return (claims) =>
    tests.every(({ read, isSpaceSeparated, values }) => {
      const value = read(claims);
      if (values.includes(value as ClaimValue)) return true;
      const items = isSpaceSeparated && typeof value === "string" ? value.split(" ") : value;
      return Array.isArray(items) && values.some((it) => items.includes(it));
    });
};

/** Scopes are a space-separated text (RFC 8693, section 4.2) or a list, depending on the issuer. */
export const scopesOf = ({ scope, scp }: TokenClaims): ReadonlySet<string> =>
  new Set([scope, scp].flat().flatMap((it) => (typeof it === "string" ? it.split(" ") : [])));

export const hasScopes = (claims: TokenClaims, required: readonly string[]): boolean => {
  if (required.length === 0) return true;
  const scopes = scopesOf(claims);
  return required.every((it) => scopes.has(it));
};

/**
 * A claim as text, or undefined if it has none. A list is joined with commas. Integers beyond 2^53 have none: JSON
 * parsers round them, so two could become equal.
 *
 * @param encode encodes a list item, so that different lists give different texts
 */
export const claimText = (value: unknown, encode = withoutCommas): string | undefined => {
  if (!Array.isArray(value)) return scalarText(value);
  const items = value.map(scalarText);
  return items.includes(undefined) ? undefined : items.map((it) => encode(it as string)).join(",");
};

const withoutCommas = (item: string): string => item.replace(/[%,]/g, encodeURIComponent);

const scalarText = (value: unknown): string | undefined => {
  if (typeof value === "string" || typeof value === "boolean") return String(value);
  const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
  return isExact ? String(value) : undefined;
};

/** The consumer id in a claim: a text, or an integer that JSON parsers do not round. */
export const consumerIdOf = (value: unknown): string | undefined => {
  if (typeof value === "string") return value === "" ? undefined : value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
};

/** The end of the year 9999, in seconds. Larger values are milliseconds or invalid. */
const maxDate = 253_402_300_799;

/** Whether the date claims are valid (NumericDate: seconds, which may have a fraction). */
export const areDatesValid = ({ exp, nbf, iat }: TokenClaims): boolean =>
  [exp, nbf, iat].every((it) => it === undefined || (typeof it === "number" && it >= 0 && it <= maxDate));

interface ValidityOptions {
  /** In seconds. */
  readonly leeway: number;
  readonly maxAge: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Checks the time of claims whose signature was verified earlier. */
export const validityProblem = (
  { exp = 0, nbf = 0, iat = 0 }: { readonly exp?: number; readonly nbf?: number; readonly iat?: number },
  { leeway, maxAge, now }: ValidityOptions,
): "token-expired" | "token-rejected" | undefined => {
  const at = Math.floor(now / 1000);
  if (exp <= at - leeway || iat + maxAge < at - leeway) return "token-expired";
  return nbf > at + leeway ? "token-rejected" : undefined;
};
