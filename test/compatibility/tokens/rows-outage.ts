/** Tokens during an outage of the issuer's key set. */
import { encoded, encrypted } from "./kit.ts";
import type { TokenRow } from "./rows.ts";

const k1 = { header: { kid: "k1" } };

/** No key could make it valid, so the client is refused and the issuer is not called. */
const garbage = (
  it: string,
  authority: string,
  altered: TokenRow["altered"],
  more: Partial<TokenRow> = {},
): TokenRow => ({
  it: `while the key set cannot be had, ${it} is refused as a token, and the issuer is not called`,
  authority,
  outage: true,
  token: k1,
  ...(altered && { altered }),
  right: { status: 401, code: "token-invalid", asksIssuer: false },
  ...more,
});

const waits = (it: string, authority: string, more: Partial<TokenRow> = {}): TokenRow => ({
  it: `while the key set cannot be had, ${it} may be good: 503`,
  authority,
  outage: true,
  token: k1,
  right: { status: 503, code: "keys-unavailable", asksIssuer: true },
  ...more,
});

const parts = (token: string): readonly [string, string, string] => token.split(".") as [string, string, string];
const withHeader = (header: unknown) => (token: string) => {
  const [, claims, signature] = parts(token);
  return [encoded(header), claims, signature].join(".");
};
const base64url = (text: string): string => Buffer.from(text).toString("base64url");

const form = "RFC 7515, 5.2, steps 1 to 5; RFC 6750, 3.1 (invalid_token is 401)";
const algorithm = "RFC 8725, 3.1 and 3.2; RFC 6750, 3.1";

export const outageRows: readonly TokenRow[] = [
  garbage("an opaque token", form, () => "mF_9.B5f-4.1JqM"),
  garbage("a text without dots", form, () => "garbage"),
  garbage("an API key", form, () => "sk_live_51H8x"),
  garbage("a token of two parts", form, (token) => parts(token).slice(0, 2).join(".")),
  garbage("a token of four parts", form, (token) => `${token}.AAAA`),
  garbage("a token with padding", form, (token) => `${token}=`),
  garbage("a token in standard base64", form, () => `${base64url('{"alg":"RS256"}')}.e30.+/8`),
  garbage("a header that is no JSON", form, (token) => [base64url("alg"), ...parts(token).slice(1)].join(".")),
  garbage("a header that is no object", form, withHeader(["RS256"])),
  garbage("a header that is null", form, withHeader(null)),
  garbage("a header that is no UTF-8", form, (token) => ["_w", ...parts(token).slice(1)].join(".")),
  garbage("an empty header", form, withHeader({})),
  garbage("claims that are no JSON", "RFC 7519, 7.2, step 10", (token) => {
    const [header, , signature] = parts(token);
    return [header, base64url("claims"), signature].join(".");
  }),
  garbage("claims that are a list", "RFC 7519, 7.2, step 10", undefined, { token: { ...k1, text: "[]" } }),
  garbage("an empty payload", "RFC 7519, 7.2, step 10", (token) => `${parts(token)[0]}..${parts(token)[2]}`),
  garbage("an empty signature", "RFC 8725, 3.1", (token) => `${parts(token).slice(0, 2).join(".")}.`),
  garbage("a token with `alg: none`", "RFC 8725, 3.1; RFC 7519, 6", (token) => {
    const [, claims] = parts(token);
    return `${encoded({ alg: "none" })}.${claims}.`;
  }),
  garbage("`alg: None` with a signature", "RFC 8725, 3.1", withHeader({ alg: "None" })),
  garbage("an algorithm that the manifest leaves out", algorithm, withHeader({ alg: "ES256", kid: "k1" })),
  garbage("a symmetric algorithm", algorithm, withHeader({ alg: "HS256", kid: "k1" })),
  garbage("an algorithm that is a number", algorithm, withHeader({ alg: 256 })),
  garbage("an algorithm in lower case", "RFC 7515, 4.1.1 (case-sensitive)", withHeader({ alg: "rs256" })),
  garbage("an extension that has to be understood", "RFC 7515, 4.1.11", withHeader({ alg: "RS256", crit: ["exp"] })),
  garbage("a token that brings its key", "RFC 8725, 3.10", withHeader({ alg: "RS256", jwk: { kty: "RSA" } })),
  garbage("an encrypted token", "RFC 7516, 9; RFC 6750, 3.1", encrypted),
  garbage("a DPoP proof", "RFC 8725, 3.11; RFC 9449, 4.2", withHeader({ alg: "RS256", typ: "dpop+jwt" })),
  garbage("garbage in a cookie", form, () => "garbage", {
    jwt: { from: "cookie.session" },
    sent: (token) => ({ headers: { cookie: `session=${token}` } }),
  }),
  waits("a signed token", "RFC 9110, 15.6.4"),
  waits("a token of a key that nobody has named", "RFC 7515, 4.1.4", { token: { header: { kid: "new" } } }),
  waits("a token without a key id", "RFC 7515, 4.1.4", { token: {} }),
  waits(
    "a token that says it has expired, since no claim is read ahead of its signature,",
    "RFC 7519, 7.2, steps 7 and 10",
    {
      token: { ...k1, claims: { exp: 1 } },
    },
  ),
];
