/** What a client comes to besides a host: the scheme and port of a listener, where they tell routes of one host apart. */
import type { Attached } from "./attach.ts";
import type { Find } from "./resources/findings.ts";
import { covers } from "./resources/hostnames.ts";
import type { Door, Route } from "./resources/resources.ts";
import type { Listener } from "./resources/schema.ts";

type Place = Required<Door>;

/**
 * The routes of a host, each once for every door that is its own. A port matters where listeners of one scheme have several,
 * and a scheme where listeners have both, those without routes included: their requests are nobody else's.
 */
export const doorsOf = (
  host: string | undefined,
  all: readonly Attached[],
  find: Find,
): { readonly route: Route; readonly door: Door }[] => {
  const places = distinct([...placesOf(all), ...idle(host, all)]);
  const doorOf = ({ scheme, port }: Place): Door => ({
    ...(places.some((it) => it.scheme !== scheme) && { scheme }),
    ...(places.some((it) => it.scheme === scheme && it.port !== port) && { port }),
  });
  return [...Map.groupBy(all, ({ route }) => route)].flatMap(([route, some]) => {
    const own = placesOf(some);
    const doors = own.length === 0 || own.length === places.length ? [{}] : distinct(own.map(doorOf));
    for (const { by, at } of some)
      for (const says of by ? remarks(by.listener, doors) : []) find("otherwise", route.resource, at, says);
    return doors.map((door) => ({ route, door }));
  });
};

const placesOf = (all: readonly Attached[]): Place[] =>
  distinct(all.flatMap(({ by }) => (by ? [placeOf(by.listener)] : [])));

export const placeOf = ({ protocol, port }: Listener): Place => ({
  scheme: protocol === "HTTPS" ? "https" : "http",
  port,
});

const distinct = <T extends Door>(all: readonly T[]): T[] => [
  ...new Map(all.map((it) => [`${it.scheme} ${it.port}`, it])).values(),
];

/** Where listeners of the same gateways take the host, whether they have routes or not. */
const idle = (host: string | undefined, all: readonly Attached[]): Place[] =>
  [...new Set(all.flatMap(({ by }) => by?.gateway ?? []))].flatMap(({ listeners }) =>
    listeners
      .filter(({ protocol }) => protocol === "HTTP" || protocol === "HTTPS")
      .filter(({ hostname }) => hostname === undefined || hostname === host || (host && covers(hostname, host)))
      .map(placeOf),
  );

/** What Cloudflare takes requests on (developers.cloudflare.com/fundamentals/reference/network-ports), the usual one first. */
const platform = {
  http: [80, 8080, 8880, 2052, 2082, 2086, 2095],
  https: [443, 2053, 2083, 2087, 2096, 8443],
};

const remarks = (listener: Listener, doors: readonly Door[]): string[] => {
  const { scheme, port } = placeOf(listener);
  const ports = platform[scheme];
  const what = `the port ${port} of the listener ${listener.name}`;
  if (port === ports[0]) return [];
  if (!doors.some((it) => it.port === port))
    return [`${what} is not asked for: its hosts are served on every port that the platform takes`];
  return ports.includes(port) ? [] : [`${what} takes no requests on the platform, which has ${ports.join(", ")}`];
};
