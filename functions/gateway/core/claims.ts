/** What verified claims (RFC 7519) say, and whether that is what is asked for. */

export type TokenClaims = Readonly<Record<string, unknown>>;
type ClaimValue = string | number | boolean;

/** How a reference writes a claim: letters, digits and what URIs have, and `\` ahead of a character that stands for itself. */
const claimPattern = /^(?:[\w.:/#@~+=?%-]|\\[\w.:/#@~+=?%\\-])+$/;

/** Whether a reference can name a claim so. */
export const isClaim = (text: string): boolean => claimPattern.test(text) && isClaimPath(text);

/** Whether a text leads to a claim: no name on the way is empty. */
export const isClaimPath = (text: string): boolean => !claimPath(text).includes("");

/**
 * The names that lead to a claim, from the outside in. A dot leads into an object: `realm_access.roles`. `\.` is a dot of the
 * name: `kubernetes\.io.namespace`. A text with `:` or `/` and no backslash is one name, dots included, since the names of
 * namespaced claims are URIs: `https://acme.example/roles`.
 */
export const claimPath = (text: string): readonly string[] => {
  if (!text.includes("\\")) return /[:/]/.test(text) ? [text] : text.split(".");
  // A lone backslash at the end stands for itself.
  return (text.match(/(?:\\.|[^.\\]|\\$)+|(?<=^|\.)(?=\.|$)/gsu) ?? []).map((name) => name.replace(/\\(.)/gsu, "$1"));
};

/** Reads one claim. The path is split once; neither what a prototype has nor an item of a list is a claim. */
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

/** Claims that some issuers write as one text with spaces in place of a list. In any other claim a space is part of the value. */
const spaceSeparatedClaims: ReadonlySet<string | undefined> = new Set(["scope", "scp", "roles", "groups"]);

/** Prepares a test: each claim that is wanted has to be there with one of its values; of a claim that is a list, one item. */
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

/** Scopes are one text with spaces (RFC 8693, section 4.2), or a list as some issuers write it. */
export const scopesOf = ({ scope, scp }: TokenClaims): ReadonlySet<string> =>
  new Set([scope, scp].flat().flatMap((it) => (typeof it === "string" ? it.split(" ") : [])));

export const hasScopes = (claims: TokenClaims, required: readonly string[]): boolean => {
  if (required.length === 0) return true;
  const scopes = scopesOf(claims);
  return required.every((it) => scopes.has(it));
};

/**
 * A claim as text, or undefined where it has none. A list is its items with commas between. JSON readers round an integer
 * beyond 2^53, and two of them become one.
 *
 * @param encode writes an item of a list so that no item becomes two, and no two lists become one
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

/** Who a claim names: a text, or a whole number that JSON readers do not round. */
export const consumerIdOf = (value: unknown): string | undefined => {
  if (typeof value === "string") return value === "" ? undefined : value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
};

/** In seconds: the last of the year 9999. What lies beyond was written in milliseconds, or is no date. */
const maxDate = 253_402_300_799;

/** Whether the claims that are dates are ones (NumericDate: seconds, which may have a fraction). */
export const areDatesValid = ({ exp, nbf, iat }: TokenClaims): boolean =>
  [exp, nbf, iat].every((it) => it === undefined || (typeof it === "number" && it >= 0 && it <= maxDate));

interface ValidityOptions {
  /** In seconds. */
  readonly leeway: number;
  readonly maxAge: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What time says of claims that were good when their signature was verified. */
export const validityProblem = (
  { exp = 0, nbf = 0, iat = 0 }: { readonly exp?: number; readonly nbf?: number; readonly iat?: number },
  { leeway, maxAge, now }: ValidityOptions,
): "token-expired" | "token-rejected" | undefined => {
  const at = Math.floor(now / 1000);
  if (exp <= at - leeway || iat + maxAge < at - leeway) return "token-expired";
  return nbf > at + leeway ? "token-rejected" : undefined;
};
