/** Allows requests by scopes, claims or labels of the caller, or by consumer id. */
import * as z from "zod";
import { claimsMatcher, isClaim, scopesOf } from "../gateway/core/claims.ts";
import { Claims, Consumer, getFact } from "../gateway/core/facts.ts";
import { type Codes, refuse } from "../gateway/core/problems.ts";
import type { Context, Guard } from "../gateway/core/types.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { oneOf, requiredClaims, requiredClaimsText, scope } from "../manifest/claims.ts";
import { name } from "../manifest/names.ts";

const codes = {
  "access-denied": { status: 403, title: "Access denied" },
  "scope-missing": { status: 403, title: "Insufficient scope" },
} as const satisfies Codes;

const claim = () =>
  z.string().refine(isClaim, "a claim is written as roles, realm_access.roles, or https://acme.example/roles");

/** Ahead of it in examples. */
const bearer = `- jwt: { issuer: https://identity.acme.example, audience: wallet, algorithms: [EdDSA] }\n`;

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "access",
    enforcing: "tightens",
    schema: z
      .strictObject({
        scopes: z
          .array(scope())
          .min(1)
          .optional()
          .describe("Required scopes of the token (`scope` or `scp`), all of them"),
        "any-scope": z.array(scope()).min(1).optional().describe("Scopes of the token, at least one of them"),
        claims: requiredClaims(claim()).optional().describe(requiredClaimsText),
        consumers: z.array(z.string().min(1)).min(1).optional().describe("Ids of the allowed consumers"),
        labels: z
          .record(name(), oneOf(z.string()))
          .optional()
          .describe("Required labels of the consumer and their values"),
      })
      .refine((it) => Object.keys(it).length > 0, "say who may pass: scopes, any-scope, claims, consumers or labels"),
    example: { scopes: ["transfers:write"], claims: { plan: ["gold", "silver"] } },
    codes,
    keysOfCode: { "scope-missing": ["scopes", "any-scope"] },
    impossibleCodes: ({ claims, consumers, labels }) => (claims || consumers || labels ? [] : ["access-denied"]),
    requires: ({ scopes = [], "any-scope": anyScope = [], claims = {} }) => ({
      scopes: [...scopes, ...anyScope.slice(0, 1)],
      claims,
    }),
    reads: ({ scopes, "any-scope": anyScope, claims, consumers, labels }) => [
      ...(scopes ? [{ path: ["scopes"], text: "{claim.scope}" }] : []),
      ...(anyScope ? [{ path: ["any-scope"], text: "{claim.scope}" }] : []),
      ...Object.keys(claims ?? {}).map((it) => ({ path: ["claims", it], text: `{claim.${it}}` })),
      ...(consumers ? [{ path: ["consumers"], text: "{consumer.id}" }] : []),
      ...(labels ? [{ path: ["labels"], text: "{consumer.id}" }] : []),
    ],
    scales: {
      scopes: "required-items",
      "any-scope": { allows: "items", absent: "everything" },
      claims: "required-values",
      consumers: { allows: "items", absent: "everything" },
      labels: "required-values",
    },
    examples: {
      "access-denied": {
        filters: `${bearer}- access: #!\n    claims: { plan: gold }\n`,
        step: "as: { name: alice, token: { claims: { plan: silver } } }, send: GET /a",
      },
      "scope-missing": {
        filters: `${bearer}- access:\n    claims: { sub: alice }\n    any-scope: [read, write] #!\n`,
        step: "as: { name: alice, token: { scopes: [list] } }, send: GET /a",
      },
    },
  });

export const make = (config: Config<typeof spec>): Guard => {
  const { scopes, "any-scope": anyScope, claims: requiredClaims = {}, labels } = config;
  const hasClaims = claimsMatcher(requiredClaims);
  const requiredLabels = Object.entries(labels ?? {}).map(([name, values]) => [name, [values].flat()] as const);
  const needsClaims = scopes ?? anyScope ?? config.claims;
  const consumers = config.consumers && new Set(config.consumers);
  const allChallenge = challenge(scopes ?? []);
  const anyChallenge = challenge(anyScope ?? []);
  return (_, context) => {
    const claims = getFact(context, Claims);
    // Fails closed: without an identity filter ahead there are no claims.
    if (needsClaims && !claims) return refuse(context, codes, "access-denied");
    if (claims) {
      const scopesOfToken = scopesOf(claims);
      if (scopes && !scopes.every((it) => scopesOfToken.has(it)))
        return refuse(context, codes, "scope-missing", allChallenge);
      if (anyScope && !anyScope.some((it) => scopesOfToken.has(it)))
        return refuse(context, codes, "scope-missing", anyChallenge);
      if (!hasClaims(claims)) return refuse(context, codes, "access-denied");
    }
    return isNamed(context, consumers, requiredLabels) ? undefined : refuse(context, codes, "access-denied");
  };
};

/** Names the scopes that the route requires (RFC 6750, section 3.1), so that the client can request them. */
const challenge = (scopes: readonly string[]) => ({
  headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${scopes.join(" ")}"` },
});

const isNamed = (
  context: Context,
  consumers: ReadonlySet<string> | undefined,
  labels: readonly (readonly [name: string, values: readonly string[]])[],
): boolean => {
  if (!consumers && labels.length === 0) return true;
  const consumer = getFact(context, Consumer);
  if (!consumer || consumers?.has(consumer.id) === false) return false;
  return labels.every(
    ([name, values]) => Object.hasOwn(consumer.labels, name) && values.includes(consumer.labels[name] as string),
  );
};
