/** Audit rule for protected paths that another route matches in another spelling. */
import { formatPath, type PathSegment } from "../../../../functions/gateway/routing/match.ts";
import type { CheckedTier } from "../../../compiler/model/checked.ts";
import { commonText } from "../../../patterns/pattern-overlap.ts";
import { type UnguardedPair, unguardedPairs } from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

export const bypassingSpelling: Rule = {
  id: "bypassing-spelling",
  severity: "high",
  summary: "A route matches other spellings of a path that another route protects, such as `/Admin` or `/admin/`.",
  incident:
    "Apache Shiro required a login at `/resource/menus` and not at `/resource/menus/`, which Spring served as the same page (CVE-2020-1957); dots, spaces and encoded characters in the path had the same effect later (CVE-2020-11989, CVE-2020-13933).",
  remedy:
    "Give both routes the same guards, give the wider one a pattern that excludes the other spellings, `{id:[0-9]+}`, or use separate services. It is right as it is if the service distinguishes the spellings: upper case, or a dot, a space or a slash at the end.",
  check: ({ tier }) => unguardedPairs(tier).flatMap((it) => bypassFindings(tier, it)),
};

const bypassFindings = ({ source }: CheckedTier, { guarded, unprotected, missing }: UnguardedPair): RawFinding[] => {
  const method = guarded.methods.some(
    (it) => it === "ANY" || unprotected.methods.some((one) => one === it || one === "ANY"),
  );
  if (!method) return [];
  const spelling = findSpelling(guarded.segments, unprotected.segments);
  if (spelling === undefined) return [];
  return [
    {
      source,
      at: ["routes", unprotected.name, "match"],
      message: `${spelling} is one of ${unprotected.name}, without the ${missing.map(({ id }) => id).join(", ")} of ${guarded.name}`,
      remedy: `give ${unprotected.name} the same guards, a pattern that excludes such paths, or its own service`,
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
