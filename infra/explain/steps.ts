/** Explains each filter's decision: verdict, reason, time and manifest line. */
import { gatewayCodes, upstreamCodes } from "../../functions/gateway/core/problems.ts";
import type { Decision } from "../../functions/gateway/core/types.ts";
import type { CheckedFilter, CheckedTier } from "../compiler/model/checked.ts";
import { fileAndLine } from "../review/effective/entries.ts";
import type { Explained } from "./offline.ts";
import { sourceOfCode } from "./source-of.ts";
import { describeMatcher, failedMatchers, matcherPath } from "./why-not.ts";

export interface Step {
  /** A filter's id, or the name of the upstream. */
  readonly filter: string;
  readonly verdict: string;
  /** The reason; may be empty. */
  readonly why: string;
  readonly ms: number | null;
  /** `routes/wallet.yaml:13` */
  readonly at: string;
}

export const stepsOf = (it: Explained, request: Request): Step[] => {
  const { tier, route, decisions } = it;
  const chain = tier?.routes.find(({ name }) => name === route)?.chain ?? [];
  const decisionsById = new Map(decisions.map((it) => [it.id, it]));
  return [
    ...chain.map((filter) => filterStep(filter, decisionsById.get(filter.id), it, request)),
    ...(tier ? decisions.filter(({ verdict }) => verdict === "asked").map((it) => upstreamStep(tier, it)) : []),
  ];
};

const filterStep = (filter: CheckedFilter, decision: Decision | undefined, it: Explained, request: Request): Step => ({
  filter: filter.id,
  verdict: formatVerdict(filter, decision, it.unknown),
  why: explainDecision(filter, decision, it, request),
  ms: decision?.ms ?? null,
  at: sourceOfDecision(filter, decision, request),
});

const formatVerdict = ({ mode }: CheckedFilter, decision: Decision | undefined, unknown: readonly string[]): string => {
  if (mode === "off") return "off";
  if (!decision) return "not reached";
  const { verdict, code } = decision;
  if (verdict === "failed" && unknown.length > 0) return `unknown here (${code})`;
  if (verdict === "shadowed") return `shadowed: ${code}`;
  if (verdict === "entered") return "wraps what follows";
  return code === undefined ? verdict : `${verdict}: ${code}`;
};

const explainDecision = (
  filter: CheckedFilter,
  decision: Decision | undefined,
  it: Explained,
  request: Request,
): string => {
  const { spec, config } = filter;
  if (spec.sendsCopies && decision?.verdict === "entered") return describeCopies(spec.sendsCopies(config));
  const { verdict, code } = decision ?? {};
  if (code === undefined) return "";
  if (verdict === "skipped")
    return code === "percent" ? `not among the ${filter.percent} of users` : describeFailedMatchers(filter, request);
  return describeCode(code, filter, it.code === code ? it.detail : undefined);
};

/** Describes what a mirror copies. */
const describeCopies = (share: string): string =>
  share === "100%" ? "a copy of each request is sent" : `copies of ${share} of requests are sent`;

const describeFailedMatchers = ({ when }: CheckedFilter, request: Request): string =>
  failedMatchers(when, request)
    .map((test) => `${describeMatcher(test)} is not met`)
    .join(", ");

/** The code's title and the detail of this response. */
export const describeCode = (code: string, filter: CheckedFilter | undefined, detail: string | undefined): string => {
  const { title = "" } = { ...gatewayCodes, ...upstreamCodes, ...filter?.spec.codes }[code] ?? {};
  return [title, detail].filter(Boolean).join(": ");
};

const sourceOfDecision = (filter: CheckedFilter, decision: Decision | undefined, request: Request): string => {
  const { source, entry, when } = filter;
  const { verdict, code } = decision ?? {};
  const [test] = verdict === "skipped" && code === "when" ? failedMatchers(when, request) : [];
  if (test) return fileAndLine(source, [...entry, "when", ...matcherPath(test)]);
  if (verdict === "skipped" && code === "percent") return fileAndLine(source, [...entry, "percent"]);
  return code === undefined ? fileAndLine(source, entry) : sourceOfCode(filter, code).at;
};

const upstreamStep = ({ source }: CheckedTier, { id, ms }: Decision): Step => {
  const name = id.slice("to:".length);
  return { filter: `→ ${name}`, verdict: "asked", why: "", ms, at: fileAndLine(source, ["upstreams", name]) };
};
