/** Audit rule for encoded slashes that a route keeps and a service may decode. */
import type { PathSegment } from "../../../../functions/gateway/routing/match.ts";
import type { CheckedTier } from "../../../compiler/model/checked.ts";
import { commonText } from "../../../patterns/pattern-overlap.ts";
import { type UnguardedPair, unguardedPairs } from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

export const bypassingSlash: Rule = {
  id: "bypassing-slash",
  severity: "high",
  summary: "A route keeps encoded slashes; once decoded, its path can be that of a better protected route.",
  incident:
    "Envoy and Istio matched `/a%2Fadmin` by the rules of another path than the service, which decoded the slash, so unauthorized clients reached protected paths (CVE-2021-29492, CVE-2021-31920).",
  remedy:
    "Give the route the same guards as the route that its paths can become, or its own service. It is right as it is if the service splits a path before it decodes it.",
  check: ({ tier }) =>
    unguardedPairs(tier)
      .filter(({ unprotected }) => unprotected.settings["encoded-slashes"] === "keep")
      .flatMap((it) => bypassFindings(tier, it)),
};

const bypassFindings = (
  { source }: CheckedTier,
  { unprotected: route, guarded: other, missing }: UnguardedPair,
): RawFinding[] => {
  const method = route.methods.find((it) => it === "ANY" || other.methods.some((one) => one === it || one === "ANY"));
  if (method === undefined || !canBecome(route.segments, other.segments)) return [];
  return [
    {
      source,
      at: ["routes", route.name, "encoded-slashes"],
      message: `for a service that decodes %2F, a path of ${route.name} is one of ${other.name}, without its ${missing.map(({ id }) => id).join(", ")}`,
      remedy: `give ${route.name} the same guards, or its own service`,
      related: [source.related(["routes", other.name, "match"], `${other.name} is here`)],
    },
  ];
};

/**
 * Whether a path of `from` can be a path of `to` after decoding its slashes: row[j] tells whether the first segments of
 * `from` can become the first `j` of `to`.
 */
const canBecome = (from: readonly PathSegment[], to: readonly PathSegment[]): boolean => {
  let reachable = [true, ...to.map(() => false)];
  for (const left of from) {
    const previous = reachable;
    reachable = [false];
    for (const [index, right] of to.entries()) {
      // A decoded capture may span several segments, and a rest segment matches several.
      const spansSegments =
        (left.kind !== "literal" && reachable[index]) || (right.kind === "rest" && previous[index + 1]);
      reachable.push(Boolean(spansSegments || (previous[index] && commonText(left, right) !== undefined)));
    }
  }
  return reachable.at(-1) === true;
};
