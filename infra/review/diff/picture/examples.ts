/** Requests to ask routers with: such as a route could take, or two of them, or a route and another tier's base. */
import { isDeepStrictEqual } from "node:util";
import { type Segment, segmentsOf } from "../../../../functions/gateway/routing/match.ts";
import type { Test } from "../../../../functions/gateway/routing/matchers.ts";
import { shared, sharedText } from "../../../patterns/pattern-overlap.ts";
import type { Picture, RoutePicture, TierPicture } from "./model.ts";

export interface Example {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly when: readonly Test[];
}

/** More of them take longer than a reader waits. */
const mostChanged = 200;
const mostExamples = 20_000;

export const examplesOf = (
  before: Picture,
  after: Picture,
  changed: { readonly before: readonly RoutePicture[]; readonly after: readonly RoutePicture[] },
): Example[] => {
  const sides = [
    { of: before, routes: changed.before, others: [...after.tiers.values()] },
    { of: after, routes: changed.after, others: [...before.tiers.values()] },
  ];
  return sides
    .flatMap(({ of, routes, others }) =>
      routes.slice(0, mostChanged).flatMap((route) => {
        const hosts = of.tiers.get(route.tier)?.plan.hosts ?? [];
        const near = others.filter(({ plan }) => plan.hosts.some((host) => hosts.includes(host)));
        const crossing = near.flatMap((tier) => [...tier.routes.values()].flatMap((other) => crossings(route, other)));
        return [...alone(route), ...crossing].flatMap((it) => hosts.slice(0, 2).map((host) => ({ ...it, host })));
      }),
    )
    .map((it) => ({ ...it, host: it.host.replace(/^\*\./, "www.") }))
    .slice(0, mostExamples);
};

/** Of routes over whose paths a tier has come that was not there: what they take beneath its base. */
export const underNewBases = (before: Picture, after: Picture): Example[] =>
  [...after.tiers.values()]
    .filter(({ name }) => !isDeepStrictEqual(placeOf(before.tiers.get(name)), placeOf(after.tiers.get(name))))
    .slice(0, mostChanged)
    .flatMap(
      ({
        checked: {
          manifest: { hosts, base },
        },
      }) => {
        const beneath = segmentsOf(base === "/" ? "/{rest*}" : `${base}{/rest*}`);
        return [...before.tiers.values()].flatMap(({ checked: { manifest }, routes }) => {
          const host = manifest.hosts.find((it) => hosts.includes(it))?.replace(/^\*\./, "www.");
          if (host === undefined || manifest.base === base) return [];
          return [...routes.values()].flatMap(({ checked: { segments, methods, when } }) => {
            const path = crossing(segments, beneath);
            return path === undefined ? [] : methods.map((method) => ({ method: sent(method), path, when, host }));
          });
        });
      },
    )
    .slice(0, mostExamples);

const placeOf = (tier: TierPicture | undefined): unknown =>
  tier && [tier.checked.manifest.base, tier.checked.manifest.hosts.toSorted()];

type Unplaced = Omit<Example, "host">;

/** What a route could take, if nothing else decided: one for each method. */
export const alone = ({ checked: { methods, segments, when } }: Pick<RoutePicture, "checked">): Unplaced[] => {
  const path = crossing(segments, segments);
  return path === undefined ? [] : methods.map((method) => ({ method: sent(method), path, when }));
};

/** What both routes could take, if nothing else decided. */
const crossings = ({ checked: a }: RoutePicture, { checked: b }: RoutePicture): Unplaced[] => {
  const methods = [...new Set([...a.methods, ...b.methods])].filter(
    (it) => takes(a.methods, it) && takes(b.methods, it),
  );
  if (methods.length === 0) return [];
  const path = crossing(a.segments, b.segments);
  if (path === undefined) return [];
  const whens = [
    a.when,
    [...a.when, ...b.when.filter(([on, name]) => !a.when.some((it) => it[0] === on && it[1] === name))],
  ];
  return methods.flatMap((method) => whens.map((when) => ({ method: sent(method), path, when })));
};

const takes = (methods: readonly string[], method: string): boolean =>
  methods.includes(method) || methods.includes("ANY") || method === "ANY";

/** `ANY` is no method that could be sent. */
const sent = (method: string): string => (method === "ANY" ? "PATCH" : method);

/** A path that both take, or undefined where there is none. */
const crossing = (a: readonly Segment[], b: readonly Segment[]): string | undefined => {
  const texts: string[] = [];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left?.kind === "rest" || right?.kind === "rest") {
      const tail = left?.kind === "rest" ? b.slice(index) : a.slice(index);
      const one = left?.kind === "rest" ? left : right;
      if (tail.length === 0) return one?.kind === "rest" && one.optional ? `/${texts.join("/")}` : undefined;
      return `/${[...texts, ...tail.map(exampleOf)].join("/")}`;
    }
    const text = left && right && sharedText(left, right);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return `/${texts.join("/")}`;
};

const anything = "[^/]+";

const exampleOf = (it: Segment): string => sharedText(it, it) ?? "example";

/** A request that fulfils the conditions. */
export const requestOf = ({ method, host, path, when }: Example): Request => {
  const url = new URL(`https://${host}${path}`);
  const headers = new Headers();
  const cookies: string[] = [];
  for (const [on, name, is, value] of when) {
    if (is === "absent") continue;
    const text = is === "present" ? "x" : is === "matches" ? (shared(value, anything) ?? "x") : value;
    if (on === "query") url.searchParams.set(name, text);
    else if (on === "cookie") cookies.push(`${name}=${text}`);
    else if (on === "scheme") url.protocol = `${text}:`;
    else if (on === "port") url.port = text;
    else if (on !== "method") headers.set(on === "content-type" ? on : name, text);
  }
  if (cookies.length > 0) headers.set("cookie", cookies.join("; "));
  return new Request(url, { method, headers });
};
