/** Decides which isolate answers a request, or what is answered instead. */
import type { Account, Version, Worker } from "../account/account.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { chooseVersion, type Share } from "../machine/split.ts";
import type { Destination, IncomingRequest } from "./forward.ts";
import { matchHost } from "./hosts.ts";
import { refusal } from "./refusals.ts";

export const destinationResolver =
  (account: () => Account, fleet: Fleet, random: () => number) =>
  async ({ host, path, header }: IncomingRequest): Promise<Destination> => {
    // The path stands behind a host, since it may begin with two slashes.
    const { pathname } = new URL(`http://edge${path}`);
    const found = matchHost(account(), host, pathname);
    if (!found) return refusal("address-unrouted", `nothing is routed at ${host}${pathname}`);
    const version = found.version ?? chooseLiveVersion(found.worker, header, random);
    if (!version) return refusal("not-deployed", `${found.worker.name} has no deployment`);
    const urls = await fleet.urlsOf(account(), { worker: found.worker, version });
    const url = urls[Math.floor(random() * urls.length)];
    return url === undefined ? refusal("worker-broken", `${found.worker.name} threw at start`) : { url: new URL(url) };
  };

const chooseLiveVersion = (
  worker: Worker,
  get: IncomingRequest["header"],
  random: () => number,
): Version | undefined => {
  const shares = (worker.deployments[0]?.versions ?? []).flatMap(({ version_id: id, percentage }): Share[] => {
    const number = worker.versions.find((it) => it.id === id)?.number;
    return number === undefined ? [] : [{ id, number, percentage }];
  });
  const choice = chooseVersion(worker.name, shares, { get }, random);
  return worker.versions.find(({ id }) => id === choice?.id);
};
