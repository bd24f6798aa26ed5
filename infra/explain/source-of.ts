/** Finds the manifest line that causes a refusal. */
import type { Decision } from "../../functions/gateway/core/types.ts";
import { usedUpstreams } from "../compiler/lower/gates.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../compiler/model/checked.ts";
import { valueAt } from "../diagnostics/locate.ts";
import { createDocsLookup } from "../review/effective/docs-lookup.ts";
import { fileAndLine } from "../review/effective/entries.ts";

export interface PolicySource {
  /** `jwt scopes`, `timeout of accounts` */
  readonly what: string;
  /** `routes/wallet.yaml:13`, or the reference line of a default. */
  readonly at: string;
}

/** The source of a filter's decision: the key that the code is about if it is set, or else the filter. */
export const sourceOfCode = (filter: CheckedFilter, code: string): PolicySource => {
  const { spec, source, at, entry, id } = filter;
  const key = spec.keysOfCode?.[code]?.find((it) => isWritten(filter, it));
  if (key === undefined) return { what: id, at: fileAndLine(source, entry) };
  return { what: `${id}, ${key}`, at: fileAndLine(source, [...at, key]) };
};

/** Whether a key is set, possibly by the short form. */
const isWritten = ({ spec, source, at }: CheckedFilter, key: string): boolean => {
  const written = valueAt(source.value, at);
  if (typeof written !== "object" || written === null) return written !== undefined && spec.short === key;
  return Object.hasOwn(written, key);
};

/**
 * The manifest line that causes a response's code; undefined if there is none.
 * @param route undefined if no route matches
 */
export const findSource = (
  code: string,
  tier: CheckedTier,
  route: CheckedRoute | undefined,
  decisions: readonly Decision[],
): PolicySource | undefined => {
  const filter = decidingFilter(code, route, decisions);
  if (filter) return sourceOfCode(filter, code);
  const upstream = decisions.findLast(({ verdict }) => verdict === "asked")?.id.slice("to:".length);
  return upstreamSource(code, tier, upstream ?? singleUpstream(route)) ?? manifestSource(code, tier, route);
};

/** The filter that produced a code: a guard records its refusal; a layer only that it was entered, so its codes identify it. */
const decidingFilter = (
  code: string,
  route: CheckedRoute | undefined,
  decisions: readonly Decision[],
): CheckedFilter | undefined => {
  const chain = route?.chain ?? [];
  const refusal = decisions.find((it) => it.code === code && ["refused", "failed"].includes(it.verdict));
  if (refusal) return chain.find(({ id }) => id === refusal.id);
  const entered = new Set(decisions.filter(({ verdict }) => verdict === "entered").map(({ id }) => id));
  return chain.findLast(({ id, spec }) => entered.has(id) && Object.hasOwn(spec.codes, code));
};

const singleUpstream = (route: CheckedRoute | undefined): string | undefined => {
  const used = route ? usedUpstreams(route) : [];
  return used.length === 1 ? used[0] : undefined;
};

const upstreamSource = (
  code: string,
  { source, upstreams }: CheckedTier,
  name: string | undefined,
): PolicySource | undefined => {
  const upstream = name === undefined ? undefined : upstreams[name];
  if (!name || !upstream || !["upstream-timeout", "upstream-unreachable", "upstream-invalid"].includes(code))
    return undefined;
  const at = ["upstreams", name];
  if (code !== "upstream-timeout") return { what: `upstream ${name}`, at: fileAndLine(source, [...at, upstream.use]) };
  const isOwn = valueAt(source.value, [...at, "timeout"]) !== undefined;
  const place = isOwn
    ? fileAndLine(source, [...at, "timeout"])
    : createDocsLookup()("docs/reference/keys/upstream.md", ["timeout"]);
  return { what: `upstream ${name}, timeout`, at: place };
};

/** Keys that explain each gateway code; the first one that is set applies. */
const gatewayCodeKeys: Readonly<Record<string, readonly string[]>> = {
  "host-unknown": ["hosts"],
  "host-malformed": ["hosts"],
  "path-ambiguous": ["<route>.encoded-slashes"],
  "upgrade-not-allowed": ["<route>.upgrade", "<route>.match"],
  "route-closed": ["<route>.closed"],
  "reference-malformed": ["<route>.path", "<route>.redirect"],
  "body-unexpected": ["<route>.match"],
  "body-incomplete": ["<route>.match"],
  "body-late": ["limits.body-idle", "<route>.match"],
  internal: ["<route>.match", "tier"],
  "gate-busy": ["limits.concurrency"],
  "client-busy": ["limits.client-share"],
  "body-too-large": ["limits.body"],
  "tier-not-deployed": ["tier"],
  "gate-unavailable": ["tier"],
};

const manifestSource = (code: string, tier: CheckedTier, route: CheckedRoute | undefined): PolicySource | undefined => {
  const bodyLimit = code === "body-too-large" ? route?.chain.findLast(({ spec }) => spec.boundsBody) : undefined;
  if (bodyLimit) return sourceOfCode(bodyLimit, code);
  const paths = (gatewayCodeKeys[code] ?? []).flatMap((key): readonly (readonly string[])[] => {
    const steps = key.split(".");
    if (steps[0] !== "<route>") return [steps];
    return route ? [["routes", route.name, ...steps.slice(1)]] : [];
  });
  const written = paths.find((path) => valueAt(tier.source.value, path) !== undefined);
  if (written) return { what: written.join("."), at: fileAndLine(tier.source, written) };
  const [last] = paths;
  return last && { what: last.join("."), at: createDocsLookup()("docs/reference/keys/manifest.md", last) };
};
