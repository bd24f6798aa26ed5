/** The caller that a service receives, whatever the token calls it, and keys with which anybody could sign. */
import { published } from "./kit.ts";
import type { TokenRow } from "./rows.ts";

const k1 = { header: { kid: "k1" } };
const rule = "docs/manifest.md, References; RFC 9110, 5.5; CWE-838";

/** @param json as it stands in the token, since a lone surrogate has no other way in */
const named = (json: string, consumer: string): TokenRow => ({
  it: `a subject ${json} is ${consumer} to the service, and nobody else is`,
  authority: rule,
  jwt: { consumer: "user" },
  token: { ...k1, text: `{$,"user":${json}}` },
  right: { status: 200, consumer },
});

const subjects = [
  named('"\u00e9ric"', "%C3%A9ric"),
  named('"e\u0301ric"', "e%CC%81ric"),
  named('"%C3%A9ric"', "%25C3%25A9ric"),
  named('"%c3%a9ric"', "%25c3%25a9ric"),
  named('" eric"', "%20eric"),
  named('"eric  "', "eric%20%20"),
  named('"\\teric"', "%09eric"),
  named('"\u00a0eric"', "%C2%A0eric"),
  named('"\ufefferic"', "%EF%BB%BFeric"),
  named('"John Smith"', "John Smith"),
  named('"\\ud800"', "%ED%A0%80"),
  named('"\\udbff"', "%ED%AF%BF"),
  named('"\ufffd"', "%EF%BF%BD"),
  named('"\\ud83d\\ude00"', "%F0%9F%98%80"),
  named('"eric\\r\\nx-admin: 1"', "eric%0D%0Ax-admin: 1"),
  named('"eric\\u0000"', "eric%00"),
  named('"50%"', "50%25"),
  named('"acme/eric@example.com"', "acme/eric@example.com"),
];

const lists: readonly TokenRow[] = (
  [
    [["a,b", "c"], "a%2Cb,c"],
    [["a%2Cb", "c"], "a%252Cb,c"],
    ["a,b", "a%2Cb"],
    [["a", "b"], "a,b"],
    [[" a", "\u00e9"], "%20a,%C3%A9"],
  ] as const
).map(([roles, written]) => ({
  it: `a claim ${JSON.stringify(roles)} is split at its commas first, and decoded then: ${written}`,
  authority: rule,
  behind: [{ headers: { request: { set: { "x-roles": "{claim.roles}" } } } }],
  token: { ...k1, claims: { roles } },
  right: { status: 200, headers: { "x-roles": written } },
}));

/** Made of two primes of the paper's form, k·M + (65537^a mod M) with the first 126 primes in M, for this test. */
const weakModulus =
  "____-22_HFT1Uk9B9gcEcg75lHIL2chVbo67neI338mHbMqSWQuIjobMbpd38HgIUTt0-JQIvFZGUqdCBXjIYyahQvlmOljQIyyh" +
  "wCP63NlIT4fEoB55beW0E5Ci9J5AjCcsWPuXD-XJLjMvZo7HcVN9yLr8zgY-Y_OouTPuK3-L03Ng-tTrCRg-K8vG7_3MORxOpGdE" +
  "7Nyc8KBFIYZJDW1YIy9KaSXq9T28zdh5B5ggHQJumqHb6ORfsAlAPF5NWRMuyqyPWhW4qmj5gHdFtFstigaTAe0odRSbypjEKkFa" +
  "2pILKGcSj2rcHjCiVNuU6eN7dKl6CG99Kl8ecFFKGw";

const keys: readonly TokenRow[] = [
  {
    it: "a key whose private half can be computed (ROCA) spoils neither the set nor the token of a good one",
    authority: "CVE-2017-15361; Nemec et al., The Return of Coppersmith's Attack, CCS 2017, 2.3",
    set: [{ kty: "RSA", kid: "k1", n: weakModulus, e: "AQAB" }, published("rsa", { kid: "k1" })],
    token: k1,
    right: { status: 200 },
  },
  {
    it: "a set of nothing but such a key verifies nothing",
    authority: "CVE-2017-15361",
    set: [{ kty: "RSA", kid: "k1", n: weakModulus, e: "AQAB", alg: "RS256", use: "sig" }],
    token: k1,
    right: { status: 401, code: "token-invalid" },
  },
  ...["AQ", "AAAB", "Ag"].map(
    (e): TokenRow => ({
      it: `a key with the exponent ${e}, which is one or even, verifies nothing`,
      authority: "RFC 8017, 3.1",
      set: [{ ...published("rsa", { kid: "k1" }), e }],
      token: k1,
      right: { status: 401, code: "token-invalid" },
    }),
  ),
];

export const trustRows: readonly TokenRow[] = [...subjects, ...lists, ...keys];
