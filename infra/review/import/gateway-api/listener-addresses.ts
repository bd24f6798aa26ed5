/** Listener addresses: the scheme and port of a listener, where they distinguish routes of one host. */
import type { Attachment } from "./attach.ts";
import type { ReportFinding } from "./resources/findings.ts";
import { wildcardCovers } from "./resources/hostnames.ts";
import type { HttpRouteResource, ListenerAddress } from "./resources/resources.ts";
import type { Listener } from "./resources/schema.ts";

type FullAddress = Required<ListenerAddress>;

/**
 * The routes of a host, once for each of their listener addresses. A port matters where listeners of one scheme have several,
 * and a scheme if listeners have both. Listeners without routes count too: no other listener gets their requests.
 */
export const listenerAddresses = (
  host: string | undefined,
  all: readonly Attachment[],
  report: ReportFinding,
): { readonly route: HttpRouteResource; readonly address: ListenerAddress }[] => {
  const allAddresses = distinctAddresses([...addressesOf(all), ...otherAddresses(host, all)]);
  const distinguishing = ({ scheme, port }: FullAddress): ListenerAddress => ({
    ...(allAddresses.some((it) => it.scheme !== scheme) && { scheme }),
    ...(allAddresses.some((it) => it.scheme === scheme && it.port !== port) && { port }),
  });
  return [...Map.groupBy(all, ({ route }) => route)].flatMap(([route, some]) => {
    const ownAddresses = addressesOf(some);
    const addresses =
      ownAddresses.length === 0 || ownAddresses.length === allAddresses.length
        ? [{}]
        : distinctAddresses(ownAddresses.map(distinguishing));
    for (const { via, at } of some)
      for (const message of via ? portRemarks(via.listener, addresses) : [])
        report("otherwise", route.resource, at, message);
    return addresses.map((address) => ({ route, address }));
  });
};

const addressesOf = (all: readonly Attachment[]): FullAddress[] =>
  distinctAddresses(all.flatMap(({ via }) => (via ? [addressOf(via.listener)] : [])));

export const addressOf = ({ protocol, port }: Listener): FullAddress => ({
  scheme: protocol === "HTTPS" ? "https" : "http",
  port,
});

const distinctAddresses = <T extends ListenerAddress>(all: readonly T[]): T[] => [
  ...new Map(all.map((it) => [`${it.scheme} ${it.port}`, it])).values(),
];

/** The addresses at which listeners of the same gateways accept the host, with routes or without. */
const otherAddresses = (host: string | undefined, all: readonly Attachment[]): FullAddress[] =>
  [...new Set(all.flatMap(({ via }) => via?.gateway ?? []))].flatMap(({ listeners }) =>
    listeners
      .filter(({ protocol }) => protocol === "HTTP" || protocol === "HTTPS")
      .filter(({ hostname }) => hostname === undefined || hostname === host || (host && wildcardCovers(hostname, host)))
      .map(addressOf),
  );

/** The ports on which Cloudflare accepts requests (developers.cloudflare.com/fundamentals/reference/network-ports), the usual one first. */
const platformPorts = {
  http: [80, 8080, 8880, 2052, 2082, 2086, 2095],
  https: [443, 2053, 2083, 2087, 2096, 8443],
};

const portRemarks = (listener: Listener, addresses: readonly ListenerAddress[]): string[] => {
  const { scheme, port } = addressOf(listener);
  const ports = platformPorts[scheme];
  const what = `the port ${port} of the listener ${listener.name}`;
  if (port === ports[0]) return [];
  if (!addresses.some((it) => it.port === port))
    return [`${what} is not a condition: its hosts are served on every port of the platform`];
  return ports.includes(port) ? [] : [`${what} is not a port of the platform, which has ${ports.join(", ")}`];
};
