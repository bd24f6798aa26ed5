/** The admin API's routes for revocations. Operators revoke tokens by hash only; each change is checked, recorded in the audit log and written to the feed. */

import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { maxRevocationMs, maxRevocations, type StoredRevocation } from "../../gateway/core/ports/revocations.ts";
import { milliseconds } from "../../gateway/core/quantities.ts";
import { reason } from "../model/fields.ts";
import type { ControlPlan } from "../model/plan.ts";
import { nameList } from "../overlay/changes.ts";
import { hasRole } from "./operators.ts";
import { type ApiTypes, ConflictError, type ControlPorts, problem } from "./ports.ts";
import { json, responses, tierName, tierParams } from "./schemas.ts";
import { revocationList, writeFeed } from "./write-feed.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "the SHA-256 of issuer, line feed and name, in hexadecimal digits");
const common = {
  issuer: z.string().min(1).max(500).describe("The tokens' issuer; one of the tier's filters must trust it"),
  hash,
  for: z
    .string()
    .regex(/^\d{1,6}(?:ms|s|m|h|d)$/, "write a time as 12h")
    .describe("How long the revocation lasts: until the tokens have expired; 30d at most"),
  reason,
};
const seconds = z.int().positive().max(1e11);
const body = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("token"), ...common }),
  z.strictObject({
    kind: z.literal("consumer"),
    before: seconds
      .optional()
      .describe("Revokes tokens issued until this time, in seconds since the epoch; by default now"),
    ...common,
  }),
]);
const ifMatch = { headers: z.object({ "if-match": z.string().optional() }) };
const path = "/v1/tiers/{tier}/revocations";
const routes = {
  read: createRoute({ method: "get", path, request: tierParams, responses: responses("the tier's revocations") }),
  add: createRoute({
    method: "post",
    path,
    request: { ...tierParams, ...ifMatch, body: json(body) },
    responses: responses("the changed revocations; gates apply them within ten seconds"),
  }),
  remove: createRoute({
    method: "delete",
    path: `${path}/{id}`,
    request: { params: z.object({ tier: tierName, id: z.string().max(64) }), ...ifMatch },
    responses: responses("the changed revocations"),
  }),
};

export const addRevocationRoutes = (app: OpenAPIHono<ApiTypes>, plan: ControlPlan, ports: ControlPorts): void => {
  const factsOf = (tier: string) => (Object.hasOwn(plan.tiers, tier) ? plan.tiers[tier] : undefined);
  const unknownTier = (tier: string) => problem(404, `there is no tier "${tier}"; tiers are ${nameList(plan.tiers)}`);
  const write = async (
    request: Parameters<typeof writeFeed>[1],
    change: (all: readonly StoredRevocation[]) => StoredRevocation[],
  ) => {
    const after = await writeFeed(ports, request, revocationList, change);
    return after instanceof Response ? after : Response.json(revocationsView(after));
  };

  app.openapi(routes.read, async (c) => {
    const { tier } = c.req.valid("param");
    return factsOf(tier) ? Response.json(revocationsView(await ports.overlay.read(tier))) : unknownTier(tier);
  });
  app.openapi(routes.add, async (c) => {
    const { tier } = c.req.valid("param");
    const facts = factsOf(tier);
    if (!facts) return unknownTier(tier);
    const { for: lifetime, ...it } = c.req.valid("json");
    const { issuers = [] } = facts;
    if (!issuers.includes(it.issuer))
      return problem(404, `${tier} trusts no issuer "${it.issuer}"; it trusts ${issuers.join(", ") || "none"}`);
    const forMs = milliseconds(lifetime);
    if (forMs > maxRevocationMs)
      return problem(400, "a revocation lasts 30 days at most; for tokens that live longer, change the issuer's key");
    const now = ports.now();
    const by = c.get("person").name;
    const common = { id: ports.uuid().slice(0, 8), until: now + forMs, by };
    const entry: StoredRevocation =
      it.kind === "token" ? { ...it, ...common } : { ...it, ...common, before: it.before ?? Math.floor(now / 1000) };
    const request = {
      tier,
      ifMatch: c.req.valid("header")["if-match"],
      by,
      what: `revoke ${it.kind}`,
      reason: it.reason,
    };
    return write(request, (all) => withEntry(tier, all, entry));
  });
  app.openapi(routes.remove, async (c) => {
    const { tier, id } = c.req.valid("param");
    if (!factsOf(tier)) return unknownTier(tier);
    const person = c.get("person");
    if (!hasRole(person, "admin"))
      return problem(403, `undoing a revocation requires the role admin; ${person.name} is ${person.role}`);
    const { revoked } = revocationsView(await ports.overlay.read(tier));
    if (!revoked.some((it) => it.id === id)) return problem(404, `${tier} has no revocation ${id}`);
    const request = {
      tier,
      ifMatch: c.req.valid("header")["if-match"],
      by: person.name,
      what: "revoke undo",
      reason: id,
    };
    return write(request, (all) => all.filter((it) => it.id !== id));
  });
};

/** Replaces an earlier revocation of the same token or consumer, and never shortens it. */
const withEntry = (tier: string, all: readonly StoredRevocation[], entry: StoredRevocation): StoredRevocation[] => {
  const isSame = (it: StoredRevocation) => it.kind === entry.kind && it.hash === entry.hash;
  const others = all.filter((it) => !isSame(it));
  if (others.length >= maxRevocations)
    throw new ConflictError(
      `${tier} has ${maxRevocations} revocations already; they expire by themselves, revoking a consumer covers all its tokens, and longer lists belong into KV (\`revocation\` of the filter)`,
    );
  const until = Math.max(entry.until, ...all.filter(isSame).map((it) => it.until));
  if (entry.kind === "token") return [...others, { ...entry, until }];
  const earlier = all.filter(isSame).flatMap((it) => (it.kind === "consumer" ? [it.before] : []));
  return [...others, { ...entry, until, before: Math.max(entry.before, ...earlier) }];
};

const revocationsView = ({
  revision,
  revoked = [],
}: {
  readonly revision: number;
  readonly revoked?: readonly StoredRevocation[];
}) => ({
  revision,
  revoked,
});
