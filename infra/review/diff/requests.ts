/** Finds requests that another route receives than before, by running examples through the routers of both versions. */
import { tierFinder } from "../../../functions/front/tier-finder.ts";
import { createRouteFinder } from "../../../functions/gateway/routing/finder.ts";
import { type Sentence, sentence } from "../core/sentence.ts";
import { enforcedIdentity } from "./chains.ts";
import { type Change, changeLocation } from "./grade/change.ts";
import { type ExampleRequest, exampleRequests, examplesUnderNewBases, toRequest } from "./picture/examples.ts";
import type { EnvironmentModel, RouteModel } from "./picture/model.ts";
import type { Pairs } from "./picture/pairs.ts";

/** @param changed routes of either version that are added, removed or have another match */
export const findMovedRequests = (
  before: EnvironmentModel,
  after: EnvironmentModel,
  routes: Pairs<RouteModel>,
  changed: { readonly before: readonly RouteModel[]; readonly after: readonly RouteModel[] },
): Change[] => {
  const [routeBefore, routeAfter] = [createRouter(before), createRouter(after)];
  const counterparts = new Map(routes.matched);
  const reported = new Map<string, Change[]>();
  for (const example of [...exampleRequests(before, after, changed), ...examplesUnderNewBases(before, after)]) {
    const [previous, result] = [routeBefore(example)?.route, routeAfter(example)];
    if (!previous || !result || counterparts.get(previous) === result.route) continue;
    const key = JSON.stringify([previous.tier, previous.name, result.tier, result.route?.name]);
    if (reported.has(key)) continue;
    const counterpart = counterparts.get(previous);
    if (result.route)
      reported.set(key, movedRequestChanges({ example, previous, newRoute: result.route, counterpart, before, after }));
    else if (counterpart && isHiddenByTier(counterpart, result, after, example))
      reported.set(key, [lostRequestChange(example, counterpart, result.tier, after)]);
  }
  return [...reported.values()].flat();
};

interface MovedRequest {
  readonly example: ExampleRequest;
  readonly previous: RouteModel;
  readonly newRoute: RouteModel;
  /** The current counterpart of the former route; undefined if it is removed. */
  readonly counterpart: RouteModel | undefined;
  readonly before: EnvironmentModel;
  readonly after: EnvironmentModel;
}

const movedRequestChanges = ({ example, previous, newRoute, counterpart, before, after }: MovedRequest): Change[] => {
  const losesIdentity =
    enforcedIdentity(previous.checked.chain).length > 0 && enforcedIdentity(newRoute.checked.chain).length === 0;
  const previousRoute = counterpart
    ? sentence`${qualifiedName(counterpart)}`
    : [...sentence`${qualifiedName(previous)}`, ", which is removed"];
  const [owner, other] = counterpart
    ? [ownerOf(after, counterpart), ownerOf(after, newRoute)]
    : [ownerOf(before, previous), null];
  // Two tiers without an owner may have different owners.
  const isOtherOwner =
    counterpart !== undefined && counterpart.tier !== newRoute.tier && (owner === null || owner !== other);
  const kind = losesIdentity ? "requests-unguarded" : isOtherOwner ? "requests-seized" : "requests-taken";
  const identityNote: Sentence = losesIdentity ? [", and does not identify callers"] : [];
  return [
    {
      kind,
      tier: newRoute.tier,
      routes: [newRoute.name],
      message: [
        "it now receives requests such as ",
        ...describeRequest(example),
        " that went to ",
        ...previousRoute,
        ...ownerNote(isOtherOwner, owner),
        ...identityNote,
      ],
      location: matchLocation(after, newRoute),
    },
    // The owner of the hidden route is informed too.
    ...(isOtherOwner
      ? [
          {
            kind,
            tier: counterpart.tier,
            routes: [counterpart.name],
            message: [
              "requests such as ",
              ...describeRequest(example),
              " go to ",
              ...sentence`${qualifiedName(newRoute)}`,
              ...ownerNote(true, other),
            ],
            location: matchLocation(after, newRoute),
          } as const,
        ]
      : []),
  ];
};

const ownerNote = (reported: boolean, owner: string | null): Sentence => {
  if (!reported) return [];
  return owner === null ? [" of another tier"] : sentence` of ${owner}`;
};

const lostRequestChange = (
  example: ExampleRequest,
  counterpart: RouteModel,
  newRoute: string,
  after: EnvironmentModel,
): Change => {
  const source = after.tiers.get(newRoute)?.checked.source;
  return {
    kind: "requests-lost",
    tier: counterpart.tier,
    routes: [counterpart.name],
    message: [
      "requests such as ",
      ...describeRequest(example),
      " go to the tier ",
      ...sentence`${newRoute}`,
      ", which has no route for them",
    ],
    location: source && changeLocation(source, [], "base"),
  };
};

/** Whether the other tier hides the route's tier for this request. */
const isHiddenByTier = (
  counterpart: RouteModel,
  { tier }: RouterResult,
  { compiled }: EnvironmentModel,
  { host, path }: ExampleRequest,
): boolean => {
  if (tier === counterpart.tier) return false;
  const found = tierFinder(compiled.front.tiers.filter((it) => it.tier !== tier))(host, path);
  return typeof found !== "string" && found.tier === counterpart.tier;
};

/** `POST /transfers`, with a note on conditions. */
const describeRequest = ({ method, path, when }: ExampleRequest): Sentence => [
  ...sentence`${`${method} ${path}`}`,
  ...(when.length > 0 ? [" with its conditions"] : []),
];

const ownerOf = ({ tiers }: EnvironmentModel, { tier }: RouteModel): string | null =>
  tiers.get(tier)?.facts.owner ?? null;

const matchLocation = ({ tiers }: EnvironmentModel, { tier, name }: RouteModel): Change["location"] => {
  const source = tiers.get(tier)?.checked.source;
  return source && changeLocation(source, ["routes", name], "match");
};

const qualifiedName = ({ tier, name }: RouteModel): string => `${tier}/${name}`;

/** The tier that receives a request, and its route, if any. */
interface RouterResult {
  readonly tier: string;
  readonly route: RouteModel | undefined;
}

const createRouter = ({
  compiled,
  tiers,
}: EnvironmentModel): ((example: ExampleRequest) => RouterResult | undefined) => {
  const find = tierFinder(compiled.front.tiers);
  const routers = new Map([...tiers].map(([name, { plan }]) => [name, createRouteFinder(plan)]));
  return (example) => {
    const { method, host, path } = example;
    const found = find(host, path);
    if (typeof found === "string") return undefined;
    const request = toRequest(example);
    const match = routers.get(found.tier)?.find(method, path, request, new URL(request.url));
    const route = match?.kind === "found" ? tiers.get(found.tier)?.routes.get(match.route) : undefined;
    return { tier: found.tier, route };
  };
};
