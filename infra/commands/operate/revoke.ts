/** `postern revoke`: takes tokens back at every gate, within seconds. Only hashes of what names them leave this machine. */

import { decodeJwt, type JWTPayload } from "jose";
import type { TierFacts } from "../../../functions/control/model/plan.ts";
import { longestRevocationMs, mark, type Revocation } from "../../../functions/gateway/core/ports/revocations.ts";
import { type Desk, DeskFault, deskFor } from "../../release/control-client.ts";
import { timeOf } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";
import type { ControlOptions } from "./options.ts";

interface AddOptions extends ControlOptions {
  readonly all?: true | undefined;
  readonly issuer?: string | undefined;
  readonly for?: string | undefined;
}

interface Told {
  readonly revision: number;
  readonly revoked: readonly Revocation[];
}

export const list = async (tier: string, options: ControlOptions): Promise<Outcome> =>
  shown(tier, await deskFor(options).call<Told>("GET", pathOf(tier)));

export const undo = async (tier: string, id: string, options: ControlOptions): Promise<Outcome> =>
  shown(tier, await deskFor(options).call<Told>("DELETE", `${pathOf(tier)}/${encodeURIComponent(id)}`));

/** @param read gives the token, where no `jti` is given in its place */
export const token = async (
  tier: string | undefined,
  options: AddOptions & { readonly jti?: string | undefined },
  read: () => Promise<string>,
): Promise<Outcome> => {
  checkPlace(tier, options);
  const claims = options.jti === undefined ? claimsIn(await read()) : { jti: options.jti };
  const { jti, iss: issuer = options.issuer, exp } = claims;
  if (typeof jti !== "string" || jti === "")
    throw new Error(
      "the token has no `jti` that would tell it from others; all tokens of its consumer: postern revoke consumer <name>",
    );
  const lasts = options.for ?? lifeOf(exp);
  return add(tier, { ...options, issuer }, async (it) => ({
    kind: "token",
    issuer: it,
    hash: await mark(it, jti),
    for: lasts,
  }));
};

/** @param name as `consumer` of the `jwt` filter has it, which is `sub` by default, and as access lines have it */
export const consumer = async (
  name: string,
  tier: string | undefined,
  options: AddOptions & { readonly issuedBefore?: string | undefined },
): Promise<Outcome> => {
  checkPlace(tier, options);
  const { issuedBefore: until } = options;
  const before = until === undefined ? undefined : Math.floor(Date.parse(until) / 1000);
  if (Number.isNaN(before)) throw new Error(`--issued-before is a time such as 2026-11-26T17:00:00Z, not ${until}`);
  return add(tier, options, async (issuer) => ({
    kind: "consumer",
    issuer,
    hash: await mark(issuer, name),
    before,
    for: options.for ?? longest,
  }));
};

/** Before anybody is asked for a token. */
const checkPlace = (tier: string | undefined, { all }: AddOptions): void => {
  if ((tier === undefined) !== (all === true)) throw new Error("name a tier, or say --all");
};

const longest = `${longestRevocationMs / 86_400_000}d`;
/** Clocks differ, and a filter's `leeway` lets a token live as much longer. */
const marginMs = 5 * 60_000;

/** As long as the token could be used. */
const lifeOf = (exp: unknown): string => {
  const ms = typeof exp === "number" ? exp * 1000 - Date.now() + marginMs : longestRevocationMs;
  if (ms <= 0) throw new Error("the token has expired by itself");
  return `${Math.ceil(Math.min(ms, longestRevocationMs) / 60_000)}m`;
};

const claimsIn = (text: string): JWTPayload => {
  try {
    return decodeJwt(text.trim().replace(/^bearer +/i, ""));
  } catch {
    throw new Error("that is no JWT: pipe the token in as a client sends it, or name it by --jti");
  }
};

type Body = { readonly kind: string; readonly issuer: string; readonly hash: string; readonly for: string };

const add = async (
  tier: string | undefined,
  options: AddOptions,
  bodyFor: (issuer: string) => Promise<Body>,
): Promise<Outcome> => {
  const desk = deskFor(options);
  const known = await desk.call<Readonly<Record<string, TierFacts>>>("GET", "/v1/tiers");
  const reason = options.message ?? "postern revoke";
  const told = new Map<string, Told>();
  const failed: string[] = [];
  for (const [name, issuer] of tier === undefined
    ? everywhere(known, options.issuer)
    : ([[tier, options.issuer]] as const)) {
    const body = { ...(await bodyFor(issuer ?? onlyIssuer(name as string, known))), reason };
    await asked(desk, name as string, body).then(
      (it) => told.set(name as string, it),
      (error: Error) => failed.push(`${name}: ${error.message}`),
    );
  }
  // Of several tiers all are tried: one that refuses keeps the others' tokens back no longer.
  if (tier !== undefined && failed.length > 0) throw new Error(failed[0]?.slice(tier.length + 2));
  const only = tier === undefined ? undefined : told.get(tier);
  const text = only
    ? shown(tier as string, only).text
    : `taken back at ${told.size} tiers: ${[...told.keys()].join(", ")}\n`;
  const data = only ?? { revoked: Object.fromEntries(told), failed };
  if (failed.length > 0)
    return { exitCode: 3, text: `${text}not taken back everywhere:\n${failed.join("\n")}\n`, data };
  return { exitCode: 0, text, data };
};

const asked = async (desk: Desk, tier: string, body: object): Promise<Told> =>
  desk.call<Told>("POST", pathOf(tier), body);

/** Each tier with the issuer whose tokens it is to refuse. */
const everywhere = (
  known: Readonly<Record<string, TierFacts>>,
  issuer: string | undefined,
): (readonly [string, string])[] => {
  const all = Object.entries(known).flatMap(([tier, { issuers = [] }]) =>
    issuers.filter((it) => issuer === undefined || it === issuer).map((it) => [tier, it] as const),
  );
  if (issuer === undefined && new Set(all.map(([, it]) => it)).size > 1)
    throw new Error(
      `tiers trust several issuers, so say which: --issuer ${[...new Set(all.map(([, it]) => it))].join(" | ")}`,
    );
  if (all.length === 0)
    throw new Error(`no tier trusts ${issuer === undefined ? "tokens of anybody" : `the issuer ${issuer}`}`);
  return all;
};

const onlyIssuer = (tier: string, known: Readonly<Record<string, TierFacts>>): string => {
  const facts = Object.hasOwn(known, tier) ? known[tier] : undefined;
  if (!facts) throw new DeskFault(404, `there is no tier "${tier}"; there are ${Object.keys(known).join(", ")}`);
  const [issuer, ...more] = facts.issuers ?? [];
  if (issuer === undefined) throw new Error(`no filter of ${tier} verifies tokens`);
  if (more.length > 0)
    throw new Error(`${tier} trusts several issuers, so say which: --issuer ${facts.issuers?.join(" | ")}`);
  return issuer;
};

const pathOf = (tier: string): string => `/v1/tiers/${encodeURIComponent(tier)}/revocations`;

const shown = (tier: string, told: Told): Outcome => {
  const rows = told.revoked.map((it) => [it.id, about(it), timeOf(it.until), it.by, it.reason]);
  const text =
    rows.length > 0 ? table(["entry", "what", "until (UTC)", "by", "why"], rows) : `nothing is revoked of ${tier}\n`;
  return { exitCode: 0, text, data: told };
};

const about = (it: Revocation): string =>
  it.kind === "token"
    ? `token ${it.hash.slice(0, 12)}`
    : `consumer ${it.hash.slice(0, 12)}, issued until ${timeOf(it.before * 1000)}`;
