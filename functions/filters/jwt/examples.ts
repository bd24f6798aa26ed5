/** Examples of requests for each code of `jwt`. */
import type { CodeExample, CodeExamples } from "../../gateway/hooks/examples.ts";

const jwt = (step: string, more = "", mark = more === "" ? " #!" : ""): CodeExample => ({
  filters: `- jwt:${mark}
    issuer: https://identity.acme.example
    audience: wallet
    algorithms: [EdDSA]
${more}`,
  step,
});

export const examples = (): CodeExamples => ({
  "token-missing": jwt("send: GET /a"),
  "token-invalid": jwt("as: { name: alice, forged: true }, send: GET /a"),
  "token-expired": jwt("as: { name: alice, token: { age: 2h, life: 1h } }, send: GET /a"),
  "token-rejected": jwt("as: { name: alice, token: { audience: others } }, send: GET /a"),
  "token-revoked": jwt("as: { name: alice, token: { revoked: true } }, send: GET /a", "    revocation: {} #!\n"),
  "scope-missing": jwt(
    "as: { name: alice, token: { scopes: [balances] } }, send: GET /a",
    "    scopes: [transfers] #!\n",
  ),
  "revocations-unavailable": jwt("as: alice, send: GET /a, down: [revocations]", "    revocation: {} #!\n"),
  "keys-unavailable": jwt("as: alice, send: GET /a, down: [issuers]", "    jwks: https://keys.acme.example/jwks #!\n"),
});
