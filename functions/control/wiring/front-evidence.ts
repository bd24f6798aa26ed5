/** The evidence about a version of the front: what gates, the tail and the front itself counted of its requests. */

import { frontName } from "../../front/front-name.ts";
import { type Group, groups, type Sample } from "../../gateway/observability/samples.ts";
import type { ControlPlan } from "../model/plan.ts";
import { objectOf } from "../rpc/objects.ts";
import { unreportedAsCauses } from "../telemetry/causes.ts";
import { noRequests, type StoredSample, sumOfSamples } from "../telemetry/samples.ts";
import { diedInFront, throughFront } from "../telemetry/store.ts";
import type { Bindings } from "./bindings.ts";

/**
 * Gates count what came through the version, the front what it answered itself and how long all took, and the tail what
 * died. A front that fails may not report it: the tail sees the statuses too, and the failures that nobody else counted are
 * added. Requests that it drops are missing at the gates, which the sample ratio shows.
 */
export const frontSample = async (
  env: Pick<Bindings, "TELEMETRY">,
  { tiers }: Pick<ControlPlan, "tiers">,
  version: string,
  since: number,
  until: number,
): Promise<StoredSample> => {
  const read = (object: string, name: string): Promise<StoredSample> =>
    objectOf(env.TELEMETRY, object).between(name, since, until);
  const [own, seen, ...gates] = await Promise.all([
    read(frontName, version),
    read(frontName, throughFront(version)),
    ...Object.keys(tiers).map((tier) => read(tier, throughFront(version))),
  ]);
  const counted = gates.reduce(sumOfSamples, own);
  const [all, statuses] = [totals(counted), totals(seen)];
  const errors = Math.max(0, statuses.errors - all.errors);
  const refusals = Math.max(0, statuses.refusals - all.refusals);
  // A gate may have counted the request as a good one, before the front failed.
  const requests = Math.min(errors + refusals, Math.max(0, statuses.requests - all.requests));
  if (errors + refusals === 0) return counted;
  const [moreErrors, moreRefusals, moreRequests] = [errors, refusals, requests].map((it) => allot(it, counted));
  return {
    ...counted,
    causes: [...(counted.causes ?? []), ...unreportedAsCauses({ errors, refusals })],
    groups: Object.fromEntries(
      Array.from({ length: groups }, (_, group) => [
        group,
        withFailures(counted.groups[group] ?? { ...noRequests, latency: [] }, {
          errors: moreErrors?.[group] ?? 0,
          refusals: moreRefusals?.[group] ?? 0,
          requests: moreRequests?.[group] ?? 0,
        }),
      ]),
    ),
  };
};

/** The requests of a version that died in the front itself, as the tail saw them. */
export const frontDeaths = (
  env: Pick<Bindings, "TELEMETRY">,
  version: string,
  since: number,
  until: number,
): Promise<Sample> => objectOf(env.TELEMETRY, frontName).between(diedInFront(version), since, until);

type Counts = Pick<Group, "requests" | "errors" | "refusals">;

/** Rounding may give a group more failures than requests. */
const withFailures = (it: Group, more: Counts): Group => {
  const errors = it.errors + more.errors;
  const refusals = it.refusals + more.refusals;
  return { ...it, errors, refusals, requests: Math.max(it.requests + more.requests, errors + refusals + it.abandoned) };
};

/**
 * Divides failures among the groups of users by their requests. The tail does not know the users, and an even division would
 * make quiet groups look as if they failed more than others.
 */
const allot = (count: number, { groups: all }: Sample): readonly number[] => {
  const requests = Array.from({ length: groups }, (_, group) => all[group]?.requests ?? 0);
  const total = requests.reduce((sum, some) => sum + some, 0);
  let before = 0;
  return requests.map((some, group) => {
    const from = total === 0 ? group / groups : before / total;
    before += some;
    const until = total === 0 ? (group + 1) / groups : before / total;
    return Math.round(count * until) - Math.round(count * from);
  });
};

const totals = ({ groups: all }: Sample): Counts =>
  Object.values(all).reduce(
    (sum, { requests, errors, refusals }) => ({
      requests: sum.requests + requests,
      errors: sum.errors + errors,
      refusals: sum.refusals + refusals,
    }),
    { requests: 0, errors: 0, refusals: 0 },
  );
