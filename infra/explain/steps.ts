/** What each filter made of a request, why, and on which line that stands. */
import { gatewayCodes, upstreamCodes } from "../../functions/gateway/core/problems.ts";
import type { Decision } from "../../functions/gateway/core/types.ts";
import type { CheckedFilter, CheckedTier } from "../compiler/model/checked.ts";
import { placeOf } from "../review/effective/entries.ts";
import type { Explained } from "./offline.ts";
import { groundOf } from "./source-of.ts";
import { pathOf, saysOf, unmet } from "./why-not.ts";

export interface Step {
  /** A filter's id, or the name of the upstream that was asked. */
  readonly filter: string;
  readonly verdict: string;
  /** Empty where there is no more to say. */
  readonly why: string;
  readonly ms: number | null;
  /** `routes/wallet.yaml:13` */
  readonly at: string;
}

export const stepsOf = (it: Explained, request: Request): Step[] => {
  const { tier, route, decisions } = it;
  const chain = tier?.routes.find(({ name }) => name === route)?.chain ?? [];
  const told = new Map(decisions.map((it) => [it.id, it]));
  return [
    ...chain.map((filter) => stepOf(filter, told.get(filter.id), it, request)),
    ...(tier ? decisions.filter(({ verdict }) => verdict === "asked").map((it) => askedOf(tier, it)) : []),
  ];
};

const stepOf = (filter: CheckedFilter, decision: Decision | undefined, it: Explained, request: Request): Step => ({
  filter: filter.id,
  verdict: verdictOf(filter, decision, it.unknown),
  why: whyOf(filter, decision, it, request),
  ms: decision?.ms ?? null,
  at: whereOf(filter, decision, request),
});

const verdictOf = ({ mode }: CheckedFilter, decision: Decision | undefined, unknown: readonly string[]): string => {
  if (mode === "off") return "off";
  if (!decision) return "not reached";
  const { verdict, code } = decision;
  if (verdict === "failed" && unknown.length > 0) return `cannot be told here (${code})`;
  if (verdict === "shadowed") return `shadowed: ${code}`;
  if (verdict === "entered") return "wraps what follows";
  return code === undefined ? verdict : `${verdict}: ${code}`;
};

const whyOf = (filter: CheckedFilter, decision: Decision | undefined, it: Explained, request: Request): string => {
  const { about, config } = filter;
  if (about.copies && decision?.verdict === "entered") return copiesSays(about.copies(config));
  const { verdict, code } = decision ?? {};
  if (code === undefined) return "";
  if (verdict === "skipped")
    return code === "percent" ? `not among the ${filter.percent} of users` : failing(filter, request);
  return meaningOf(code, filter, it.code === code ? it.detail : undefined);
};

/** At a running gate, the request that is explained is one of them. */
const copiesSays = (share: string): string =>
  share === "100%" ? "a copy of each request goes on by itself" : `copies of ${share} of requests go on by themselves`;

const failing = ({ when }: CheckedFilter, request: Request): string =>
  unmet(when, request)
    .map((test) => `${saysOf(test)} does not hold`)
    .join(", ");

/** The code's title, which says the same for everybody, and what is particular to this answer. */
export const meaningOf = (code: string, filter: CheckedFilter | undefined, detail: string | undefined): string => {
  const { title = "" } = { ...gatewayCodes, ...upstreamCodes, ...filter?.about.codes }[code] ?? {};
  return [title, detail].filter(Boolean).join(": ");
};

const whereOf = (filter: CheckedFilter, decision: Decision | undefined, request: Request): string => {
  const { source, entry, when } = filter;
  const { verdict, code } = decision ?? {};
  const [test] = verdict === "skipped" && code === "when" ? unmet(when, request) : [];
  if (test) return placeOf(source, [...entry, "when", ...pathOf(test)]);
  if (verdict === "skipped" && code === "percent") return placeOf(source, [...entry, "percent"]);
  return code === undefined ? placeOf(source, entry) : groundOf(filter, code).at;
};

const askedOf = ({ source }: CheckedTier, { id, ms }: Decision): Step => {
  const name = id.slice("to:".length);
  return { filter: `→ ${name}`, verdict: "asked", why: "", ms, at: placeOf(source, ["upstreams", name]) };
};
