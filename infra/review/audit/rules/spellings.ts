/** A literal path that is guarded, and a route beside it that takes other spellings of the path without the guards. */
import { formatPath, type PathSegment } from "../../../../functions/gateway/routing/match.ts";
import type { CheckedTier } from "../../../compiler/model/checked.ts";
import { commonText } from "../../../patterns/pattern-overlap.ts";
import { type UnguardedPair, unguardedPairs } from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

export const bypassingSpelling: Rule = {
  id: "bypassing-spelling",
  severity: "high",
  summary: "A route takes other spellings of a path that another route guards, such as `/Admin` or `/admin/`.",
  incident:
    "Apache Shiro asked for a login at `/resource/menus` and not at `/resource/menus/`, which Spring behind it served as the same page (CVE-2020-1957); dots, blanks and encoded characters in the path did the same later (CVE-2020-11989, CVE-2020-13933).",
  remedy:
    "Give both routes the same guards, give the one that takes more a pattern that leaves the other spellings out, `{id:[0-9]+}`, or send the two to services of their own. It is right as it is where the service tells the spellings apart: upper case, a dot, a blank or a slash at the end.",
  check: ({ tier }) => unguardedPairs(tier).flatMap((it) => bypassFindings(tier, it)),
};

const bypassFindings = (
  { source }: CheckedTier,
  { guarded, unprotected: other, missing: lacking }: UnguardedPair,
): RawFinding[] => {
  const method = guarded.methods.some((it) => it === "ANY" || other.methods.some((one) => one === it || one === "ANY"));
  if (!method) return [];
  const spelling = findSpelling(guarded.segments, other.segments);
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

/** Spellings that services may treat as equal: other case, a trailing dot or space. */
const otherSpellings = (text: string): string[] => [...otherCases(text), `${text}.`, `${text}%20`];

const otherCases = (text: string): string[] =>
  [
    text.replace(/[a-z]/, (it) => it.toUpperCase()),
    text.replace(/[A-Z]/, (it) => it.toLowerCase()),
    text.toUpperCase(),
    text.toLowerCase(),
  ].filter((it) => it !== text);

/** Other spellings of a segment's literal text, also within `{name}.json`. */
const segmentSpellings = (it: PathSegment): PathSegment[] => {
  if (it.kind === "literal")
    return it.text === "" ? [] : otherSpellings(it.text).map((text) => ({ kind: "literal", text }));
  if (it.kind !== "mixed") return [];
  const { texts } = it.template;
  return texts.flatMap((text, index) => {
    const variants = index === texts.length - 1 && text !== "" ? otherSpellings(text) : otherCases(text);
    return variants.map((one): PathSegment => ({ ...it, template: { ...it.template, texts: texts.with(index, one) } }));
  });
};

/** Another spelling of the protected path that the other route matches; undefined if there is none. */
const findSpelling = (guarded: readonly PathSegment[], other: readonly PathSegment[]): string | undefined => {
  const last = guarded.at(-1);
  if (last?.kind === "rest" && last.optional) {
    const leadingSegments = findSpelling(guarded.slice(0, -1), other);
    if (leadingSegments !== undefined) return leadingSegments;
  }
  const others = guarded.flatMap((it, at) => segmentSpellings(it).map((one) => guarded.with(at, one)));
  const slash: PathSegment = { kind: "literal", text: "" };
  const slashVariants =
    last && last.kind !== "rest" ? [isTrailingSlash(last) ? guarded.slice(0, -1) : [...guarded, slash]] : [];
  const path = [...others, ...slashVariants].find((it) => matchesPath(other, it));
  return path && formatPath(path);
};

const isTrailingSlash = (it: PathSegment): boolean => it.kind === "literal" && it.text === "";

/** Whether a route matches a path of these segments. */
const matchesPath = (route: readonly PathSegment[], path: readonly PathSegment[]): boolean => {
  const rest = route.at(-1);
  const leadingSegments = rest?.kind === "rest" ? route.slice(0, -1) : route;
  const minSegments = leadingSegments.length + (rest?.kind === "rest" && !rest.optional ? 1 : 0);
  if (path.length < minSegments || (rest?.kind !== "rest" && path.length > minSegments)) return false;
  return leadingSegments.every((it, at) => commonText(path[at] as PathSegment, it) !== undefined);
};
