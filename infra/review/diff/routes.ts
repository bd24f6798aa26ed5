/** Compares two versions of one route: match, filters, destination and settings. */
import { isDeepStrictEqual } from "node:util";
import type { Destination, RoutePlan } from "../../../functions/gateway/core/plan.ts";
import { parseMatch } from "../../../functions/gateway/routing/match.ts";
import { describeRedirect } from "../../compiler/lower/lower.ts";
import type { ChangeKind } from "../core/risks.ts";
import { formatValue, joinSentences, quotedList, type Sentence, sentence } from "../core/sentence.ts";
import { type ChangeDetail, compareChains, enforcedIdentity } from "./chains.ts";
import { compareValidation } from "./checks.ts";
import { changeLocation } from "./grade/change.ts";
import { describeMatchers } from "./grade/matchers.ts";
import type { RouteModel, TierModel } from "./picture/model.ts";

/** Safe methods (RFC 9110, section 9.2.1); all others may change something. */
const safeMethods: readonly string[] = ["GET", "HEAD", "OPTIONS"];

export const hasWriteMethod = (methods: readonly string[]): boolean => methods.some((it) => !safeMethods.includes(it));

/** A route with its tier. */
export interface RouteInTier {
  readonly tier: TierModel;
  readonly route: RouteModel;
}

/**
 * @param hasMovedTier whether it is in another tier now
 * @param currentUpstreamName maps the name of a renamed upstream to its current one
 */
export const compareRoutes = (
  before: RouteInTier,
  after: RouteInTier,
  hasMovedTier: boolean,
  currentUpstreamName: (name: string) => string,
): ChangeDetail[] => {
  const dropsFilters = after.route.checked.settings.without.length > 0;
  const where = routeLocation(after, dropsFilters ? "without" : "match");
  return [
    ...compareMatch(before, after, hasMovedTier),
    ...compareChains(before.route.checked, after.route.checked, where),
    ...compareValidation(before, after),
    ...compareDestination(before, after, currentUpstreamName),
    ...compareSettings(before.route.plan, after.route.plan, after),
    ...compareIsolation(before, after),
  ];
};

export const routeLocation = ({ tier, route }: RouteInTier, key = "match") =>
  changeLocation(tier.checked.source, ["routes", route.name], key);

/** The match as written, without the tier's base. */
export const matchText = ({ route }: RouteInTier): string => route.checked.settings.match;

/** Whether unauthenticated callers reach a service through it. */
export const isAnonymous = ({ route }: RouteInTier): boolean =>
  enforcedIdentity(route.checked.chain).length === 0 && "to" in route.plan.goes;

const compareMatch = (before: RouteInTier, after: RouteInTier, hasMovedTier: boolean): ChangeDetail[] => {
  // Across tiers, full paths are compared.
  const matchIn = (it: RouteInTier) => (hasMovedTier ? it.route.checked : parseMatch(matchText(it)));
  const [a, b] = [matchIn(before), matchIn(after)];
  const message: Sentence[] = [];
  const added = b.methods.filter((it) => !a.methods.includes(it));
  const removed = a.methods.filter((it) => !b.methods.includes(it));
  if (added.length > 0) message.push(["it now matches ", ...quotedList(added)]);
  if (removed.length > 0) message.push(["it no longer matches ", ...quotedList(removed)]);
  if (a.path !== b.path) message.push(sentence`it matches ${b.path}; before: ${a.path}`);
  const when = after.route.checked.when;
  if (!isDeepStrictEqual(before.route.checked.when, when))
    message.push(
      when.length === 0
        ? ["it has no conditions any more"]
        : ["it now matches only requests ", ...describeMatchers(when)],
    );
  const { rank } = after.route.checked.settings;
  if (before.route.checked.settings.rank !== rank)
    message.push(
      rank === undefined
        ? ["it no longer has a rank"]
        : sentence`its rank is ${String(rank)} among routes of one match`,
    );
  const slashes = after.route.checked.settings["encoded-slashes"];
  if (before.route.checked.settings["encoded-slashes"] !== slashes)
    message.push([
      slashes === "keep" ? "it accepts encoded slashes (%2F) in a value" : "it refuses encoded slashes (%2F)",
    ]);
  if (message.length === 0) return [];
  const isExposed = isAnonymous(after) && hasWriteMethod(added);
  const kind = isExposed ? "write-exposed" : "match-changed";
  const openNote: Sentence = isExposed ? [", from unauthenticated callers"] : [];
  return [{ kind, message: [...joinSentences(message), ...openNote], location: routeLocation(after) }];
};

const compareDestination = (
  before: RouteInTier,
  after: RouteInTier,
  currentName: (name: string) => string,
): ChangeDetail[] => {
  const [a, b] = [renameUpstreams(before.route.plan.goes, currentName), after.route.plan.goes];
  if (isDeepStrictEqual(a, b)) return [];
  const key = "to" in b ? "to" : "respond" in b ? "respond" : "redirect";
  const message = [...describeDestination(b), ", and ", ...describePastDestination(a)];
  return [{ kind: "destination-changed", message, location: routeLocation(after, key) }];
};

const renameUpstreams = (goes: Destination, currentName: (name: string) => string): Destination => {
  if (!("to" in goes)) return goes;
  const { to } = goes;
  return {
    to: typeof to === "string" ? currentName(to) : to.map(([name, weight]) => [currentName(name), weight] as const),
  };
};

const describeDestination = (goes: Destination): Sentence => [
  "it ",
  ...formatDestination(goes, "leads", "answers", "redirects"),
];
const describePastDestination = (goes: Destination): Sentence =>
  formatDestination(goes, "led", "answered", "redirected");

const formatDestination = (goes: Destination, to: string, responds: string, redirects: string): Sentence => {
  if ("to" in goes) return [`${to} to `, ...sentence`${formatTargets(goes.to)}`];
  if ("respond" in goes) return [`${responds} by itself: `, ...sentence`${formatValue(goes.respond)}`];
  const { status, query } = goes.redirect;
  return [
    `${redirects} to `,
    ...sentence`${describeRedirect(goes.redirect)}`,
    ` (${status}, ${query === "keep" ? "with" : "without"} the query)`,
  ];
};

const formatTargets = (to: string | readonly (readonly [string, number])[]): string =>
  typeof to === "string" ? to : to.map(([name, weight]) => `${name} ${weight}`).join(", ");

/** Compares the settings of a route. */
const compareSettings = (a: RoutePlan, b: RoutePlan, after: RouteInTier): ChangeDetail[] => {
  const toDetail = (key: string, kind: ChangeKind, message: Sentence): ChangeDetail => ({
    kind,
    message,
    location: routeLocation(after, key),
  });
  const differs = (key: keyof RoutePlan): boolean => !isDeepStrictEqual(a[key], b[key]);
  return [
    ...(differs("target") && "to" in b.goes
      ? [toDetail("path", "destination-changed", describeTarget(a.target, b.target))]
      : []),
    ...(differs("closed") ? [compareClosed(a, b, toDetail)] : []),
    ...(differs("cutover") ? [toDetail("cutover", "cutover-changed", describeCutover(a.cutover, b.cutover))] : []),
    ...(differs("upgrade")
      ? [
          toDetail("upgrade", "match-changed", [
            b.upgrade ? "it may be upgraded to a WebSocket" : "it can no longer be upgraded to a WebSocket",
          ]),
        ]
      : []),
    ...(differs("deprecated")
      ? [
          toDetail(
            "deprecated",
            "route-changed",
            b.deprecated
              ? sentence`it announces its deprecation to clients: ${formatValue(b.deprecated)}`
              : ["it no longer announces its deprecation to clients"],
          ),
        ]
      : []),
  ];
};

const describeTarget = (before: string | undefined, after: string | undefined): Sentence => {
  const ownPath = "the request's own path";
  return [
    "the upstream receives the path ",
    ...(after === undefined ? [ownPath] : sentence`${after}`),
    "; before: ",
    ...(before === undefined ? [ownPath] : sentence`${before}`),
  ];
};

const compareClosed = (
  a: RoutePlan,
  b: RoutePlan,
  toDetail: (key: string, kind: ChangeKind, message: Sentence) => ChangeDetail,
): ChangeDetail => {
  if (!b.closed) return toDetail("match", "route-opened", ["it is open again"]);
  if (a.closed)
    return toDetail(
      "closed",
      "route-changed",
      sentence`it is still closed, with other settings: ${formatValue(b.closed)}`,
    );
  return toDetail("closed", "route-closed", ["it is closed: all requests are answered 503"]);
};

const describeCutover = (before: RoutePlan["cutover"], after: RoutePlan["cutover"]): Sentence => {
  if (!after) return sentence`all users are served by the gate; the old gateway ${before?.legacy ?? ""} serves none`;
  const rest = sentence`${after.percent} of users are served by the gate, the others by the old gateway ${after.legacy}, without the route's filters`;
  return before ? [...rest, ...sentence` (before: ${before.percent}, ${before.legacy})`] : rest;
};

const compareIsolation = (before: RouteInTier, after: RouteInTier): ChangeDetail[] => {
  const hasOwnWorker = ({ route }: RouteInTier): boolean => route.checked.settings.isolation === "route";
  if (hasOwnWorker(before) === hasOwnWorker(after)) return [];
  const message: Sentence = [
    hasOwnWorker(after)
      ? "it gets its own Worker; `postern deploy` deploys that one first, then the front"
      : "it no longer has its own Worker; the tier's Worker serves it",
  ];
  return [
    { kind: "isolation-changed", message, location: routeLocation(after, hasOwnWorker(after) ? "isolation" : "match") },
  ];
};
