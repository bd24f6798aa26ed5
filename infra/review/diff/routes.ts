/** Two routes that are the same one: what it takes, what runs, and where it leads. */
import { isDeepStrictEqual } from "node:util";
import type { Destination, RoutePlan } from "../../../functions/gateway/core/plan.ts";
import { matchOf } from "../../../functions/gateway/routing/match.ts";
import { placeOf } from "../../compiler/lower/lower.ts";
import type { ChangeKind } from "../core/risks.ts";
import { joined, list, type Sentence, say, shown } from "../core/sentence.ts";
import { callersOf, chainsDiffer, type Found } from "./chains.ts";
import { checksDiffer } from "./checks.ts";
import { spotOf } from "./grade/change.ts";
import { conditions } from "./grade/matchers.ts";
import type { RoutePicture, TierPicture } from "./picture/model.ts";

/** What a service may change something by (RFC 9110, section 9.2.1: the others are safe). */
const safe: readonly string[] = ["GET", "HEAD", "OPTIONS"];

export const writes = (methods: readonly string[]): boolean => methods.some((it) => !safe.includes(it));

/** A route and the tier that it stands in. */
export interface Placed {
  readonly tier: TierPicture;
  readonly route: RoutePicture;
}

/**
 * @param moved whether it stands in another tier now
 * @param upstreamNow how an upstream is called now, where it was called otherwise
 */
export const routesDiffer = (
  before: Placed,
  after: Placed,
  moved: boolean,
  upstreamNow: (name: string) => string,
): Found[] => {
  const dropped = after.route.checked.settings.without.length > 0;
  const where = routeSpot(after, dropped ? "without" : "match");
  return [
    ...matchDiffers(before, after, moved),
    ...chainsDiffer(before.route.checked, after.route.checked, where),
    ...checksDiffer(before, after),
    ...destinationDiffers(before, after, upstreamNow),
    ...settingsDiffer(before.route.plan, after.route.plan, after),
    ...lifted(before, after),
  ];
};

export const routeSpot = ({ tier, route }: Placed, key = "match") =>
  spotOf(tier.checked.source, ["routes", route.name], key);

/** As it is written: without the tier's base. */
export const writtenMatch = ({ route }: Placed): string => route.checked.settings.match;

/** Whether anybody may call it. A route that is answered by the gate itself reaches nobody. */
export const isOpen = ({ route }: Placed): boolean =>
  callersOf(route.checked.chain).length === 0 && "to" in route.plan.goes;

const matchDiffers = (before: Placed, after: Placed, moved: boolean): Found[] => {
  // In another tier, only the whole path says whether it takes the same requests.
  const taken = (it: Placed) => (moved ? it.route.checked : matchOf(writtenMatch(it)));
  const [a, b] = [taken(before), taken(after)];
  const says: Sentence[] = [];
  const added = b.methods.filter((it) => !a.methods.includes(it));
  const removed = a.methods.filter((it) => !b.methods.includes(it));
  if (added.length > 0) says.push(["it takes ", ...list(added), " too"]);
  if (removed.length > 0) says.push(["it takes ", ...list(removed), " no more"]);
  if (a.path !== b.path) says.push(say`it takes ${b.path}, and took ${a.path}`);
  const when = after.route.checked.when;
  if (!isDeepStrictEqual(before.route.checked.when, when))
    says.push(when.length === 0 ? ["it has no conditions any more"] : ["it takes only requests ", ...conditions(when)]);
  const { rank } = after.route.checked.settings;
  if (before.route.checked.settings.rank !== rank)
    says.push(
      rank === undefined ? ["it has no rank any more"] : say`its rank is ${String(rank)} among routes of one match`,
    );
  const slashes = after.route.checked.settings["encoded-slashes"];
  if (before.route.checked.settings["encoded-slashes"] !== slashes)
    says.push([slashes === "keep" ? "it takes encoded slashes (%2F) in a value" : "it refuses encoded slashes (%2F)"]);
  if (says.length === 0) return [];
  const exposed = isOpen(after) && writes(added);
  const kind = exposed ? "write-exposed" : "match-changed";
  const open: Sentence = exposed ? [", from anybody"] : [];
  return [{ kind, says: [...joined(says), ...open], spot: routeSpot(after) }];
};

const destinationDiffers = (before: Placed, after: Placed, now: (name: string) => string): Found[] => {
  const [a, b] = [renamedIn(before.route.plan.goes, now), after.route.plan.goes];
  if (isDeepStrictEqual(a, b)) return [];
  const key = "to" in b ? "to" : "respond" in b ? "respond" : "redirect";
  const says = [...leads(b), ", and ", ...led(a)];
  return [{ kind: "destination-changed", says, spot: routeSpot(after, key) }];
};

const renamedIn = (goes: Destination, now: (name: string) => string): Destination => {
  if (!("to" in goes)) return goes;
  const { to } = goes;
  return { to: typeof to === "string" ? now(to) : to.map(([name, weight]) => [now(name), weight] as const) };
};

const leads = (goes: Destination): Sentence => ["it ", ...goal(goes, "leads", "answers", "redirects")];
const led = (goes: Destination): Sentence => goal(goes, "led", "answered", "redirected");

const goal = (goes: Destination, to: string, responds: string, redirects: string): Sentence => {
  if ("to" in goes) return [`${to} to `, ...say`${targets(goes.to)}`];
  if ("respond" in goes) return [`${responds} by itself: `, ...say`${shown(goes.respond)}`];
  const { status, query } = goes.redirect;
  return [
    `${redirects} to `,
    ...say`${placeOf(goes.redirect)}`,
    ` (${status}, ${query === "keep" ? "with" : "without"} the query)`,
  ];
};

const targets = (to: string | readonly (readonly [string, number])[]): string =>
  typeof to === "string" ? to : to.map(([name, weight]) => `${name} ${weight}`).join(", ");

/** How each setting of a route is told: its kind, and the sentence. */
const settingsDiffer = (a: RoutePlan, b: RoutePlan, after: Placed): Found[] => {
  const found = (key: string, kind: ChangeKind, says: Sentence): Found => ({ kind, says, spot: routeSpot(after, key) });
  const differs = (key: keyof RoutePlan): boolean => !isDeepStrictEqual(a[key], b[key]);
  return [
    ...(differs("target") && "to" in b.goes
      ? [found("path", "destination-changed", targetSays(a.target, b.target))]
      : []),
    ...(differs("closed") ? [closedDiffers(a, b, found)] : []),
    ...(differs("cutover") ? [found("cutover", "cutover-changed", cutoverSays(a.cutover, b.cutover))] : []),
    ...(differs("upgrade")
      ? [
          found("upgrade", "match-changed", [
            b.upgrade ? "it may become a WebSocket" : "it becomes no WebSocket any more",
          ]),
        ]
      : []),
    ...(differs("deprecated")
      ? [
          found(
            "deprecated",
            "route-changed",
            b.deprecated
              ? say`clients are told that it is deprecated: ${shown(b.deprecated)}`
              : ["clients are not told any more that it is deprecated"],
          ),
        ]
      : []),
  ];
};

const targetSays = (before: string | undefined, after: string | undefined): Sentence => {
  const own = "the request's own path";
  return [
    "the upstream sees ",
    ...(after === undefined ? [own] : say`${after}`),
    ", and saw ",
    ...(before === undefined ? [own] : say`${before}`),
  ];
};

const closedDiffers = (
  a: RoutePlan,
  b: RoutePlan,
  found: (key: string, kind: ChangeKind, says: Sentence) => Found,
): Found => {
  if (!b.closed) return found("match", "route-opened", ["it serves again, and was closed"]);
  if (a.closed) return found("closed", "route-changed", say`it is closed otherwise: ${shown(b.closed)}`);
  return found("closed", "route-closed", ["it is closed: everybody is answered 503"]);
};

const cutoverSays = (before: RoutePlan["cutover"], after: RoutePlan["cutover"]): Sentence => {
  if (!after) return say`all users are served here; the old gateway ${before?.legacy ?? ""} serves none`;
  const rest = say`${after.percent} of users are served here, the others by the old gateway ${after.legacy}, past the route's filters`;
  return before ? [...rest, ...say` (before: ${before.percent}, ${before.legacy})`] : rest;
};

const lifted = (before: Placed, after: Placed): Found[] => {
  const alone = ({ route }: Placed): boolean => route.checked.settings.isolation === "route";
  if (alone(before) === alone(after)) return [];
  const says: Sentence = [
    alone(after)
      ? "it has a Worker of its own; `postern deploy` brings that one first, then the front"
      : "it is served by its tier's Worker, and not by one of its own",
  ];
  return [{ kind: "isolation-changed", says, spot: routeSpot(after, alone(after) ? "isolation" : "match") }];
};
