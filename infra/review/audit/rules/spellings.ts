/** A literal path that is guarded, and a route beside it that takes other spellings of the path without the guards. */
import { pathWritten, type Segment } from "../../../../functions/gateway/routing/match.ts";
import type { CheckedTier } from "../../../compiler/model/checked.ts";
import { sharedText } from "../../../patterns/pattern-overlap.ts";
import { type Unguarded, unguarded } from "../rule-kit/chains.ts";
import type { Rule, Spotted } from "../rule-kit/rule.ts";

export const bypassingSpelling: Rule = {
  id: "bypassing-spelling",
  severity: "high",
  summary: "A route takes other spellings of a path that another route guards, such as `/Admin` or `/admin/`.",
  incident:
    "Apache Shiro asked for a login at `/resource/menus` and not at `/resource/menus/`, which Spring behind it served as the same page (CVE-2020-1957); dots, blanks and encoded characters in the path did the same later (CVE-2020-11989, CVE-2020-13933).",
  remedy:
    "Give both routes the same guards, give the one that takes more a pattern that leaves the other spellings out, `{id:[0-9]+}`, or send the two to services of their own. It is right as it is where the service tells the spellings apart: upper case, a dot, a blank or a slash at the end.",
  check: ({ tier }) => unguarded(tier).flatMap((it) => bypassed(tier, it)),
};

const bypassed = ({ source }: CheckedTier, { guarded, other, lacking }: Unguarded): Spotted[] => {
  const method = guarded.methods.some((it) => it === "ANY" || other.methods.some((one) => one === it || one === "ANY"));
  if (!method) return [];
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
const spellingsOf = (text: string): string[] => [...casesOf(text), `${text}.`, `${text}%20`];

const casesOf = (text: string): string[] =>
  [
    text.replace(/[a-z]/, (it) => it.toUpperCase()),
    text.replace(/[A-Z]/, (it) => it.toLowerCase()),
    text.toUpperCase(),
    text.toLowerCase(),
  ].filter((it) => it !== text);

/** Of a segment that has text: of `{name}.json` the text alone is spelled otherwise. */
const spelled = (it: Segment): Segment[] => {
  if (it.kind === "literal")
    return it.text === "" ? [] : spellingsOf(it.text).map((text) => ({ kind: "literal", text }));
  if (it.kind !== "mixed") return [];
  const { texts } = it.cut;
  return texts.flatMap((text, index) => {
    const variants = index === texts.length - 1 && text !== "" ? spellingsOf(text) : casesOf(text);
    return variants.map((one): Segment => ({ ...it, cut: { ...it.cut, texts: texts.with(index, one) } }));
  });
};

/** A path that is the guarded one in another spelling, and that the other route takes. */
const spellingFor = (guarded: readonly Segment[], other: readonly Segment[]): string | undefined => {
  const last = guarded.at(-1);
  if (last?.kind === "rest" && last.optional) {
    const ahead = spellingFor(guarded.slice(0, -1), other);
    if (ahead !== undefined) return ahead;
  }
  const others = guarded.flatMap((it, at) => spelled(it).map((one) => guarded.with(at, one)));
  const slash: Segment = { kind: "literal", text: "" };
  const ended = last && last.kind !== "rest" ? [isSlash(last) ? guarded.slice(0, -1) : [...guarded, slash]] : [];
  const path = [...others, ...ended].find((it) => takes(other, it));
  return path && pathWritten(path);
};

const isSlash = (it: Segment): boolean => it.kind === "literal" && it.text === "";

/** Whether a route takes a path of these segments. */
const takes = (route: readonly Segment[], path: readonly Segment[]): boolean => {
  const rest = route.at(-1);
  const ahead = rest?.kind === "rest" ? route.slice(0, -1) : route;
  const fewest = ahead.length + (rest?.kind === "rest" && !rest.optional ? 1 : 0);
  if (path.length < fewest || (rest?.kind !== "rest" && path.length > fewest)) return false;
  return ahead.every((it, at) => sharedText(path[at] as Segment, it) !== undefined);
};
