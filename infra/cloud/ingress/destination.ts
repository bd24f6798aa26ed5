/** Decides which isolate answers a request, or what is answered instead. */
import type { Account, Version, Worker } from "../account/account.ts";
import { type HeaderRule, headerEdits } from "../account/header-rules.ts";
import { zoneId } from "../account/zone-id.ts";
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
    const edits = headerEdits(rulesOf(account(), host), { host: hostname(host), header });
    const headerAfter: IncomingRequest["header"] = (name) =>
      edits.has(name) ? (edits.get(name) ?? null) : header(name);
    const version = found.version ?? chooseLiveVersion(found.worker, headerAfter, random);
    if (!version) return refusal("not-deployed", `${found.worker.name} has no deployment`);
    const urls = await fleet.urlsOf(account(), { worker: found.worker, version });
    const url = urls[Math.floor(random() * urls.length)];
    return url === undefined
      ? refusal("worker-broken", `${found.worker.name} threw at start`)
      : { url: new URL(url), edits };
  };

const hostname = (host: string): string => host.toLowerCase().replace(/:\d*$/, "");

/** The rules of the zones that the host is in. */
const rulesOf = ({ headerRules = [] }: Account, host: string): readonly HeaderRule[] => {
  if (headerRules.length === 0) return headerRules;
  const labels = hostname(host).split(".");
  const ids = labels.map((_, index) => zoneId(labels.slice(index).join(".")));
  return headerRules.filter(({ zone }) => ids.includes(zone));
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
