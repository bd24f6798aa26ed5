/** Requests that another route takes than before, found by asking the gates' own routers with examples. */
import { tierFinder } from "../../../functions/front.ts";
import { finder } from "../../../functions/gateway/routing/finder.ts";
import { type Sentence, say } from "../core/sentence.ts";
import { callersOf } from "./chains.ts";
import { type Change, spotOf } from "./grade/change.ts";
import { type Example, examplesOf, requestOf, underNewBases } from "./picture/examples.ts";
import type { Pairs } from "./picture/pairs.ts";
import type { Picture, RoutePicture } from "./picture/model.ts";

/** @param changed routes of either version that are new, gone, or take other requests than before */
export const requestsMove = (
  before: Picture,
  after: Picture,
  routes: Pairs<RoutePicture>,
  changed: { readonly before: readonly RoutePicture[]; readonly after: readonly RoutePicture[] },
): Change[] => {
  const [was, is] = [asking(before), asking(after)];
  const now = new Map(routes.both);
  const told = new Map<string, Change[]>();
  for (const example of [...examplesOf(before, after, changed), ...underNewBases(before, after)]) {
    const [old, taken] = [was(example)?.route, is(example)];
    if (!old || !taken || now.get(old) === taken.route) continue;
    const key = JSON.stringify([old.tier, old.name, taken.tier, taken.route?.name]);
    if (told.has(key)) continue;
    const here = now.get(old);
    if (taken.route) told.set(key, moved({ example, old, taker: taken.route, here, before, after }));
    else if (here && isHidden(here, taken, after, example)) told.set(key, [lost(example, here, taken.tier, after)]);
  }
  return [...told.values()].flat();
};

interface Move {
  readonly example: Example;
  readonly old: RoutePicture;
  readonly taker: RoutePicture;
  /** What the old one is now; undefined where it is gone. */
  readonly here: RoutePicture | undefined;
  readonly before: Picture;
  readonly after: Picture;
}

const moved = ({ example, old, taker, here, before, after }: Move): Change[] => {
  const unguarded = callersOf(old.checked.chain).length > 0 && callersOf(taker.checked.chain).length === 0;
  const whose = here ? say`${nameOf(here)}` : [...say`${nameOf(old)}`, ", which is gone"];
  const [owner, other] = here ? [ownerOf(after, here), ownerOf(after, taker)] : [ownerOf(before, old), null];
  // Two tiers that nobody answers for may be anybody's.
  const seized = here !== undefined && here.tier !== taker.tier && (owner === null || owner !== other);
  const kind = unguarded ? "requests-unguarded" : seized ? "requests-seized" : "requests-taken";
  const asks: Sentence = unguarded ? [", and asks for no identity"] : [];
  return [
    {
      kind,
      tier: taker.tier,
      routes: [taker.name],
      says: [
        "it takes requests such as ",
        ...asked(example),
        " that went to ",
        ...whose,
        ...of(seized, owner),
        ...asks,
      ],
      spot: matchSpot(after, taker),
    },
    // Who answers for what is hidden reads of it too.
    ...(seized
      ? [
          {
            kind,
            tier: here.tier,
            routes: [here.name],
            says: ["requests such as ", ...asked(example), " go to ", ...say`${nameOf(taker)}`, ...of(true, other)],
            spot: matchSpot(after, taker),
          } as const,
        ]
      : []),
  ];
};

const of = (told: boolean, owner: string | null): Sentence => {
  if (!told) return [];
  return owner === null ? [" of another tier"] : say` of ${owner}`;
};

const lost = (example: Example, here: RoutePicture, taker: string, after: Picture): Change => {
  const source = after.tiers.get(taker)?.checked.source;
  return {
    kind: "requests-lost",
    tier: here.tier,
    routes: [here.name],
    says: [
      "requests such as ",
      ...asked(example),
      " go to the tier ",
      ...say`${taker}`,
      ", which has no route for them",
    ],
    spot: source && spotOf(source, [], "base"),
  };
};

/** Whether its own tier would have the request, were it not for the one that has it. */
const isHidden = (here: RoutePicture, { tier }: Taken, { compiled }: Picture, { host, path }: Example): boolean => {
  if (tier === here.tier) return false;
  const found = tierFinder(compiled.front.tiers.filter((it) => it.tier !== tier))(host, path);
  return typeof found !== "string" && found.tier === here.tier;
};

/** `POST /transfers`, and whether it has conditions. */
const asked = ({ method, path, when }: Example): Sentence => [
  ...say`${`${method} ${path}`}`,
  ...(when.length > 0 ? [" with its conditions"] : []),
];

const ownerOf = ({ tiers }: Picture, { tier }: RoutePicture): string | null => tiers.get(tier)?.facts.owner ?? null;

const matchSpot = ({ tiers }: Picture, { tier, name }: RoutePicture): Change["spot"] => {
  const source = tiers.get(tier)?.checked.source;
  return source && spotOf(source, ["routes", name], "match");
};

const nameOf = ({ tier, name }: RoutePicture): string => `${tier}/${name}`;

/** Which tier of a version has a request, and which of its routes, if any. */
interface Taken {
  readonly tier: string;
  readonly route: RoutePicture | undefined;
}

const asking = ({ compiled, tiers }: Picture): ((example: Example) => Taken | undefined) => {
  const find = tierFinder(compiled.front.tiers);
  const routers = new Map([...tiers].map(([name, { plan }]) => [name, finder(plan)]));
  return (example) => {
    const { method, host, path } = example;
    const found = find(host, path);
    if (typeof found === "string") return undefined;
    const request = requestOf(example);
    const match = routers.get(found.tier)?.find(method, path, request, new URL(request.url));
    const route = match?.kind === "found" ? tiers.get(found.tier)?.routes.get(match.route) : undefined;
    return { tier: found.tier, route };
  };
};
