/** Claims as issuers write them, and which of them are not to be trusted. */
import { now, published } from "./kit.ts";
import type { TokenRow } from "./rows.ts";

const k1 = { header: { kid: "k1" } };
const rejected = { status: 401, code: "token-rejected" } as const;

/** The service receives the values of these references. */
const tells = (values: Readonly<Record<string, string>>): object => ({ headers: { request: { set: values } } });

export const issuerRows: readonly TokenRow[] = [
  {
    it: "Microsoft Entra, version 2: scopes as a text in `scp`, roles as a list, key id and thumbprint alike",
    authority: "Microsoft identity platform, access token claims reference (v2.0)",
    behind: [
      { access: { scopes: ["Orders.Read"], claims: { roles: "Orders.Admin" } } },
      tells({ "x-oid": "{claim.oid}" }),
    ],
    token: {
      header: { typ: "JWT", kid: "k1", x5t: "k1" },
      claims: {
        ver: "2.0",
        oid: "0a1b",
        tid: "9d2c",
        azp: "11aa",
        scp: "Orders.Read Orders.Write",
        roles: ["Orders.Admin", "Orders.Audit"],
        nbf: now() - 60,
        iat: now() - 60,
      },
    },
    right: { status: 200, consumer: "alice", headers: { "x-oid": "0a1b" } },
  },
  {
    it: "Microsoft Entra, version 1: the application's id in `appid`, no `azp`, groups as a list",
    authority: "Microsoft identity platform, access token claims reference (v1.0)",
    jwt: { audience: "api://orders", claims: { appid: "11aa" } },
    behind: [{ access: { claims: { groups: "8d5e" } } }],
    token: {
      header: { typ: "JWT", kid: "k1", x5t: "k1" },
      claims: { ver: "1.0", aud: "api://orders", appid: "11aa", appidacr: "1", groups: ["77f0", "8d5e"] },
    },
    right: { status: 200 },
  },
  {
    it: "Azure AD B2C: `tfp` and an extension claim, fractions nowhere, `nbf` in the present",
    authority: "Azure AD B2C, overview of tokens",
    jwt: { claims: { tfp: "B2C_1_signin", extension_tenant: "acme" } },
    token: { header: { typ: "JWT", kid: "k1" }, claims: { tfp: "B2C_1_signin", extension_tenant: "acme", nbf: now() } },
    right: { status: 200 },
  },
  {
    it: "Cognito: an access token has no audience but a client, and groups with a colon in the claim's name",
    authority: "Amazon Cognito, understanding the access token",
    jwt: { audience: null, claims: { token_use: "access", client_id: "7abc" } },
    behind: [{ access: { claims: { "cognito:groups": "tellers" } } }],
    token: { ...k1, claims: { aud: undefined, token_use: "access", client_id: "7abc", "cognito:groups": ["tellers"] } },
    right: { status: 200 },
  },
  {
    it: "Cognito's access token where an audience is required: it has none",
    authority: "RFC 7519, section 4.1.3: reject where the recipient is not in `aud`",
    token: { ...k1, claims: { aud: undefined, token_use: "access" } },
    right: rejected,
  },
  {
    it: "Keycloak: roles in objects, several audiences, scopes as a text",
    authority:
      "Keycloak, Server Administration: token role mappings `realm_access.roles`, `resource_access.<client>.roles`",
    behind: [
      {
        access: {
          scopes: ["profile"],
          claims: { "realm_access.roles": "teller", "resource_access.wallet-app.roles": ["admin", "viewer"] },
        },
      },
      tells({ "x-roles": "{claim.realm_access.roles}" }),
    ],
    token: {
      header: { typ: "JWT", kid: "k1" },
      claims: {
        aud: ["account", "wallet"],
        azp: "wallet-app",
        scope: "openid profile email",
        realm_access: { roles: ["offline_access", "teller"] },
        resource_access: { "wallet-app": { roles: ["viewer"] } },
      },
    },
    right: { status: 200, headers: { "x-roles": "offline_access,teller" } },
  },
  {
    it: "Keycloak: a client whose id is a URL, by a path that says which dots are its own",
    authority: "Keycloak, Securing Applications: SAML and CORS clients are named by URLs",
    behind: [{ access: { claims: { "resource_access.https\\://shop\\.example/.roles": "buyer" } } }],
    token: { ...k1, claims: { resource_access: { "https://shop.example/": { roles: ["buyer"] } } } },
    right: { status: 200 },
  },
  {
    it: "Okta: scopes as a list in `scp`, the client in `cid`, no type in the header",
    authority: "Okta, access token reserved claims",
    jwt: { scopes: ["orders:read"], claims: { cid: "0oa1" } },
    token: { ...k1, claims: { ver: 1, jti: "AT.1", cid: "0oa1", uid: "00u1", scp: ["openid", "orders:read"] } },
    right: { status: 200 },
  },
  {
    it: "Auth0: type `at+jwt`, two audiences, a namespaced claim with dots and slashes",
    authority: "Auth0, access token profiles (RFC 9068) and namespaced custom claims",
    behind: [
      { access: { claims: { "https://acme.example/roles": "teller", permissions: "read:orders" } } },
      tells({ "x-roles": "{claim.https://acme.example/roles}" }),
    ],
    token: {
      header: { typ: "at+jwt", kid: "k1" },
      claims: {
        aud: ["wallet", "https://acme.eu.auth0.example/userinfo"],
        client_id: "c1",
        permissions: ["read:orders"],
        "https://acme.example/roles": ["teller", "clerk"],
      },
    },
    right: { status: 200, headers: { "x-roles": "teller,clerk" } },
  },
  {
    it: "Hasura: an object under a URL, and a name in it",
    authority: "Hasura, JWT authentication: `https://hasura.io/jwt/claims`",
    jwt: { consumer: "https://hasura\\.io/jwt/claims.x-hasura-user-id" },
    token: { ...k1, claims: { "https://hasura.io/jwt/claims": { "x-hasura-user-id": "u7" } } },
    right: { status: 200, consumer: "u7" },
  },
  {
    it: "Google: an ID token with a subject of twenty-one digits, as text",
    authority: "Google Identity, OpenID Connect: ID token's payload",
    jwt: { audience: "123.apps.example" },
    token: {
      header: { typ: "JWT", kid: "k1" },
      claims: { aud: "123.apps.example", azp: "123.apps.example", sub: "110169484474386276334", email_verified: true },
    },
    right: { status: 200, consumer: "110169484474386276334" },
  },
  {
    it: "Firebase: the way of signing in is in an object",
    authority: "Firebase, verify ID tokens: payload claims",
    behind: [{ access: { claims: { "firebase.sign_in_provider": ["google.com", "apple.com"] } } }],
    token: {
      header: { typ: "JWT", kid: "k1" },
      claims: { firebase: { identities: {}, sign_in_provider: "google.com" } },
    },
    right: { status: 200 },
  },
  {
    it: "Kubernetes: a service account's token, with a dot in a claim's name and no type",
    authority: "Kubernetes, managing service accounts: bound service account tokens",
    behind: [{ access: { claims: { "kubernetes\\.io.namespace": "shop" } } }],
    token: {
      ...k1,
      claims: {
        aud: ["https://kubernetes.default.svc", "wallet"],
        sub: "system:serviceaccount:shop:orders",
        "kubernetes.io": { namespace: "shop", serviceaccount: { name: "orders", uid: "u" } },
      },
    },
    right: { status: 200, consumer: "system:serviceaccount:shop:orders" },
  },
  {
    it: "GitHub Actions: a subject with colons and slashes, thumbprint and key id that differ",
    authority: "GitHub, about security hardening with OpenID Connect",
    jwt: { claims: { repository: "acme/wallet", ref: "refs/heads/main" } },
    token: {
      header: { typ: "JWT", kid: "k1", x5t: "ykNaY4qM_ta4k2TgZOCEYLkcYlA" },
      claims: { sub: "repo:acme/wallet:ref:refs/heads/main", repository: "acme/wallet", ref: "refs/heads/main" },
    },
    right: { status: 200, consumer: "repo:acme/wallet:ref:refs/heads/main" },
  },
  {
    it: "SPIFFE: a JWT-SVID of the type JOSE, whose subject is a URI",
    authority: "SPIFFE, JWT-SVID, section 2.3: the type is JWT or JOSE; RFC 7515, section 4.1.9",
    token: { header: { typ: "JOSE", kid: "k1" }, claims: { sub: "spiffe://acme.example/orders" } },
    right: { status: 200, consumer: "spiffe://acme.example/orders" },
  },
  {
    it: "Sign in with Apple: truths that are written as text, no type",
    authority: "Apple, Sign in with Apple: identity token claims",
    jwt: { claims: { email_verified: ["true", true] } },
    token: { ...k1, claims: { sub: "001234.abcd.0123", email_verified: "true", nonce_supported: true } },
    right: { status: 200, consumer: "001234.abcd.0123" },
  },
  {
    it: "Spring Authorization Server: scopes as a list in `scope`",
    authority: "Spring Authorization Server, JwtGenerator: `scope` is a collection",
    jwt: { scopes: ["orders.read"] },
    token: { ...k1, claims: { scope: ["orders.read", "openid"] } },
    right: { status: 200 },
  },
];

const dates = {
  "1e30 as `exp`": '{$,"exp":1e30}',
  "1e400 as `exp`, which no number holds": '{$,"exp":1e400}',
  "a negative `exp`": '{$,"exp":-1}',
  "milliseconds as `exp`": `{$,"exp":${now() * 1000 + 3_600_000_000}000}`,
  "a text as `exp`": `{$,"exp":"${now() + 3600}"}`,
  "no `exp`": '{$,"exp":null}',
  "1e30 as `nbf`": '{$,"nbf":1e30}',
  "a text as `nbf`": '{$,"nbf":"0"}',
  "a negative `nbf`": '{$,"nbf":-1e300}',
  "1e30 as `iat`": '{$,"iat":1e30}',
  "a list as `iat`": '{$,"iat":[1]}',
};

export const claimRows: readonly TokenRow[] = [
  ...Object.entries(dates).map(
    ([name, text]): TokenRow => ({
      it: `${name}: 401, and never 500`,
      authority: "RFC 7519, sections 2 (NumericDate) and 4.1",
      token: { ...k1, text },
      right: { status: 401 },
    }),
  ),
  {
    it: "dates with fractions",
    authority: "RFC 7519, section 2: non-integer values can be represented",
    jwt: { "max-age": "1h" },
    token: { ...k1, claims: { iat: now() - 0.5, nbf: now() - 1.25, exp: now() + 600.75 } },
    right: { status: 200 },
  },
  {
    it: "`nbf: 0`, as older Keycloaks write it, and the last second of the year 9999 as `exp`",
    authority: "Keycloak before version 8: `nbf` 0; RFC 7519, section 2",
    token: { ...k1, claims: { nbf: 0, iat: 0, exp: 253_402_300_799 } },
    right: { status: 200 },
  },
  {
    it: "a number names the consumer",
    authority: "RFC 7519, section 4.3: private claims have any type; issuers write user ids as numbers",
    jwt: { consumer: "user_id" },
    token: { ...k1, claims: { user_id: 40_961 } },
    right: { status: 200, consumer: "40961" },
  },
  ...Object.entries({
    "a number that JSON readers round": 2 ** 53,
    "a fraction": 1.5,
    "a truth": true,
    "a list": ["alice"],
    "an object": { id: "alice" },
    "an empty text": "",
    null: null,
  }).map(
    ([name, value]): TokenRow => ({
      it: `${name} names no consumer`,
      authority: "RFC 8259, section 6 (2^53); no two users may become one",
      jwt: { consumer: "user_id" },
      token: { ...k1, claims: { user_id: value } },
      right: rejected,
    }),
  ),
  {
    it: "a claim that is not there names no consumer, and nothing of a prototype does",
    authority: "RFC 7519, section 4",
    jwt: { consumer: "constructor.name" },
    token: k1,
    right: rejected,
  },
  {
    it: "roles as a text with spaces have each word; a display name has none",
    authority: "RFC 8693, section 4.2, as issuers use it for roles",
    behind: [{ access: { claims: { roles: "admin" } } }],
    token: { ...k1, claims: { roles: "clerk admin" } },
    right: { status: 200 },
  },
  {
    it: "a word in a claim that is no list is not the claim",
    authority: "RFC 7519, section 4: a value is compared whole",
    behind: [{ access: { claims: { name: "admin" } } }],
    token: { ...k1, claims: { name: "clerk admin" } },
    right: { status: 403, code: "access-denied" },
  },
  {
    it: "a group of a list is compared whole, spaces included",
    authority: "Okta and Active Directory: group names have spaces",
    behind: [{ access: { claims: { groups: "Admins" } } }],
    token: { ...k1, claims: { groups: ["Domain Admins"] } },
    right: { status: 403, code: "access-denied" },
  },
  {
    it: "an item of a list with a comma stays one item for the service",
    authority: "RFC 9110, section 5.6.1: a comma separates items of a field",
    behind: [tells({ "x-groups": "{claim.groups}" })],
    token: { ...k1, claims: { groups: ["a,admin", "b c", 7] } },
    right: { status: 200, headers: { "x-groups": "a%2Cadmin,b c,7" } },
  },
  {
    it: "a token of twelve thousand characters, where the manifest says nothing",
    authority: "Entra and Keycloak: tokens with many groups; the default bounds what an untrusted client may send",
    token: { ...k1, claims: { groups: Array.from({ length: 240 }, (_, it) => `group-number-${it}-of-many-of-them`) } },
    right: { status: 401, code: "token-invalid" },
  },
  {
    it: "a token of thirty thousand characters, where the manifest says 48KiB",
    authority: "Microsoft Entra: 200 groups in a JWT before the overage claim; Keycloak has no bound",
    jwt: { "max-size": "48KiB", from: "cookie.session" },
    token: { ...k1, claims: { groups: Array.from({ length: 600 }, (_, it) => `group-number-${it}-of-many-of-them`) } },
    sent: (token) => ({ headers: { cookie: `session=${token}` } }),
    right: { status: 200, headers: { cookie: null } },
  },
  {
    it: "a set that is signed for with ES256, and a consumer under a path",
    authority: "RFC 7518, section 3.4",
    set: [published("ec", { kid: "k1" })],
    jwt: { algorithms: ["ES256"], consumer: "user.id" },
    token: { key: "ec", header: { alg: "ES256", kid: "k1" }, claims: { user: { id: "u9" } } },
    right: { status: 200, consumer: "u9" },
  },
];
