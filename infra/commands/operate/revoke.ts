/** `postern revoke`: revokes tokens at every gate, within seconds. Only hashes leave this machine. */

import { decodeJwt, type JWTPayload } from "jose";
import type { TierFacts } from "../../../functions/control/model/plan.ts";
import {
  maxRevocationMs,
  revocationHash,
  type StoredRevocation,
} from "../../../functions/gateway/core/ports/revocations.ts";
import { type ControlClient, ControlError, controlClientFor } from "../../release/control-client.ts";
import { formatTime } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";
import type { ControlOptions } from "./options.ts";

interface AddRevocationOptions extends ControlOptions {
  readonly all?: true | undefined;
  readonly issuer?: string | undefined;
  readonly for?: string | undefined;
}

interface RevocationList {
  readonly revision: number;
  readonly revoked: readonly StoredRevocation[];
}

export const list = async (tier: string, options: ControlOptions): Promise<Outcome> =>
  outcomeOf(tier, await controlClientFor(options).call<RevocationList>("GET", pathOf(tier)));

export const undo = async (tier: string, id: string, options: ControlOptions): Promise<Outcome> =>
  outcomeOf(
    tier,
    await controlClientFor(options).call<RevocationList>("DELETE", `${pathOf(tier)}/${encodeURIComponent(id)}`),
  );

/** @param read returns the token; not called if a `jti` is given */
export const token = async (
  tier: string | undefined,
  options: AddRevocationOptions & { readonly jti?: string | undefined },
  read: () => Promise<string>,
): Promise<Outcome> => {
  assertTierOrAll(tier, options);
  const claims = options.jti === undefined ? parseClaims(await read()) : { jti: options.jti };
  const { jti, iss: issuer = options.issuer, exp } = claims;
  if (typeof jti !== "string" || jti === "")
    throw new Error(
      "the token has no `jti`; revoke all tokens of its consumer instead: postern revoke consumer <name>",
    );
  const lasts = options.for ?? lifeOf(exp);
  return add(tier, { ...options, issuer }, async (it) => ({
    kind: "token",
    issuer: it,
    hash: await revocationHash(it, jti),
    for: lasts,
  }));
};

/** @param name the consumer's name as in access lines: the `jwt` filter's `consumer`, by default `sub` */
export const consumer = async (
  name: string,
  tier: string | undefined,
  options: AddRevocationOptions & { readonly issuedBefore?: string | undefined },
): Promise<Outcome> => {
  assertTierOrAll(tier, options);
  const { issuedBefore: until } = options;
  const before = until === undefined ? undefined : Math.floor(Date.parse(until) / 1000);
  if (Number.isNaN(before)) throw new Error(`--issued-before is a time such as 2026-11-26T17:00:00Z, not ${until}`);
  return add(tier, options, async (issuer) => ({
    kind: "consumer",
    issuer,
    hash: await revocationHash(issuer, name),
    before,
    for: options.for ?? maxLifetime,
  }));
};

/** Checked before the token is read. */
const assertTierOrAll = (tier: string | undefined, { all }: AddRevocationOptions): void => {
  if ((tier === undefined) !== (all === true)) throw new Error("name a tier, or use --all");
};

const maxLifetime = `${maxRevocationMs / 86_400_000}d`;
/** Allows for clock skew and a filter's `leeway`. */
const marginMs = 5 * 60_000;

/** How long the token is still valid. */
const lifeOf = (exp: unknown): string => {
  const ms = typeof exp === "number" ? exp * 1000 - Date.now() + marginMs : maxRevocationMs;
  if (ms <= 0) throw new Error("the token has already expired");
  return `${Math.ceil(Math.min(ms, maxRevocationMs) / 60_000)}m`;
};

const parseClaims = (text: string): JWTPayload => {
  try {
    return decodeJwt(text.trim().replace(/^bearer +/i, ""));
  } catch {
    throw new Error("the input is not a JWT: pipe in the token as a client sends it, or use --jti");
  }
};

type RevocationBody = { readonly kind: string; readonly issuer: string; readonly hash: string; readonly for: string };

const add = async (
  tier: string | undefined,
  options: AddRevocationOptions,
  bodyFor: (issuer: string) => Promise<RevocationBody>,
): Promise<Outcome> => {
  const client = controlClientFor(options);
  const known = await client.call<Readonly<Record<string, TierFacts>>>("GET", "/v1/tiers");
  const reason = options.message ?? "postern revoke";
  const lists = new Map<string, RevocationList>();
  const failed: string[] = [];
  for (const [name, issuer] of tier === undefined
    ? tiersTrusting(known, options.issuer)
    : ([[tier, options.issuer]] as const)) {
    const body = { ...(await bodyFor(issuer ?? onlyIssuer(name as string, known))), reason };
    await postRevocation(client, name as string, body).then(
      (it) => lists.set(name as string, it),
      (error: Error) => failed.push(`${name}: ${error.message}`),
    );
  }
  // With --all every tier is tried, even if one refuses.
  if (tier !== undefined && failed.length > 0) throw new Error(failed[0]?.slice(tier.length + 2));
  const only = tier === undefined ? undefined : lists.get(tier);
  const text = only
    ? outcomeOf(tier as string, only).text
    : `revoked at ${lists.size} tiers: ${[...lists.keys()].join(", ")}\n`;
  const data = only ?? { revoked: Object.fromEntries(lists), failed };
  if (failed.length > 0) return { exitCode: 3, text: `${text}not revoked everywhere:\n${failed.join("\n")}\n`, data };
  return { exitCode: 0, text, data };
};

const postRevocation = async (client: ControlClient, tier: string, body: object): Promise<RevocationList> =>
  client.call<RevocationList>("POST", pathOf(tier), body);

/** Each tier that trusts the issuer, with that issuer. */
const tiersTrusting = (
  known: Readonly<Record<string, TierFacts>>,
  issuer: string | undefined,
): (readonly [string, string])[] => {
  const all = Object.entries(known).flatMap(([tier, { issuers = [] }]) =>
    issuers.filter((it) => issuer === undefined || it === issuer).map((it) => [tier, it] as const),
  );
  if (issuer === undefined && new Set(all.map(([, it]) => it)).size > 1)
    throw new Error(
      `tiers trust several issuers; choose one: --issuer ${[...new Set(all.map(([, it]) => it))].join(" | ")}`,
    );
  if (all.length === 0)
    throw new Error(`no tier trusts ${issuer === undefined ? "any issuer" : `the issuer ${issuer}`}`);
  return all;
};

const onlyIssuer = (tier: string, known: Readonly<Record<string, TierFacts>>): string => {
  const facts = Object.hasOwn(known, tier) ? known[tier] : undefined;
  if (!facts) throw new ControlError(404, `there is no tier "${tier}"; tiers are ${Object.keys(known).join(", ")}`);
  const [issuer, ...more] = facts.issuers ?? [];
  if (issuer === undefined) throw new Error(`no filter of ${tier} verifies tokens`);
  if (more.length > 0)
    throw new Error(`${tier} trusts several issuers; choose one: --issuer ${facts.issuers?.join(" | ")}`);
  return issuer;
};

const pathOf = (tier: string): string => `/v1/tiers/${encodeURIComponent(tier)}/revocations`;

const outcomeOf = (tier: string, revocations: RevocationList): Outcome => {
  const rows = revocations.revoked.map((it) => [it.id, revocationText(it), formatTime(it.until), it.by, it.reason]);
  const text =
    rows.length > 0 ? table(["entry", "what", "until (UTC)", "by", "why"], rows) : `${tier} has no revocations\n`;
  return { exitCode: 0, text, data: revocations };
};

const revocationText = (it: StoredRevocation): string =>
  it.kind === "token"
    ? `token ${it.hash.slice(0, 12)}`
    : `consumer ${it.hash.slice(0, 12)}, issued until ${formatTime(it.before * 1000)}`;
