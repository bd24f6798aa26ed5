/** A literal path that is guarded, and a route beside it that takes other spellings of the path without the guards. */
import { pathWritten, type Segment } from "../../../../functions/gateway/match.ts";
import type { CheckedRoute, CheckedTier } from "../../../compiler/checked.ts";
import { fits, sharedText } from "../../../compiler/languages.ts";
import { lackedBy, upstreamsOf } from "../chains.ts";
import type { Rule, Spotted } from "../rule.ts";

export const bypassingSpelling: Rule = {
  id: "bypassing-spelling",
  severity: "high",
  summary: "A route takes other spellings of a path that another route guards, such as `/Admin` or `/admin/`.",
  incident:
    "Apache Shiro asked for a login at `/resource/menus` and not at `/resource/menus/`, which Spring behind it served as the same page (CVE-2020-1957); dots, blanks and encoded characters in the path did the same later (CVE-2020-11989, CVE-2020-13933).",
  remedy:
    "Give both routes the same guards, give the one that takes more a pattern that leaves the other spellings out, `{id:[0-9]+}`, or send the two to services of their own. It is right as it is where the service tells the spellings apart: upper case, a dot, a blank or a slash at the end.",
  check: ({ tier }) =>
    tier.routes.flatMap((guarded) =>
      tier.routes.filter((it) => it !== guarded).flatMap((other) => bypassed(tier, guarded, other)),
    ),
};

const bypassed = ({ source }: CheckedTier, guarded: CheckedRoute, other: CheckedRoute): Spotted[] => {
  const lacking = lackedBy(other, guarded);
  const shared = upstreamsOf(other).some((it) => upstreamsOf(guarded).includes(it));
  const method = guarded.methods.some((it) => it === "ANY" || other.methods.some((one) => one === it || one === "ANY"));
  if (lacking.length === 0 || !shared || !method) return [];
  const spelling = spellingFor(guarded.segments, other.segments);
  if (spelling === undefined) return [];
  return [
    {
      source,
      at: ["routes", other.name, "match"],
      message: `${spelling} is one of ${other.name}, without the ${lacking.map(({ id }) => id).join(", ")} of ${guarded.name}`,
      remedy: `give ${other.name} the same guards or a pattern that leaves such paths out, or a service of its own`,
      related: [source.related(["routes", guarded.name, "match"], `${guarded.name} is here`)],
    },
  ];
};

/** What services read as the same text: other case, a dot or a blank at the end. */
const spellingsOf = (text: string): string[] =>
  [
    text.replace(/[a-z]/, (it) => it.toUpperCase()),
    text.replace(/[A-Z]/, (it) => it.toLowerCase()),
    `${text}.`,
    `${text}%20`,
  ].filter((it) => it !== text);

/** A path that is the guarded one in another spelling, and that the other route takes. */
const spellingFor = (guarded: readonly Segment[], other: readonly Segment[]): string | undefined => {
  const hasRest = other.at(-1)?.kind === "rest";
  const ahead = hasRest ? other.slice(0, -1) : other;
  if (hasRest ? ahead.length > guarded.length : ahead.length !== guarded.length) return undefined;
  /** Whether the route takes the guarded segments, the one at this place left out. */
  const takes = (besides: number): boolean =>
    ahead.every((it, at) => at === besides || sharedText(guarded[at] as Segment, it) !== undefined);
  for (const [at, segment] of guarded.entries()) {
    if (segment.kind !== "literal" || segment.text === "" || !takes(at)) continue;
    const place = ahead[at];
    const spelling = spellingsOf(segment.text).find((it) => place === undefined || fits(place, it));
    if (spelling !== undefined) return pathWritten(guarded.with(at, { kind: "literal", text: spelling }));
  }
  return hasRest && isFile(guarded) && takes(-1) ? `${pathWritten(guarded)}/` : undefined;
};

/** Ends in text that a slash could follow. */
const isFile = (segments: readonly Segment[]): boolean => {
  const last = segments.at(-1);
  return last?.kind === "literal" && last.text !== "";
};
