/** Generates example requests for comparing routers: for one route, for two routes, or for a route and another tier's base. */
import { isDeepStrictEqual } from "node:util";
import { type PathSegment, parsePath } from "../../../../functions/gateway/routing/match.ts";
import type { Matcher } from "../../../../functions/gateway/routing/matchers.ts";
import { commonMatch, commonText } from "../../../patterns/pattern-overlap.ts";
import type { EnvironmentModel, RouteModel, TierModel } from "./model.ts";

export interface ExampleRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly when: readonly Matcher[];
}

/** Bounds the number of compared routes. */
const maxChangedRoutes = 200;
const maxExamples = 20_000;

export const exampleRequests = (
  before: EnvironmentModel,
  after: EnvironmentModel,
  changed: { readonly before: readonly RouteModel[]; readonly after: readonly RouteModel[] },
): ExampleRequest[] => {
  const versions = [
    { of: before, routes: changed.before, others: [...after.tiers.values()] },
    { of: after, routes: changed.after, others: [...before.tiers.values()] },
  ];
  return versions
    .flatMap(({ of, routes, others }) =>
      routes.slice(0, maxChangedRoutes).flatMap((route) => {
        const hosts = of.tiers.get(route.tier)?.plan.hosts ?? [];
        const sameHostTiers = others.filter(({ plan }) => plan.hosts.some((host) => hosts.includes(host)));
        const sharedPath = sameHostTiers.flatMap((tier) =>
          [...tier.routes.values()].flatMap((other) => sharedExamples(route, other)),
        );
        return [...routeExamples(route), ...sharedPath].flatMap((it) =>
          hosts.slice(0, 2).map((host) => ({ ...it, host })),
        );
      }),
    )
    .map((it) => ({ ...it, host: it.host.replace(/^\*\./, "www.") }))
    .slice(0, maxExamples);
};

/** Examples under the base of a new or moved tier that existing routes match. */
export const examplesUnderNewBases = (before: EnvironmentModel, after: EnvironmentModel): ExampleRequest[] =>
  [...after.tiers.values()]
    .filter(({ name }) => !isDeepStrictEqual(hostsAndBase(before.tiers.get(name)), hostsAndBase(after.tiers.get(name))))
    .slice(0, maxChangedRoutes)
    .flatMap(
      ({
        checked: {
          manifest: {
            hosts,
            base: { path: base },
          },
        },
      }) => {
        const baseSegments = parsePath(base === "/" ? "/{rest*}" : `${base}{/rest*}`);
        return [...before.tiers.values()].flatMap(({ checked: { manifest }, routes }) => {
          const host = manifest.hosts.find((it) => hosts.includes(it))?.replace(/^\*\./, "www.");
          if (host === undefined || manifest.base.path === base) return [];
          return [...routes.values()].flatMap(({ checked: { segments, methods, when } }) => {
            const path = sharedPath(segments, baseSegments);
            return path === undefined
              ? []
              : methods.map((method) => ({ method: sendableMethod(method), path, when, host }));
          });
        });
      },
    )
    .slice(0, maxExamples);

const hostsAndBase = (tier: TierModel | undefined): unknown =>
  tier && [tier.checked.manifest.base.path, tier.checked.manifest.hosts.toSorted()];

type HostlessExample = Omit<ExampleRequest, "host">;

/** Example requests of one route, one for each method. */
export const routeExamples = ({
  checked: { methods, segments, when },
}: Pick<RouteModel, "checked">): HostlessExample[] => {
  const path = sharedPath(segments, segments);
  return path === undefined ? [] : methods.map((method) => ({ method: sendableMethod(method), path, when }));
};

/** Example requests that both routes match. */
const sharedExamples = ({ checked: a }: RouteModel, { checked: b }: RouteModel): HostlessExample[] => {
  const methods = [...new Set([...a.methods, ...b.methods])].filter(
    (it) => acceptsMethod(a.methods, it) && acceptsMethod(b.methods, it),
  );
  if (methods.length === 0) return [];
  const path = sharedPath(a.segments, b.segments);
  if (path === undefined) return [];
  const matcherSets = [
    a.when,
    [...a.when, ...b.when.filter(([on, name]) => !a.when.some((it) => it[0] === on && it[1] === name))],
  ];
  return methods.flatMap((method) => matcherSets.map((when) => ({ method: sendableMethod(method), path, when })));
};

const acceptsMethod = (methods: readonly string[], method: string): boolean =>
  methods.includes(method) || methods.includes("ANY") || method === "ANY";

/** A method to send for `ANY`. */
const sendableMethod = (method: string): string => (method === "ANY" ? "PATCH" : method);

/** A path that both match, or undefined. */
const sharedPath = (a: readonly PathSegment[], b: readonly PathSegment[]): string | undefined => {
  const texts: string[] = [];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left?.kind === "rest" || right?.kind === "rest") {
      const tail = left?.kind === "rest" ? b.slice(index) : a.slice(index);
      const restSegment = left?.kind === "rest" ? left : right;
      if (tail.length === 0)
        return restSegment?.kind === "rest" && restSegment.optional ? `/${texts.join("/")}` : undefined;
      return `/${[...texts, ...tail.map(exampleSegment)].join("/")}`;
    }
    const text = left && right && commonText(left, right);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return `/${texts.join("/")}`;
};

const anySegment = "[^/]+";

const exampleSegment = (it: PathSegment): string => commonText(it, it) ?? "example";

/** A request that meets the conditions. */
export const toRequest = ({ method: routeMethod, host, path, when }: ExampleRequest): Request => {
  const url = new URL(`https://${host}${path}`);
  const headers = new Headers();
  const cookies: string[] = [];
  let method = routeMethod;
  for (const [on, name, is, value] of when) {
    if (is === "absent") continue;
    const text = exampleValue(is, value);
    if (on === "query") url.searchParams.set(name, text);
    else if (on === "cookie") cookies.push(`${name}=${text}`);
    else if (on === "scheme") url.protocol = `${text}:`;
    else if (on === "port") url.port = text;
    else if (on === "method") method = text;
    else headers.set(on === "content-type" ? on : name, text);
  }
  if (cookies.length > 0) headers.set("cookie", cookies.join("; "));
  return new Request(url, { method, headers });
};

const visibleText = "[!-~]+";

/** A value that meets the condition. */
const exampleValue = (is: Matcher[2], value: string): string => {
  if (is === "matches") return commonMatch(value, anySegment) ?? commonMatch(value, visibleText) ?? "x";
  // A header's value ends with no space.
  if (is === "prefix") return value.endsWith(" ") ? `${value}x` : value;
  return is === "present" ? "x" : value;
};
